//! The whole program with NATS as its bus: trade goes on while it is away, and health says so (MSG-3, MSG-5).

use std::time::Duration;

use http::Method;
use serde_json::Value;
use testkit::NatsServer;

use crate::support::{Home, Ran, Server, World};

async fn messages(server: &Server) -> Value {
    let health = server.stranger().call(Method::GET, "/health").send().await.is(200).json;
    health["checks"]["messages"].clone()
}

/// Asks until the check of messages is `condition`.
async fn until(server: &Server, condition: &str) -> Value {
    let begun = std::time::Instant::now();
    loop {
        let found = messages(server).await;
        if found["condition"] == condition {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "not {condition}: {found}");
    }
}

// MSG-3, MSG-5, HTTP-12
#[tokio::test(flavor = "multi_thread")]
async fn trade_goes_on_while_nats_is_away_and_health_says_so() {
    let mut nats = NatsServer::start().unwrap();
    let (home, url) = (Home::furnished(), nats.url());
    let token = home.token(Some("acme"), &["*"]);
    let settings = [("MARKETHALL_MESSAGES__BUS", "nats"), ("MARKETHALL_MESSAGES__NATS__URL", url.as_str())];
    let server = Server::start_with(&home, &settings, &[]);
    let client = server.member("acme", &token);
    let world = World::make(&client, "Akanthus").await;
    let up = until(&server, "up").await;
    assert!(up["detail"].as_str().is_some_and(|text| text.contains("0 given up")), "{up}");
    nats.kill();
    let degraded = until(&server, "degraded").await;
    assert_eq!(degraded["detail"], "messages wait in their outbox: no connection");
    for _ in 0..5 {
        world.sell(&client, "1").await;
    }
    nats.restart().unwrap();
    until(&server, "up").await;
    let metrics = server.stranger().call(Method::GET, "/metrics").send().await.is(200);
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    for gauge in [
        "markethall_messages_bus_connected 1",
        "markethall_messages_backlog{",
        "markethall_messages_oldest_seconds{",
        "markethall_messages_dead_letters{",
    ] {
        assert!(metrics.contains(gauge), "no {gauge} in {metrics}");
    }
    home.assert_checks();
    server.stop();
    // Refused at start, in words.
    let wrong = [("MARKETHALL_MESSAGES__BUS", "nats"), ("MARKETHALL_MESSAGES__NATS__REPLICAS", "6")];
    let refused = Ran::of(home.command().envs(wrong).args(["config", "check"])).exits(2);
    assert!(refused.stderr.contains("messages.nats.replicas"), "{refused:?}");
}
