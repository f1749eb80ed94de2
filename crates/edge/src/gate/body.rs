//! Takes a whole body within its limits of size and time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;

use crate::{Problem, codes};

/// The body of a request; at most `limit` bytes within `time`.
pub(super) async fn collect(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    time: Duration,
) -> Result<Bytes, Problem> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    match tokio::time::timeout(time, read(body, limit)).await {
        Ok(taken) => taken,
        Err(_) => Err(Problem::new(codes::BODY_TIMEOUT)),
    }
}

async fn read(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    // The usual body is one frame, taken without copying.
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Problem::new(codes::BODY_TIMEOUT).detail("The connection broke before the body was complete.")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

fn too_large(limit: usize) -> Problem {
    Problem::new(codes::PAYLOAD_TOO_LARGE).detail(format!("The body may have at most {limit} bytes."))
}
