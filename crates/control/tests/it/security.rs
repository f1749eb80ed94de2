//! IDN-9: security events, queryable by the tenant and by the operator.

use serde_json::{Value, json};
use testkit::Answer;

use crate::world::{World, credentials};

fn kinds(page: &Answer) -> Vec<&str> {
    let items = page.json["items"].as_array().unwrap();
    items.iter().map(|item| item["kind"].as_str().unwrap()).collect()
}

fn key() -> Value {
    json!({ "name": "ERP", "permissions": ["staff:read"], "expiresInDays": 30 })
}

// IDN-9
#[tokio::test]
async fn a_tenant_sees_its_own_events_and_the_operator_everybodys() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.tenant("bolt").await;
    let acme = world.admin("acme").await;
    let bolt = world.admin("bolt").await;
    let made = acme.post("/api-keys", key()).await.is(201);
    acme.post("/roles", json!({ "name": "stock", "permissions": ["staff:read"] })).await.is(201);
    acme.delete(&format!("/api-keys/{}", made.text("/id"))).await.is(204);
    world.stranger().with_token("nonsense").get("/me").await.is(401);
    world.control.flush().await.unwrap();

    let seen = acme.get("/security-events").await.is(200);
    assert_eq!(kinds(&seen), ["key_changed", "role_changed", "key_changed", "sign_in_succeeded"]);
    let revoked = &seen.json["items"][0];
    assert_eq!(revoked["subject"], format!("/api/v1/api-keys/{}", made.text("/id")));
    assert_eq!(revoked["operation"], "revoke_api_key");
    assert!(revoked["actor"].as_str().unwrap().starts_with("usr_"));
    assert_eq!(kinds(&bolt.get("/security-events").await.is(200)), ["sign_in_succeeded"]);

    let operator = world.operator().await;
    let all = operator.get("/admin/security-events").await.is(200);
    assert_eq!(kinds(&all)[..2], ["token_refused", "key_changed"]);
    assert_eq!(all.json["items"].as_array().unwrap().len(), 6);
    let tenant = revoked["tenantId"].as_str().unwrap();
    let of_acme =
        operator.get(&format!("/admin/security-events?tenant={tenant}&kind=role_changed")).await.is(200);
    assert_eq!(kinds(&of_acme), ["role_changed"]);
    acme.get("/admin/security-events").await.is_problem(403, "PERMISSION_DENIED");
}

// IDN-9
#[tokio::test]
async fn events_are_found_by_who_when_and_what_and_come_in_pages() {
    let world = World::start().await;
    world.tenant("acme").await;
    let admin = world.admin("acme").await;
    for _ in 0..3 {
        admin.post("/api-keys", key()).await.is(201);
    }
    world.control.flush().await.unwrap();
    let first = admin.get("/security-events?limit=3").await.is(200);
    assert_eq!(kinds(&first).len(), 3);
    let rest =
        admin.get(&format!("/security-events?limit=3&cursor={}", first.text("/nextCursor"))).await.is(200);
    assert_eq!(kinds(&rest), ["sign_in_succeeded"]);
    assert!(rest.json["nextCursor"].is_null());
    let actor = first.text("/items/0/actor");
    assert_eq!(kinds(&admin.get(&format!("/security-events?actor={actor}")).await.is(200)).len(), 4);
    for (query, found) in [
        ("actor=usr_nobody", 0),
        ("from=2026-11-21T09:59:00Z&to=2026-11-21T10:01:00Z", 4),
        ("to=2026-11-21T10:00:00Z", 0),
        ("from=2026-11-21T10:01:00Z", 0),
        ("kind=sign_in_failed", 0),
    ] {
        let page = admin.get(&format!("/security-events?{query}")).await.is(200);
        assert_eq!(kinds(&page).len(), found, "{query}");
    }
    for (query, status) in
        [("kind=nonsense", 400), ("from=yesterday", 400), ("limit=0", 400), ("cursor=x", 404)]
    {
        assert_eq!(admin.get(&format!("/security-events?{query}")).await.status, status, "{query}");
    }
}

// IDN-9
#[tokio::test]
async fn a_flood_of_bad_tokens_is_one_event_with_a_count() {
    let world = World::start().await;
    for _ in 0..50 {
        world.stranger().with_token("nonsense").get("/me").await.is(401);
    }
    world.control.flush().await.unwrap();
    let counted = "select string_agg(kind || ' ' || times, ',') from control.security_event";
    assert_eq!(world.ask(counted).await, "token_refused 50");
}

// IDN-9
#[tokio::test]
async fn whoever_tries_out_ids_is_noted() {
    let world = World::start().await;
    world.tenant("acme").await;
    let admin = world.admin("acme").await;
    for number in 0..40 {
        admin.get(&format!("/roles/nothing{number}")).await.is(404);
    }
    world.control.flush().await.unwrap();
    let seen = admin.get("/security-events?kind=ids_guessed").await.is(200);
    assert_eq!(seen.json["items"].as_array().unwrap().len(), 1);
    assert_eq!(seen.text("/items/0/operation"), "get_role");
    // Signing in again is no guess.
    world.sign_in(credentials("admin@acme.test")).await.is(200);
}
