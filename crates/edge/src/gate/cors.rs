//! Cross-origin calls: allowed for the origins that the tenant lists, unknown origins get no headers (HTTP-9).

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use kernel::Tenant;

use crate::{Edge, Op, Problem, codes};

const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, if-match, if-none-match, traceparent, x-correlation-id, x-tenant",
);
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "etag, idempotency-replayed, location, ratelimit, ratelimit-policy, retry-after, x-api-versions, x-correlation-id",
);
/// How long browsers may remember a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Marks an answer as readable by the origin that asked, if the tenant of the request lists it.
pub(super) fn mark(answer: &mut HeaderMap, origin: &HeaderValue, tenant: Option<&Tenant>) {
    answer.append(header::VARY, HeaderValue::from_static("origin"));
    let listed = tenant.is_some_and(|tenant| {
        tenant.settings.cors_origins.iter().any(|known| known.as_bytes() == origin.as_bytes())
    });
    if listed {
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    }
}

/// Whether a request is a browser's question before the real one.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Answers a preflight: it names no tenant, so it is enough that some tenant lists the origin.
pub(super) async fn preflight(
    edge: &Edge,
    headers: &HeaderMap,
    allow: &HeaderValue,
) -> Result<Response, Problem> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(header::VARY, HeaderValue::from_static("origin, access-control-request-method"));
    answer.insert(header::ALLOW, allow.clone());
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(response) };
    let Ok(text) = origin.to_str() else { return Ok(response) };
    let known = edge
        .0
        .registry
        .knows_origin(text)
        .await
        .map_err(|error| Problem::new(codes::IDENTITY_UNAVAILABLE).because(error))?;
    if known {
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow.clone());
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
    Ok(response)
}

/// Whether the operation may be called across origins at all: the API may, pages and probes may not.
pub(super) fn applies(op: &Op) -> bool {
    !op.at_root
}
