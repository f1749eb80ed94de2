//! HTTP-11: time and room are bounded; what is beyond is told to come again.

use std::{sync::Arc, time::Duration};

use axum::extract::State;
use edge::{EdgeConfig, Op, Reply, Routes};
use tokio::sync::Notify;

use crate::world::{Call, THING, World};

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
    let config = EdgeConfig { max_in_flight: 1, ..EdgeConfig::default() };
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

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_stopped() {
    let gates = Gates::default();
    let world = World::with(EdgeConfig::default(), vec![slow_routes(&gates)]);
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
    let world = World::with(EdgeConfig::default(), vec![slow_routes(&gates)]);
    let gone = tokio::time::timeout(Duration::from_millis(1), world.send(Call::get("/api/v1/slow"))).await;
    assert!(gone.is_err());
    assert_eq!(world.edge.in_flight(), 0);
}

#[test]
fn settings_beyond_their_bounds_are_refused() {
    assert_eq!(EdgeConfig::default().validate(), Ok(()));
    let wrong = EdgeConfig { idempotency_keep_hours: 12, ..EdgeConfig::default() };
    assert!(wrong.validate().unwrap_err().contains("between 24 and 72"));
    assert!(EdgeConfig { max_in_flight: 0, ..EdgeConfig::default() }.validate().is_err());
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
