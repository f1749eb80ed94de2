//! HTTP-1, HTTP-3, HTTP-9: what every answer carries, and what only known origins get.

use http::Method;

use crate::world::{Call, World};

#[tokio::test]
async fn every_answer_carries_versions_correlation_and_protection() {
    let world = World::new();
    let calls = [
        Call::get("/api/v1/open"),
        Call::get("/api/v1/things"),
        Call::get("/api/v1/nowhere"),
        Call::new(Method::PATCH, "/api/v1/things"),
        Call::get("/api/openapi.json"),
    ];
    for call in calls {
        let answer = world.send(call).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert!(answer.header("permissions-policy").contains("camera=()"));
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
        assert_eq!(answer.header("x-correlation-id").len(), 32);
        assert!(!answer.header("cache-control").is_empty());
        assert_eq!(answer.header("strict-transport-security"), "");
    }
    assert_eq!(world.send(Call::get("/api/v1/open")).await.header("x-api-versions"), "v1");
}

#[tokio::test]
async fn transport_security_is_promised_when_clients_come_by_tls() {
    let config = edge::EdgeConfig { https: true, ..crate::world::unlimited() };
    let world = World::with(config, Vec::new());
    let answer = world.send(Call::get("/api/v1/open")).await;
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
}

// HTTP-3
#[tokio::test]
async fn correlation_and_trace_reach_the_handler_and_come_back() {
    let world = World::new();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let call = Call::get("/api/v1/me").token("acme-*").header("x-correlation-id", "till-7.42");
    let answer = world.send(call.header("traceparent", trace)).await.is(200, "");
    assert_eq!(answer.header("x-correlation-id"), "till-7.42");
    assert_eq!(answer.json["correlationId"], "till-7.42");
    let continued = answer.json["trace"].as_str().unwrap();
    assert!(continued.starts_with(&trace[..36]) && continued.ends_with("-01"));
    assert_ne!(continued, trace);
    let failed = world.send(Call::get("/api/v1/me").header("traceparent", trace)).await;
    assert_eq!(failed.json["traceId"], "0af7651916cd43dd8448eb211c80319c");
}

// HTTP-9
#[tokio::test]
async fn only_the_tenants_own_origins_may_read_answers() {
    let world = World::new();
    let call = |origin: &str| Call::get("/api/v1/things").token("acme-*").header("origin", origin);
    let known = world.send(call("https://acme.example")).await.is(200, "");
    assert_eq!(known.header("access-control-allow-origin"), "https://acme.example");
    assert!(known.header("access-control-expose-headers").contains("etag"));
    assert_eq!(known.header("vary"), "origin");
    for origin in
        ["https://bolt.example", "https://evil.example", "null", "https://acme.example.evil.example"]
    {
        let unknown = world.send(call(origin)).await;
        assert_eq!(unknown.header("access-control-allow-origin"), "", "{origin}");
    }
    let refused = Call::get("/api/v1/things").tenant("acme").header("origin", "https://acme.example");
    let refused = world.send(refused).await.is(401, "UNAUTHENTICATED");
    assert_eq!(refused.header("access-control-allow-origin"), "https://acme.example");
}

// HTTP-9
#[tokio::test]
async fn a_preflight_is_answered_for_known_origins_only() {
    let world = World::new();
    let preflight = |origin: &str| {
        Call::new(Method::OPTIONS, "/api/v1/things")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let known = world.send(preflight("https://bolt.example")).await;
    assert_eq!(known.status, 204);
    assert_eq!(known.header("access-control-allow-origin"), "https://bolt.example");
    assert_eq!(known.header("access-control-allow-methods"), "GET, HEAD, POST");
    assert!(known.header("access-control-allow-headers").contains("idempotency-key"));
    let unknown = world.send(preflight("https://evil.example")).await;
    assert_eq!(unknown.status, 204);
    assert_eq!(unknown.header("access-control-allow-origin"), "");
    assert_eq!(unknown.header("access-control-allow-methods"), "");
}
