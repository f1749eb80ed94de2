//! Problem details (RFC 9457): the one way a request fails.

use std::{borrow::Cow, fmt};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use kernel::{Code, Flag};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::codes;

/// Where the catalogue of codes is served; a problem's `type` is this path with `#CODE`.
pub(crate) const ERRORS_PATH: &str = "/api/errors";
/// At most so many entries in `errors[]`; more would help nobody.
const MOST_ERRORS: usize = 100;

/// The code of one entry in `errors[]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FieldCode(pub(crate) &'static str);

impl From<Code> for FieldCode {
    fn from(code: Code) -> Self {
        Self(code.code)
    }
}

/// The place in the request that an entry of `errors[]` is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Pointer(Cow<'static, str>),
    Parameter(Cow<'static, str>),
    Header(&'static str),
}

/// One entry of `errors[]`: a place in the request and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    #[serde(flatten)]
    place: Place,
    code: &'static str,
    detail: Cow<'static, str>,
}

impl FieldError {
    /// About a place in the body, by JSON pointer: `/lines/0/sku`, or the empty string for the whole body.
    pub fn pointer(
        pointer: impl Into<Cow<'static, str>>,
        code: impl Into<FieldCode>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { place: Place::Pointer(pointer.into()), code: code.into().0, detail: detail.into() }
    }

    /// About a parameter of the query or the path.
    pub fn parameter(
        name: impl Into<Cow<'static, str>>,
        code: impl Into<FieldCode>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { place: Place::Parameter(name.into()), code: code.into().0, detail: detail.into() }
    }

    /// About a header.
    pub fn header(
        name: &'static str,
        code: impl Into<FieldCode>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { place: Place::Header(name), code: code.into().0, detail: detail.into() }
    }
}

#[derive(Debug, Clone)]
struct Inner {
    code: Code,
    detail: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    extensions: Map<String, Value>,
    retry_after_s: Option<u32>,
    challenge: bool,
    allow: Option<HeaderValue>,
    cause: Option<String>,
}

/// Why a request failed, as its client sees it: a stable code, a detail, places in the input.
///
/// Everything in it is shown to the caller, except [`Problem::because`], which goes to the log only.
#[derive(Clone)]
pub struct Problem(Box<Inner>);

impl Problem {
    /// A failure of that kind.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self(Box::new(Inner {
            code,
            detail: None,
            errors: Vec::new(),
            extensions: Map::new(),
            retry_after_s: if code.status == 503 { Some(1) } else { None },
            challenge: code.status == 401,
            allow: None,
            cause: None,
        }))
    }

    /// `VALIDATION_FAILED` with these entries.
    #[must_use]
    pub fn invalid(errors: impl IntoIterator<Item = FieldError>) -> Self {
        let mut problem = Self::new(codes::VALIDATION_FAILED);
        problem.0.errors.extend(errors.into_iter().take(MOST_ERRORS));
        problem
    }

    /// `NOT_FOUND`, also for what belongs to another tenant.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(codes::NOT_FOUND)
    }

    /// `FEATURE_OFF`, naming the feature.
    #[must_use]
    pub fn feature_off(flag: Flag) -> Self {
        Self::new(codes::FEATURE_OFF).detail(format!("It is {}.", flag.name))
    }

    /// `INTERNAL`; `cause` is logged and never shown.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(codes::INTERNAL).because(cause)
    }

    /// Says what is special about this occurrence, to the caller.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds an entry about a place in the body, by JSON pointer.
    #[must_use]
    pub fn pointer(
        self,
        pointer: impl Into<Cow<'static, str>>,
        code: impl Into<FieldCode>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.error(FieldError::pointer(pointer, code, detail))
    }

    /// Adds an entry; beyond 100 they are dropped.
    #[must_use]
    pub fn error(mut self, error: FieldError) -> Self {
        if self.0.errors.len() < MOST_ERRORS {
            self.0.errors.push(error);
        }
        self
    }

    /// Adds a member of its own to the document (RFC 9457 extension); standard members cannot be replaced.
    #[must_use]
    pub fn extension(mut self, name: &str, value: impl Into<Value>) -> Self {
        const STANDARD: [&str; 9] =
            ["type", "title", "status", "detail", "instance", "code", "correlationId", "traceId", "errors"];
        if !STANDARD.contains(&name) {
            self.0.extensions.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Says when another try makes sense; 503 says one second by itself.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// Records the cause for the log; the caller never sees it. Give no personal data.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    pub(crate) fn allow(mut self, methods: HeaderValue) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// Its kind.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The entries of `errors[]`.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    pub(crate) fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The answer that the client gets.
    pub(crate) fn render(&self, instance: &str, correlation_id: &str, trace_id: &str) -> Response {
        let inner = &*self.0;
        let document = Document {
            kind: TypeUri(inner.code.code),
            title: inner.code.title,
            status: inner.code.status,
            detail: inner.detail.as_deref(),
            instance,
            code: inner.code.code,
            correlation_id,
            trace_id,
            errors: &inner.errors,
            extensions: &inner.extensions,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = Response::new(Body::from(Bytes::from(body)));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = inner.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if inner.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(methods) = &inner.allow {
            headers.insert(header::ALLOW, methods.clone());
        }
        response
    }
}

struct TypeUri(&'static str);

impl Serialize for TypeUri {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{ERRORS_PATH}#{}", self.0))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: TypeUri,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    instance: &'a str,
    code: &'static str,
    correlation_id: &'a str,
    trace_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(flatten)]
    extensions: &'a Map<String, Value>,
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.code, self.0.detail.as_deref().unwrap_or(self.0.code.title))
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    /// Hands the problem to the gate, which knows the request's path and correlation id and writes the document.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        response.extensions_mut().insert(self);
        response
    }
}
