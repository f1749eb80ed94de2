//! Takes a whole body within its limits of size, room and time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;

use super::room::{Place, Room, SMALL_BYTES};
use crate::{Problem, codes};

/// The body of a request; at most `limit` bytes within `time`. More than 1 MiB is read only with a place in `room`, kept
/// until the last of the body is dropped.
pub(super) async fn collect(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    time: Duration,
    room: &Room,
) -> Result<Bytes, Problem> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let place = match declared {
        Some(large) if large > SMALL_BYTES => Some(room.take(large).ok_or_else(no_room)?),
        _ => None,
    };
    let reading = Reading { limit, expected: declared.unwrap_or(0), room, place };
    match tokio::time::timeout(time, reading.run(body)).await {
        Ok(taken) => taken,
        Err(_) => Err(Problem::new(codes::BODY_TIMEOUT)),
    }
}

struct Reading<'a> {
    limit: usize,
    /// Bytes that are to come; 0 when the client has not said.
    expected: usize,
    room: &'a Room,
    place: Option<Place>,
}

impl Reading<'_> {
    /// Reads to the end.
    async fn run(mut self, mut body: Body) -> Result<Bytes, Problem> {
        // The usual body is one frame, taken without copying.
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| {
                Problem::new(codes::BODY_TIMEOUT).detail("The connection broke before the body was complete.")
            })?;
            let Ok(data) = frame.into_data() else { continue };
            let length = first.len() + whole.len() + data.len();
            self.admit(length)?;
            if length == data.len() {
                first = data;
                continue;
            }
            if whole.is_empty() {
                // Made once in its full size: growing would hold the body twice for a while.
                whole.reserve(self.expected.clamp(length, self.limit));
                whole.extend_from_slice(&std::mem::take(&mut first));
            }
            whole.extend_from_slice(&data);
        }
        let taken = if whole.is_empty() { first } else { whole.freeze() };
        Ok(match self.place {
            Some(place) => place.hold(taken),
            None => taken,
        })
    }

    /// Whether the body may have become so long.
    fn admit(&mut self, length: usize) -> Result<(), Problem> {
        if length > self.limit {
            return Err(too_large(self.limit));
        }
        if length > SMALL_BYTES && self.place.is_none() {
            // It has not said how long it is, so it may become as long as it is allowed to.
            self.place = Some(self.room.take(self.limit).ok_or_else(no_room)?);
        }
        Ok(())
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(codes::PAYLOAD_TOO_LARGE).detail(format!("The body may have at most {limit} bytes."))
}

fn no_room() -> Problem {
    Problem::new(codes::OVERLOADED).detail("Other large bodies take all the memory there is for them.")
}
