//! What a request has cost its tenant.

use std::time::Instant;

use axum::{
    body::{Body, HttpBody as _},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt as _;

use super::admit::Admitted;
use crate::{Edge, Used};

/// What is known of a request when its handler begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    pub(super) at: Instant,
    /// Bytes of its body.
    pub(super) received: u64,
}

/// Counts a request that has reached its handler, and what goes out as it goes out; charges the tenant with what it cost.
pub(super) fn measure(edge: &Edge, known: &Admitted, response: Response) -> Response {
    let (Some(tenant), Some(begun)) = (&known.tenant, known.begun) else { return response };
    let now = edge.0.clock.now();
    // Strangers cost the tenant nothing: else anybody could use its budget up.
    let charged = known.principal.is_some();
    let whole = response.body().size_hint().exact();
    let (sent, received) = (whole.unwrap_or(0), begun.received);
    let spent = edge.0.limits.charge(tenant, if charged { sent } else { 0 }, now);
    if let Some(meter) = &edge.0.meter {
        let worked = begun.at.elapsed();
        meter.add(tenant.id, now, Used { calls: 1, received, sent, worked, spent });
    }
    if whole.is_some() {
        return response;
    }
    let (edge, tenant) = (edge.clone(), tenant.clone());
    count_as_sent(response, move |sent| {
        let spent = edge.0.limits.charge(&tenant, if charged { sent } else { 0 }, edge.0.clock.now());
        if let Some(meter) = &edge.0.meter {
            meter.add(tenant.id, now, Used { sent, spent, ..Used::default() });
        }
    })
}

/// Of an answer that is made while it is sent, only what was taken counts.
fn count_as_sent(response: Response, count: impl Fn(u64) + Send + 'static) -> Response {
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            count(frame.data_ref().map_or(0, Bytes::len) as u64);
            frame
        }))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    // PLT-8
    #[tokio::test]
    async fn of_an_answer_that_is_made_while_it_is_sent_what_was_taken_counts() {
        let counted = Arc::new(Mutex::new(Vec::new()));
        let chunks = ["one", "three", "never taken"].map(|chunk| Ok::<_, std::io::Error>(Bytes::from(chunk)));
        let body = Body::from_stream(futures::stream::iter(chunks));
        assert_eq!(body.size_hint().exact(), None);
        let counting = counted.clone();
        let answer = count_as_sent(Response::new(body), move |sent| counting.lock().unwrap().push(sent));
        let mut body = answer.into_body();
        for _ in 0..2 {
            assert!(body.frame().await.unwrap().is_ok());
        }
        drop(body);
        assert_eq!(*counted.lock().unwrap(), [3, 5]);
    }
}
