//! Turns what serde and garde report into places and codes.

use std::borrow::Cow;

use garde::Report;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::strict::Strict;
use crate::{FieldCode, FieldError, Problem, codes};

/// Where the validated value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum In {
    Body,
    Parameters,
}

/// Adds one reference token to a JSON pointer (RFC 6901).
pub(super) fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    for letter in segment.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// What is wrong with `text`, of which `error` is known; it is read a second time to find the place.
pub(super) fn json_problem<T: DeserializeOwned>(text: &str, error: &serde_json::Error) -> Problem {
    if matches!(error.classify(), Category::Syntax | Category::Eof | Category::Io) {
        return Problem::new(codes::MALFORMED_JSON).detail(sentence(&error.to_string()));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let (path, message) = match serde_path_to_error::deserialize::<_, T>(Strict(&mut reader)) {
        Ok(_) => return Problem::new(codes::MALFORMED_JSON).detail(sentence(&error.to_string())),
        Err(found) => (found.path().clone(), found.into_inner().to_string()),
    };
    let message = without_position(&message);
    let mut pointer = pointer_of(&path);
    if let Some(name) = quoted_after(message, "missing field `") {
        push_segment(&mut pointer, name);
    } else if let Some(name) =
        quoted_after(message, "unknown field `").or_else(|| quoted_after(message, "duplicate field `"))
        && !pointer.ends_with(&format!("/{name}"))
    {
        push_segment(&mut pointer, name);
    }
    Problem::invalid([FieldError::pointer(pointer, code_of(message), sentence(message))])
}

/// What is wrong with a query or path parameter.
pub(super) fn parameter_error(path: &serde_path_to_error::Path, message: &str) -> FieldError {
    let named = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|prefix| quoted_after(message, prefix));
    let name = match named {
        Some(name) => name.to_owned(),
        None => path.to_string(),
    };
    FieldError::parameter(name, code_of(message), sentence(message))
}

/// What validation rules have found.
pub(super) fn report_problem(report: &Report, place: In) -> Problem {
    Problem::invalid(report.iter().map(|(path, error)| {
        let mut pointer = String::new();
        for (_, segment) in path.__iter().rev().filter(|(_, segment)| !segment.is_empty()) {
            push_segment(&mut pointer, &camel_case(segment));
        }
        let message = error.message();
        let code = rule_code(message);
        match place {
            In::Body => FieldError::pointer(pointer, code, sentence(message)),
            In::Parameters => {
                FieldError::parameter(pointer.trim_start_matches('/').to_owned(), code, sentence(message))
            }
        }
    }))
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push_segment(&mut pointer, &index.to_string()),
            Segment::Map { key } => push_segment(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn code_of(message: &str) -> FieldCode {
    let code = match message {
        text if text.starts_with("unknown field") => codes::UNKNOWN_FIELD,
        text if text.starts_with("missing field") => codes::MISSING_FIELD,
        text if text.starts_with("duplicate field") => codes::DUPLICATE_FIELD,
        text if text.starts_with("invalid type") => codes::INVALID_TYPE,
        _ => codes::INVALID_VALUE,
    };
    code.into()
}

fn rule_code(message: &str) -> FieldCode {
    let code = match message {
        text if text.starts_with("length is lower") => codes::TOO_SHORT,
        text if text.starts_with("length is greater") => codes::TOO_LONG,
        text if text.starts_with("lower than") => codes::TOO_SMALL,
        text if text.starts_with("greater than") => codes::TOO_LARGE,
        _ => codes::INVALID_VALUE,
    };
    code.into()
}

/// serde_json ends its messages with ` at line 1 column 2`, which the pointer says better.
fn without_position(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |at| &message[..at])
}

fn quoted_after<'a>(message: &'a str, prefix: &str) -> Option<&'a str> {
    message.strip_prefix(prefix)?.split('`').next()
}

/// At most 200 characters: messages may repeat the input.
fn sentence(message: &str) -> String {
    match message.char_indices().nth(200) {
        Some((at, _)) => format!("{}...", &message[..at]),
        None => message.to_owned(),
    }
}

/// garde names fields as Rust does, clients know them in camelCase.
fn camel_case(name: &str) -> Cow<'_, str> {
    if !name.contains('_') {
        return Cow::Borrowed(name);
    }
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or("").to_owned();
    for word in words {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            out.extend(first.to_uppercase());
            out.push_str(letters.as_str());
        }
    }
    Cow::Owned(out)
}
