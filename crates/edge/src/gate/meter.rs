//! What a request has cost its tenant.

use std::{sync::Arc, time::Instant};

use axum::{
    body::{Body, HttpBody as _},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use kernel::{TenantId, Timestamp};

use super::admit::Admitted;
use crate::{Edge, Meter, Used};

/// What is known of a request when its handler begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    pub(super) at: Instant,
    /// Bytes of its body.
    pub(super) received: u64,
}

/// Counts a request that has reached its handler, and what goes out as it goes out.
pub(super) fn measure(edge: &Edge, known: &Admitted, response: Response) -> Response {
    let (Some(tenant), Some(begun), Some(meter)) = (&known.tenant, known.begun, edge.0.meter.as_ref()) else {
        return response;
    };
    let (tenant, now) = (tenant.id, edge.0.clock.now());
    let whole = response.body().size_hint().exact();
    let (sent, received) = (whole.unwrap_or(0), begun.received);
    meter.add(tenant, now, Used { calls: 1, received, sent, worked: begun.at.elapsed() });
    if whole.is_some() { response } else { count_as_sent(meter.clone(), tenant, now, response) }
}

/// Of an answer that is made while it is sent, only what was taken counts.
fn count_as_sent(meter: Arc<dyn Meter>, tenant: TenantId, at: Timestamp, response: Response) -> Response {
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let sent = frame.data_ref().map_or(0, Bytes::len) as u64;
            meter.add(tenant, at, Used { sent, ..Used::default() });
            frame
        }))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Counting(Mutex<Vec<(TenantId, Used)>>);

    impl Meter for Counting {
        fn add(&self, tenant: TenantId, _at: Timestamp, used: Used) {
            self.0.lock().unwrap().push((tenant, used));
        }
    }

    // PLT-8
    #[tokio::test]
    async fn of_an_answer_that_is_made_while_it_is_sent_what_was_taken_counts() {
        let (meter, tenant) = (Arc::new(Counting::default()), TenantId::new());
        let chunks = ["one", "three", "never taken"].map(|chunk| Ok::<_, std::io::Error>(Bytes::from(chunk)));
        let body = Body::from_stream(futures::stream::iter(chunks));
        assert_eq!(body.size_hint().exact(), None);
        let counted = count_as_sent(meter.clone(), tenant, Timestamp::UNIX_EPOCH, Response::new(body));
        let mut body = counted.into_body();
        for _ in 0..2 {
            assert!(body.frame().await.unwrap().is_ok());
        }
        drop(body);
        let sent = |bytes| (tenant, Used { sent: bytes, ..Used::default() });
        assert_eq!(*meter.0.lock().unwrap(), [sent(3), sent(5)]);
    }
}
