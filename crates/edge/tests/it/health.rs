//! HTTP-12: alive, ready, in detail for operators only.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use edge::{
    Api, Edge, EdgeConfig,
    health::{Check, Finding, Health, TenantCheck},
    telemetry::Metrics,
};
use kernel::{Clock, Tenant};

use crate::world::{Call, FakeIdentity, FakeRegistry, World};

struct Database(Arc<AtomicBool>);

#[async_trait]
impl Check for Database {
    fn name(&self) -> &str {
        "database"
    }

    async fn check(&self) -> Finding {
        if self.0.load(Ordering::SeqCst) { Finding::up() } else { Finding::down("no connection") }
    }
}

struct Cache;

#[async_trait]
impl Check for Cache {
    fn name(&self) -> &str {
        "cache"
    }

    fn is_critical(&self) -> bool {
        false
    }

    async fn check(&self) -> Finding {
        Finding::down("not there")
    }
}

struct Hangs;

#[async_trait]
impl Check for Hangs {
    fn name(&self) -> &str {
        "hangs"
    }

    async fn check(&self) -> Finding {
        std::future::pending().await
    }
}

struct PerTenant;

#[async_trait]
impl TenantCheck for PerTenant {
    async fn check(&self, _tenant: &Arc<Tenant>) -> BTreeMap<String, Finding> {
        BTreeMap::from([("database".to_owned(), Finding::up())])
    }
}

fn world(checks: Vec<Box<dyn Check>>) -> World {
    world_with(checks, None)
}

fn world_with(checks: Vec<Box<dyn Check>>, metrics: Option<Metrics>) -> World {
    // Calls of these tests come without a network, so no address is the operator's.
    let mut world = World::new();
    let edge = Edge::new(
        EdgeConfig::default(),
        Arc::new(FakeIdentity),
        Arc::new(FakeRegistry::default()),
        world.events.clone(),
        Clock::system(),
    );
    let health = Health::new(&edge, checks, Some(Box::new(PerTenant)), metrics);
    world.router = Api::new([health.routes()]).unwrap().into_router(&edge);
    world.edge = edge;
    world
}

#[tokio::test]
async fn liveness_asks_nobody_and_readiness_asks_what_is_critical() {
    let up = Arc::new(AtomicBool::new(false));
    let world = world(vec![Box::new(Database(up.clone())), Box::new(Cache)]);
    assert_eq!(world.send(Call::get("/health/live")).await.is(200, "").json["status"], "alive");
    let unready = world.send(Call::get("/health/ready")).await.is(503, "");
    assert_eq!(unready.json, serde_json::json!({ "status": "unready" }), "nothing in detail for everybody");
}

#[tokio::test]
async fn readiness_ends_when_draining_begins() {
    let up = Arc::new(AtomicBool::new(true));
    let world = world(vec![Box::new(Database(up))]);
    assert_eq!(world.send(Call::get("/health/ready")).await.is(200, "").json["status"], "ready");
    world.edge.drain();
    assert_eq!(world.send(Call::get("/health/ready")).await.is(503, "").json["status"], "draining");
    world.send(Call::get("/health/live")).await.is(200, "");
}

#[tokio::test]
async fn details_need_the_permission_outside_the_operators_network() {
    let up = Arc::new(AtomicBool::new(true));
    let world = world(vec![Box::new(Database(up)), Box::new(Cache)]);
    for path in ["/health", "/health/tenant/acme", "/metrics"] {
        world.send(Call::get(path)).await.is(401, "UNAUTHENTICATED");
        world.send(Call::get(path).token("acme-*")).await.is(403, "PERMISSION_DENIED");
    }
    let detailed = world.send(Call::get("/health").token("platform-platform:health")).await.is(200, "");
    assert_eq!(detailed.json["status"], "degraded");
    assert_eq!(detailed.json["checks"]["cache"]["condition"], "down");
    assert_eq!(detailed.json["checks"]["database"]["condition"], "up");
    let tenant = world.send(Call::get("/health/tenant/acme").token("platform-platform:*")).await.is(200, "");
    assert_eq!(tenant.json["checks"]["database"]["condition"], "up");
    world.send(Call::get("/health/tenant/nobody").token("platform-platform:*")).await.is(404, "NOT_FOUND");
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_does_not_answer_counts_as_down() {
    let world = world(vec![Box::new(Hangs)]);
    let answer = world.send(Call::get("/health").token("platform-platform:health")).await.is(503, "");
    assert_eq!(answer.json["checks"]["hangs"]["condition"], "down");
}

// OBS-1
#[tokio::test]
async fn requests_are_counted_by_route_and_unknown_paths_make_no_new_labels() {
    let world = world_with(vec![Box::new(Cache)], Some(Metrics::install().unwrap()));
    world.send(Call::get("/health/live")).await.is(200, "");
    world.send(Call::get("/nowhere/CANARY")).await.is(404, "NOT_FOUND");
    world.send(Call::new(http::Method::PATCH, "/health/live")).await.is(405, "METHOD_NOT_ALLOWED");
    let shown = world.send(Call::get("/metrics").token("platform-platform:health")).await.is(200, "");
    let text = String::from_utf8(shown.body).unwrap();
    for line in [
        r#"markethall_http_requests_total{route="/health/live",method="GET",status="200",tier="none"}"#,
        r#"markethall_http_requests_total{route="/health/live",method="other",status="405",tier="none"}"#,
        r#"markethall_http_requests_total{route="unmatched",method="GET",status="404",tier="none"}"#,
        "markethall_http_request_duration_seconds_bucket{",
        "markethall_http_requests_in_flight 1",
        "markethall_ready 1",
        "markethall_draining 0",
        r#"markethall_health_condition{check="cache"} 2"#,
        // Probes are no work.
        r#"markethall_http_responses_total{class="2xx",tier="none"} 0"#,
        r#"markethall_limits_refused_total{policy="tenant"} 0"#,
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains("CANARY"));
    world.edge.drain();
    let shown = world.send(Call::get("/metrics").token("platform-platform:health")).await.is(200, "");
    let text = String::from_utf8(shown.body).unwrap();
    assert!(text.contains("markethall_ready 0") && text.contains("markethall_draining 1"), "{text}");
}
