//! JSON bodies: media type, syntax, depth, schema, validation rules; each refusal says where.

use axum::extract::FromRequestParts;
use bytes::Bytes;
use garde::Validate;
use http::{HeaderMap, header, request::Parts};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::{Input, context::visit, serde_errors, strict::Strict};
use crate::{FieldError, Op, Problem, codes};

/// The deepest nesting of a body. Bodies of this program need about five.
pub(crate) const MOST_DEPTH: usize = 32;

/// A JSON body, read and validated.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: ToSchema> Input for Json<T> {
    fn describe(op: &mut Op) {
        if op.body.is_none() {
            *op = op.clone().body::<T>();
        }
    }
}

impl<S, T> FromRequestParts<S> for Json<T>
where
    S: Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let visit = visit(parts)?;
        if !has_media_type(&parts.headers, "application/json") {
            return Err(Problem::new(codes::UNSUPPORTED_MEDIA_TYPE)
                .detail("The body must be sent as Content-Type: application/json."));
        }
        let value: T = read(&visit.body)?;
        validate(&value)?;
        Ok(Self(value))
    }
}

/// Whether the request says that its body is of that media type; parameters such as `charset=utf-8` do not matter.
pub(crate) fn has_media_type(headers: &HeaderMap, expected: &str) -> bool {
    let Some(Ok(given)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let kind = given.split(';').next().unwrap_or("").trim();
    match expected.strip_suffix('*') {
        Some(family) => kind.get(..family.len()).is_some_and(|given| given.eq_ignore_ascii_case(family)),
        None => kind.eq_ignore_ascii_case(expected),
    }
}

/// Reads a JSON document into `T`.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let malformed = |detail: String| Problem::new(codes::MALFORMED_JSON).detail(detail);
    let text = std::str::from_utf8(body)
        .map_err(|error| malformed(format!("The body is not UTF-8 at byte {}.", error.valid_up_to())))?;
    match scan(text) {
        Scan::Fine => {}
        Scan::TooDeep => {
            return Err(malformed(format!("The body is nested deeper than {MOST_DEPTH} levels.")));
        }
        Scan::Nul => return Err(nul_problem(text)),
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Strict(&mut reader)).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| serde_errors::json_problem::<T>(text, &error))
}

/// Applies the rules declared on `value`.
pub(crate) fn validate<T: Validate<Context = ()>>(value: &T) -> Result<(), Problem> {
    value.validate().map_err(|report| serde_errors::report_problem(&report, serde_errors::In::Body))
}

#[derive(Debug, PartialEq, Eq)]
enum Scan {
    Fine,
    TooDeep,
    Nul,
}

/// One pass over the text for what the reader itself does not refuse: depth, and NUL characters in strings.
fn scan(text: &str) -> Scan {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        if escaped {
            escaped = false;
            if *byte == b'u' && bytes[at + 1..].starts_with(b"0000") {
                return Scan::Nul;
            }
        } else if in_string {
            match byte {
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => in_string = true,
                b'{' | b'[' => {
                    depth += 1;
                    if depth > MOST_DEPTH {
                        return Scan::TooDeep;
                    }
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    Scan::Fine
}

/// Names the places that hold NUL characters, if the document can be read at all.
fn nul_problem(text: &str) -> Problem {
    let mut errors = Vec::new();
    if let Ok(document) = serde_json::from_str::<serde_json::Value>(text) {
        find_nul(&document, &mut String::new(), &mut errors);
    }
    if errors.is_empty() {
        return Problem::new(codes::MALFORMED_JSON).detail("The body contains NUL characters.");
    }
    Problem::invalid(errors)
}

fn find_nul(value: &serde_json::Value, pointer: &mut String, errors: &mut Vec<FieldError>) {
    use serde_json::Value;
    let found = |pointer: &str| {
        FieldError::pointer(pointer.to_owned(), codes::NUL_CHARACTER, "NUL characters are not taken")
    };
    let length = pointer.len();
    match value {
        Value::String(text) if text.contains('\0') => errors.push(found(pointer)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                serde_errors::push_segment(pointer, &index.to_string());
                find_nul(item, pointer, errors);
                pointer.truncate(length);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                if name.contains('\0') {
                    errors.push(found(pointer));
                    continue;
                }
                serde_errors::push_segment(pointer, name);
                find_nul(member, pointer, errors);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

/// A body of another media type than JSON, as declared by [`Op::body_raw`], within its limit.
#[derive(Debug, Clone)]
pub struct RawBody(pub Bytes);

impl Input for RawBody {
    fn describe(op: &mut Op) {
        if op.body.is_none() {
            op.defects.push("takes RawBody but declares no body_raw()");
        }
    }
}

impl<S: Sync> FromRequestParts<S> for RawBody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let visit = visit(parts)?;
        let expected = visit.op.body.as_ref().map_or("", |body| body.content_type);
        if !has_media_type(&parts.headers, expected) {
            return Err(Problem::new(codes::UNSUPPORTED_MEDIA_TYPE)
                .detail(format!("The body must be sent as Content-Type: {expected}.")));
        }
        Ok(Self(visit.body.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // HTTP-8
    #[test]
    fn nul_characters_and_deep_nesting_are_seen_and_look_alikes_are_not() {
        assert_eq!(scan(r#"{"a":"x\u0000y"}"#), Scan::Nul);
        assert_eq!(scan(r#"{"a\u0000":1}"#), Scan::Nul);
        assert_eq!(scan(r#"{"a":"\\u0000"}"#), Scan::Fine);
        assert_eq!(scan(r#"{"a":"\\\u0000"}"#), Scan::Nul);
        assert_eq!(scan(r#"{"a":"[[[[\"[["}"#), Scan::Fine);
        assert_eq!(scan(&"[".repeat(MOST_DEPTH)), Scan::Fine);
        assert_eq!(scan(&"[".repeat(MOST_DEPTH + 1)), Scan::TooDeep);
        assert_eq!(scan(r#""\u00"#), Scan::Fine);
    }

    #[test]
    fn nul_characters_are_named_by_their_place() {
        let problem = nul_problem(r#"{"a":[1,{"b/c":"x\u0000"}]}"#);
        let shown = serde_json::to_value(problem.errors()).unwrap();
        assert_eq!(shown[0]["pointer"], "/a/1/b~1c");
        assert_eq!(shown[0]["code"], "NUL_CHARACTER");
    }
}
