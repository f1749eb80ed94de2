//! What a feature may be told besides on and off: small, flat and plain.

use serde_json::{Map, Value};
use utoipa::openapi::{
    ArrayBuilder, ObjectBuilder, RefOr, Schema,
    schema::{AnyOfBuilder, SchemaType, Type},
};

const MOST_NAMES: usize = 20;
const MOST_LISTED: usize = 20;
const MOST_CHARS: usize = 256;
const MOST_NUMBER: f64 = 1e15;

/// Whether `config` keeps within the bounds; what is wrong with it otherwise.
pub(super) fn check(config: &Map<String, Value>) -> Result<(), &'static str> {
    if config.len() > MOST_NAMES {
        return Err("at most 20 names");
    }
    if !config.keys().all(|name| is_name(name)) {
        return Err("a name is a letter and up to 63 letters, digits, - and _");
    }
    let fits = |value: &Value| match value {
        Value::Array(values) => values.len() <= MOST_LISTED && values.iter().all(is_plain),
        value => is_plain(value),
    };
    if !config.values().all(fits) {
        return Err(
            "a value is a text of at most 256 characters, a number up to 1e15, true or false, or a list of at \
                    most 20 of these",
        );
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    starts
        && name.len() <= 64
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().count() <= MOST_CHARS && !text.contains('\0'),
        Value::Bool(_) => true,
        Value::Number(number) => number.as_f64().is_some_and(|number| number.abs() <= MOST_NUMBER),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// The same in words of JSON Schema.
pub(super) fn schema() -> RefOr<Schema> {
    let of = |kind: Type| ObjectBuilder::new().schema_type(kind);
    let plain = || {
        let text = of(Type::String).max_length(Some(MOST_CHARS)).pattern(Some(r"^[^\u0000]*$"));
        let number = of(Type::Number).minimum(Some(-MOST_NUMBER)).maximum(Some(MOST_NUMBER));
        AnyOfBuilder::new().item(text).item(number).item(of(Type::Boolean))
    };
    let items = RefOr::T(Schema::AnyOf(plain().build()));
    let value = plain().item(ArrayBuilder::new().items(items).max_items(Some(MOST_LISTED)));
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some(
            "What the code that asks is told besides: texts, numbers, flags and lists of them.",
        ))
        .max_properties(Some(MOST_NAMES))
        .property_names(Some(of(Type::String).pattern(Some("^[A-Za-z][A-Za-z0-9_-]{0,63}$"))))
        .additional_properties(Some(RefOr::T(Schema::AnyOf(value.build()))))
        .into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_taken(config: &Value) -> bool {
        check(config.as_object().unwrap()).is_ok()
    }

    // PLT-7, HTTP-8
    #[test]
    fn configuration_is_small_flat_and_plain() {
        for fine in [
            json!({}),
            json!({ "most": 3, "methods": ["card", "cash"], "text": "x".repeat(256), "on": true }),
        ] {
            assert!(is_taken(&fine), "{fine}");
        }
        let many = |count| Value::Object((0..count).map(|number| (format!("n{number}"), json!(1))).collect());
        assert!(is_taken(&many(20)) && !is_taken(&many(21)));
        for wrong in [
            json!({ "1st": 1 }),
            json!({ "a": null }),
            json!({ "a": { "b": 1 } }),
            json!({ "a": [[1]] }),
            json!({ "a": vec![1; 21] }),
            json!({ "a": "x".repeat(257) }),
            json!({ "a": "nul\0" }),
            json!({ "a": 1e16 }),
        ] {
            assert!(!is_taken(&wrong), "{wrong}");
        }
    }
}
