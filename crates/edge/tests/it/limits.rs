//! HTTP-11: time and room are bounded; what is beyond is told to come again.

use std::{sync::Arc, time::Duration};

use axum::extract::State;
use edge::{EdgeConfig, Op, RawBody, Reply, Routes};
use http::Method;
use tokio::sync::Notify;

use crate::world::{Call, THING, World, unlimited};

#[derive(Clone, Default)]
struct Gates {
    entered: Arc<Notify>,
    open: Arc<Notify>,
}

fn slow_routes(gates: &Gates) -> Routes<()> {
    async fn wait(State(gates): State<Gates>) -> Reply {
        gates.entered.notify_one();
        gates.open.notified().await;
        Reply::no_content()
    }
    Routes::new("Slow")
        .add(Op::get("/slow", "get_slow", "Waits").public().returns_nothing(204), wait)
        .with_state(gates.clone())
}

#[tokio::test]
async fn beyond_the_bound_requests_are_shed_and_come_in_again_later() {
    let gates = Gates::default();
    let config = EdgeConfig { max_in_flight: 1, ..unlimited() };
    let world = Arc::new(World::with(config, vec![slow_routes(&gates)]));
    let first = tokio::spawn({
        let world = world.clone();
        async move { world.send(Call::get("/api/v1/slow")).await.status }
    });
    gates.entered.notified().await;
    let shed = world.send(Call::get("/api/v1/open")).await.is(503, "OVERLOADED");
    assert_eq!(shed.header("retry-after"), "1");
    gates.open.notify_one();
    assert_eq!(first.await.unwrap(), 204);
    world.send(Call::get("/api/v1/open")).await.is(200, "");
    assert_eq!(world.edge.in_flight(), 0);
}

/// Takes bodies of up to 4 MiB and keeps them until its gate opens.
fn large_routes(gates: &Gates) -> Routes<()> {
    async fn keep(State(gates): State<Gates>, RawBody(body): RawBody) -> Reply {
        gates.entered.notify_one();
        gates.open.notified().await;
        Reply::ok(&body.len())
    }
    let op = Op::post("/large", "keep_large", "Keeps a body").public().returns::<serde_json::Value>(200);
    Routes::new("Large").add(op.body_raw("text/csv").body_limit(4 << 20), keep).with_state(gates.clone())
}

fn large(bytes: usize, declared: bool) -> Call {
    let call = Call::new(Method::POST, "/api/v1/large").header("content-type", "text/csv");
    let call = if declared { call.header("content-length", &bytes.to_string()) } else { call };
    let frames = vec![vec![b'x'; bytes / 4]; 4].into_iter().map(Ok::<_, std::io::Error>);
    call.body(axum::body::Body::from_stream(futures::stream::iter(frames)))
}

// HTTP-11: memory for large bodies is bounded over all requests.
#[tokio::test]
async fn large_bodies_beyond_the_memory_for_them_are_shed_before_they_are_read() {
    let gates = Gates::default();
    let config = EdgeConfig { large_bodies_mib: 4, ..unlimited() };
    let world = Arc::new(World::with(config, vec![large_routes(&gates)]));
    let first = tokio::spawn({
        let world = world.clone();
        async move { world.send(large(3 << 20, true)).await.is(200, "").json }
    });
    gates.entered.notified().await;
    let shed = world.send(large(2 << 20, true)).await.is(503, "OVERLOADED");
    assert_eq!(shed.header("retry-after"), "1");
    // One that does not say how large it is may become as large as allowed.
    world.send(large(2 << 20, false)).await.is(503, "OVERLOADED");
    gates.open.notify_one();
    assert_eq!(first.await.unwrap(), 3 << 20);
    for (bytes, declared) in [(1 << 20, false), (4 << 20, true), (4 << 20, false)] {
        gates.open.notify_one();
        assert_eq!(world.send(large(bytes, declared)).await.is(200, "").json, bytes);
    }
    world.send(large((4 << 20) + 4, true)).await.is(413, "PAYLOAD_TOO_LARGE");
    world.send(large((4 << 20) + 4, false)).await.is(413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_stopped() {
    let gates = Gates::default();
    let world = World::with(unlimited(), vec![slow_routes(&gates)]);
    let answer = world.send(Call::get("/api/v1/slow")).await.is(503, "REQUEST_TIMEOUT");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(world.edge.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    let world = World::new();
    let never = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let call = Call::post("/api/v1/things").token("acme-*").key("k");
    let call = call.json(axum::body::Body::from_stream(never));
    world.send(call).await.is(408, "BODY_TIMEOUT");
}

#[tokio::test]
async fn a_client_that_goes_away_gives_its_place_back() {
    let gates = Gates::default();
    let world = World::with(unlimited(), vec![slow_routes(&gates)]);
    let gone = tokio::time::timeout(Duration::from_millis(1), world.send(Call::get("/api/v1/slow"))).await;
    assert!(gone.is_err());
    assert_eq!(world.edge.in_flight(), 0);
}

#[test]
fn settings_beyond_their_bounds_are_refused() {
    assert_eq!(EdgeConfig::default().validate(), Ok(()));
    let wrong = EdgeConfig { idempotency_keep_hours: 12, ..unlimited() };
    assert!(wrong.validate().unwrap_err().contains("between 24 and 72"));
    assert!(EdgeConfig { max_in_flight: 0, ..unlimited() }.validate().is_err());
    assert!(EdgeConfig { large_bodies_mib: 63, ..unlimited() }.validate().is_err());
    assert_eq!(edge::serve::ServeConfig::default().validate(), Ok(()));
    let wrong = edge::serve::ServeConfig { max_head_bytes: 1, ..Default::default() };
    assert!(wrong.validate().is_err());
}

#[tokio::test]
async fn a_body_within_the_limits_is_whole() {
    let world = World::new();
    let call = Call::post("/api/v1/things").token("acme-*").key("k").json(THING);
    assert_eq!(world.send(call).await.is(201, "").json["displayName"], "Lamp");
}
