//! Query parameters: only the declared ones, each within its bounds.

use axum::extract::FromRequestParts;
use garde::Validate;
use http::request::Parts;
use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::{
    Input,
    serde_errors::{self, In},
};
use crate::{FieldError, Op, Problem, codes};

/// The query's parameters, read and validated. The type carries `#[serde(deny_unknown_fields)]`.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<T: IntoParams> Input for Query<T> {
    fn describe(op: &mut Op) {
        if op.query.is_none() {
            *op = op.clone().query::<T>();
        }
    }
}

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        read(parts.uri.query().unwrap_or("")).map(Self)
    }
}

/// Reads `a=1&b=x` into `T`.
pub(crate) fn read<T: DeserializeOwned + Validate<Context = ()>>(query: &str) -> Result<T, Problem> {
    check_text(query)?;
    let pairs = form_pairs(query);
    let value: T = serde_path_to_error::deserialize(pairs).map_err(|error| {
        let path = error.path().clone();
        Problem::invalid([serde_errors::parameter_error(&path, &error.into_inner().to_string())])
    })?;
    value.validate().map_err(|report| serde_errors::report_problem(&report, In::Parameters))?;
    Ok(value)
}

fn form_pairs(query: &str) -> serde_urlencoded::Deserializer<'_> {
    serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()))
}

/// The form parser replaces what is not UTF-8; here it is refused, and NUL with it.
fn check_text(query: &str) -> Result<(), Problem> {
    if !query.contains('%') {
        return Ok(());
    }
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded_name = percent_decode(name.as_bytes()).decode_utf8();
        let decoded = percent_decode(value.as_bytes()).decode_utf8();
        let (code, detail) = match (&decoded_name, &decoded) {
            (Ok(name), Ok(value)) if !name.contains('\0') && !value.contains('\0') => continue,
            (Ok(_), Ok(_)) => (codes::NUL_CHARACTER, "NUL characters are not taken"),
            _ => (codes::INVALID_VALUE, "the text is not UTF-8"),
        };
        let name = decoded_name.map_or_else(|_| "?".to_owned(), |name| name.replace('\0', "?"));
        return Err(Problem::invalid([FieldError::parameter(name, code, detail)]));
    }
    Ok(())
}
