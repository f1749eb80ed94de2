//! Who gets in: tokens, tenants, permissions (IDN-3, IDN-4), and what is recorded when somebody does not.

use edge::SecurityEventKind;

use crate::world::{Call, World};

#[tokio::test]
async fn without_a_token_nothing_but_the_public_answers() {
    let world = World::new();
    for path in
        ["/api/v1/things", "/api/v1/things/thg_00000000000000000000000001", "/api/v1/me", "/api/v1/platform"]
    {
        let answer = world.send(Call::get(path)).await.is(401, "UNAUTHENTICATED");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    world.send(Call::get("/api/v1/open")).await.is(200, "");
}

#[tokio::test]
async fn bad_tokens_are_refused_each_for_its_reason() {
    let world = World::new();
    let cases = [
        ("forged", 401, "UNAUTHENTICATED"),
        ("expired", 401, "TOKEN_EXPIRED"),
        ("away", 503, "IDENTITY_UNAVAILABLE"),
    ];
    for (token, status, code) in cases {
        world.send(Call::get("/api/v1/things").token(token)).await.is(status, code);
    }
    for credentials in ["Basic YTpi", "Bearer", "Bearer ", "acme-*"] {
        let call = Call::get("/api/v1/things").header("authorization", credentials);
        world.send(call).await.is(401, "UNAUTHENTICATED");
    }
    let kinds: Vec<_> = world.events.0.lock().unwrap().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [SecurityEventKind::TokenRefused, SecurityEventKind::TokenRefused]);
}

// IDN-3
#[tokio::test]
async fn a_token_opens_its_own_tenant_and_no_other() {
    let world = World::new();
    let things = || Call::get("/api/v1/things").token("acme-things:read");
    world.send(things()).await.is(200, "");
    world.send(things().tenant("acme")).await.is(200, "");
    world.send(things().tenant("bolt")).await.is(403, "TENANT_MISMATCH");
    world.send(things().tenant("nobody")).await.is(403, "TENANT_MISMATCH");
    world.send(things().tenant("No Body")).await.is(400, "VALIDATION_FAILED");
    let events = world.events.0.lock().unwrap();
    let found: Vec<_> = events.iter().map(|event| (event.kind, event.reason, event.operation)).collect();
    assert_eq!(
        found,
        [
            (SecurityEventKind::TenantMismatch, "token of another tenant", "list_things"),
            (SecurityEventKind::TenantMismatch, "unknown tenant", "list_things"),
        ]
    );
}

#[tokio::test]
async fn a_suspended_tenant_lets_nobody_in() {
    let world = World::new();
    world.send(Call::get("/api/v1/things").token("gone-*")).await.is(403, "TENANT_SUSPENDED");
    let open = world.send(Call::get("/api/v1/open").tenant("gone")).await.is(200, "");
    assert!(open.json["tenant"].is_null());
}

#[tokio::test]
async fn a_platform_token_needs_a_tenant_for_tenant_routes() {
    let world = World::new();
    let call = || Call::get("/api/v1/things").token("platform-things:read");
    world.send(call()).await.is(400, "TENANT_REQUIRED");
    world.send(call().tenant("bolt")).await.is(200, "");
    world.send(Call::get("/api/v1/me").token("platform-x")).await.is(200, "");
}

// IDN-4
#[tokio::test]
async fn a_route_opens_only_to_its_permission() {
    let world = World::new();
    let refused = world.send(Call::get("/api/v1/things").token("acme-things:write")).await;
    assert!(refused.is(403, "PERMISSION_DENIED").json["detail"].as_str().unwrap().contains("things:read"));
    world.send(Call::get("/api/v1/things").token("acme-things:*")).await.is(200, "");
    world.send(Call::get("/api/v1/platform").token("acme-*")).await.is(403, "PERMISSION_DENIED");
    world.send(Call::get("/api/v1/platform").token("platform-platform:things")).await.is(200, "");
}

#[tokio::test]
async fn permission_is_asked_before_the_body_is_looked_at() {
    let world = World::new();
    let call = Call::post("/api/v1/things").token("acme-things:read").body("not json");
    world.send(call).await.is(403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn a_security_event_carries_who_where_and_why_but_no_token() {
    let world = World::new();
    let call = Call::get("/api/v1/things").token("acme-none").header("user-agent", &"x".repeat(500));
    world.send(call.header("x-correlation-id", "abc")).await.is(403, "PERMISSION_DENIED");
    let events = world.events.0.lock().unwrap();
    let event = &events[0];
    assert_eq!((event.kind, event.reason), (SecurityEventKind::PermissionDenied, "things:read"));
    assert_eq!(&*event.correlation_id, "abc");
    assert!(event.tenant.is_some() && event.actor.is_some());
    assert_eq!(event.agent.as_ref().unwrap().len(), 200);
    assert!(!format!("{event:?}").contains("acme-none"));
}
