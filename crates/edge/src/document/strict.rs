//! What all schemas have in common, said once.

use serde_json::{Map, Value, json};
use utoipa::openapi::{
    ArrayBuilder, ObjectBuilder, RefOr, Schema,
    schema::{AdditionalProperties, SchemaFormat, Type},
};

/// Texts without another rule take every character but NUL.
const NO_NUL: &str = "^[^\\u0000]*$";

/// The schema of problem documents; they may have members of their own.
pub(super) fn problem_schema() -> RefOr<Schema> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let code = || text().pattern(Some("^[A-Z][A-Z0-9_]*$"));
    let error = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "A place in the request, as pointer, parameter or header, and what is wrong with it.",
        ))
        .property("pointer", text().description(Some("JSON pointer into the body.")))
        .property("parameter", text().description(Some("Name of a query or path parameter.")))
        .property("header", text().description(Some("Name of a header.")))
        .property("code", code())
        .property("detail", text())
        .required("code")
        .required("detail")
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    let uri = SchemaFormat::Custom("uri-reference".to_owned());
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Why a request failed (RFC 9457)."))
        .property("type", text().format(Some(uri)).description(Some("Leads to the code's explanation.")))
        .property("title", text())
        .property(
            "status",
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(400)).maximum(Some(599)),
        )
        .property("detail", text())
        .property("instance", text())
        .property("code", code().description(Some("Stable; see /api/errors.")))
        .property("correlationId", text().description(Some("Names the request in the server's logs.")))
        .property("traceId", text().pattern(Some("^[0-9a-f]{32}$")))
        .property("errors", ArrayBuilder::new().items(error).max_items(Some(100)))
        .required("type")
        .required("title")
        .required("status")
        .required("instance")
        .required("code")
        .required("correlationId")
        .required("traceId")
        .into()
}

/// Says of every text schema without a rule of its own that NUL is refused, as it is, and the same of map keys.
pub(super) fn refuse_nul(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if is_plain_text(members) {
                members.insert("pattern".to_owned(), json!(NO_NUL));
            }
            let is_map = members.get("additionalProperties").is_some_and(Value::is_object);
            if is_map && !members.contains_key("propertyNames") {
                members.insert("propertyNames".to_owned(), json!({ "pattern": NO_NUL }));
            }
            for (name, member) in members.iter_mut() {
                if !matches!(name.as_str(), "example" | "examples" | "default" | "enum") {
                    refuse_nul(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(refuse_nul),
        _ => {}
    }
}

fn is_plain_text(schema: &Map<String, Value>) -> bool {
    let is_text = match schema.get("type") {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        _ => false,
    };
    // `password` tells programs to hide the text and says nothing of its characters.
    let bound_by_format = schema.get("format").is_some_and(|format| format != "password");
    is_text && !bound_by_format && !["pattern", "enum", "const"].iter().any(|rule| schema.contains_key(*rule))
}
