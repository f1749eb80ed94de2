//! What a handler answers when all went well.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use smallvec::SmallVec;

use crate::Problem;

pub(crate) const JSON: &str = "application/json";
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A successful answer, already serialised, so that it can be cached and stored for repeated requests.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
    pub(crate) etag: Option<HeaderValue>,
    pub(crate) location: Option<HeaderValue>,
    pub(crate) replayed: bool,
    extra: Option<Box<HeaderMap>>,
    failed: Option<Problem>,
}

impl Reply {
    /// 200 with `value` as JSON.
    pub fn ok<T: Serialize + ?Sized>(value: &T) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// 201 with `value` as JSON; `location` is the path of what was created.
    pub fn created<T: Serialize + ?Sized>(location: impl AsRef<str>, value: &T) -> Self {
        Self::json(StatusCode::CREATED, value).location(location)
    }

    /// 202 with `value` as JSON; `location` tells where to ask how it went.
    pub fn accepted<T: Serialize + ?Sized>(location: impl AsRef<str>, value: &T) -> Self {
        Self::json(StatusCode::ACCEPTED, value).location(location)
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self::bytes(StatusCode::NO_CONTENT, Bytes::new(), None)
    }

    /// Any success status with `value` as JSON.
    pub fn json<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::bytes(status, Bytes::from(body), None),
            Err(error) => {
                Self { failed: Some(Problem::internal(error)), ..Self::bytes(status, Bytes::new(), None) }
            }
        }
    }

    /// An answer whose JSON was serialised before, with its entity tag as given to [`Reply::etag`].
    #[must_use]
    pub fn bytes(status: StatusCode, body: Bytes, etag: Option<&str>) -> Self {
        let reply = Self {
            status,
            content_type: JSON,
            body,
            etag: None,
            location: None,
            replayed: false,
            extra: None,
            failed: None,
        };
        match etag {
            Some(tag) => reply.etag(tag),
            None => reply,
        }
    }

    /// An answer of another media type.
    #[must_use]
    pub fn raw(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        Self { content_type, ..Self::bytes(status, body, None) }
    }

    /// Names the version of the resource (`ETag`), without quotes: a version number, a hash. Gives 304 by itself.
    #[must_use]
    pub fn etag(mut self, tag: &str) -> Self {
        match quoted(tag) {
            Some(value) => self.etag = Some(value),
            None => self.failed = Some(Problem::internal("an entity tag has unprintable characters")),
        }
        self
    }

    /// Names where the resource is found: a path.
    #[must_use]
    pub fn location(mut self, location: impl AsRef<str>) -> Self {
        match HeaderValue::from_str(location.as_ref()) {
            Ok(value) => self.location = Some(value),
            Err(error) => self.failed = Some(Problem::internal(error)),
        }
        self
    }

    /// Whether this is the answer of an earlier request with the same key.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.replayed
    }

    /// Marks an answer as that of an earlier request with the same key.
    #[must_use]
    pub fn replayed(mut self) -> Self {
        self.replayed = true;
        self
    }

    /// Adds a header that has no method of its own here.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.extra.get_or_insert_default().insert(name, value);
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The serialised body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    pub(crate) fn into_result(mut self) -> Result<Self, Problem> {
        match self.failed.take() {
            Some(problem) => Err(problem),
            None => Ok(self),
        }
    }
}

/// `"tag"`, when every character may stand in an entity tag.
pub(crate) fn quoted(tag: &str) -> Option<HeaderValue> {
    let plain = tag.len() <= 128 && tag.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'~'));
    let mut text = SmallVec::<[u8; 64]>::new();
    text.push(b'"');
    text.extend_from_slice(tag.as_bytes());
    text.push(b'"');
    HeaderValue::from_bytes(&text).ok().filter(|_| plain)
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let reply = match self.into_result() {
            Ok(reply) => reply,
            Err(problem) => return problem.into_response(),
        };
        let mut response = Response::new(Body::from(reply.body));
        *response.status_mut() = reply.status;
        // Room for what the gate adds, so that the map grows once.
        let mut headers = HeaderMap::with_capacity(14);
        if reply.status != StatusCode::NO_CONTENT {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
        }
        if let Some(etag) = reply.etag {
            headers.insert(header::ETAG, etag);
        }
        if let Some(location) = reply.location {
            headers.insert(header::LOCATION, location);
        }
        if reply.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        if let Some(extra) = reply.extra {
            headers.extend(*extra);
        }
        *response.headers_mut() = headers;
        response
    }
}
