//! IDN-5: API keys of a tenant.

use serde_json::json;

use crate::world::{World, eventually};

fn key(permissions: &[&str]) -> serde_json::Value {
    json!({ "name": "ERP", "permissions": permissions, "expiresInDays": 30 })
}

// IDN-5
#[tokio::test]
async fn a_key_is_shown_once_stored_hashed_and_does_what_it_may() {
    let world = World::start().await;
    world.tenant("acme").await;
    let admin = world.admin("acme").await;
    let made = admin.post("/api-keys", key(&["staff:read"])).await.is(201);
    let secret = made.text("/secret").to_owned();
    assert!(secret.starts_with("mhk_") && secret.len() == 74, "{secret}");
    let program = world.stranger().with_token(&secret);
    program.get("/staff").await.is(200);
    program.post("/api-keys", key(&["staff:read"])).await.is_problem(403, "PERMISSION_DENIED");
    let me = program.get("/me").await.is(200);
    assert_eq!((me.text("/id"), me.text("/tenant")), (made.text("/id"), "acme"));

    let listed = admin.get("/api-keys").await.is(200);
    assert_eq!(listed.text("/items/0/id"), made.text("/id"));
    let shown = admin.get(&format!("/api-keys/{}", made.text("/id"))).await.is(200);
    assert!(
        !shown.json.to_string().contains(&secret[31..]) && !listed.json.to_string().contains(&secret[31..])
    );
    let stored = world.ask("select string_agg(k::text, '') from control.api_key as k").await;
    assert!(!stored.contains(&secret[31..]), "{stored}");
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_in_every_process() {
    let world = World::start().await;
    world.tenant("acme").await;
    let (_other, client, _heard) = world.other_process().await;
    let admin = world.admin("acme").await;
    let made = admin.post("/api-keys", key(&["staff:read"])).await.is(201);
    let (here, there) =
        (world.stranger().with_token(made.text("/secret")), client.with_token(made.text("/secret")));
    here.get("/staff").await.is(200);
    there.get("/staff").await.is(200);
    let path = format!("/api-keys/{}", made.text("/id"));
    admin.delete(&path).await.is(204);
    here.get("/staff").await.is_problem(401, "UNAUTHENTICATED");
    eventually(async || there.get("/staff").await.status == 401).await;
    admin.delete(&path).await.is(204);
    assert!(!admin.get(&path).await.is(200).text("/revokedAt").is_empty());
}

#[tokio::test]
async fn a_key_ends_by_itself_and_shows_when_it_was_used_last() {
    let world = World::start().await;
    world.tenant("acme").await;
    let made = world.admin("acme").await.post("/api-keys", key(&["staff:read"])).await.is(201);
    let program = world.stranger().with_token(made.text("/secret"));
    program.get("/staff").await.is(200);
    world.clock.advance_seconds(90);
    program.get("/staff").await.is(200);
    world.control.flush().await.unwrap();
    let path = format!("/api-keys/{}", made.text("/id"));
    let shown = world.admin("acme").await.get(&path).await.is(200);
    assert_eq!(shown.text("/lastUsedAt"), "2026-11-21T10:01:30Z");
    world.clock.advance_seconds(30 * 86_400);
    program.get("/staff").await.is_problem(401, "TOKEN_EXPIRED");
}

#[tokio::test]
async fn a_key_may_never_do_more_than_its_maker() {
    let world = World::start().await;
    let acme = world.tenant("acme").await;
    let lead = world.with(Some(acme), &["keys:*", "sales:read"]).await;
    for more in ["sales:void", "sales:*", "*"] {
        lead.post("/api-keys", key(&[more])).await.is_problem(403, "PERMISSION_BEYOND_YOURS");
    }
    world
        .admin("acme")
        .await
        .post("/api-keys", key(&["platform:*"]))
        .await
        .is_problem(422, "UNKNOWN_PERMISSION");
    let made = lead.post("/api-keys", key(&["keys:*", "sales:read"])).await.is(201);
    let program = world.stranger().with_token(made.text("/secret"));
    program.post("/api-keys", key(&["sales:void"])).await.is_problem(403, "PERMISSION_BEYOND_YOURS");
}

#[tokio::test]
async fn invented_changed_and_foreign_keys_are_refused() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.tenant("bolt").await;
    let made = world.admin("acme").await.post("/api-keys", key(&["staff:read"])).await.is(201);
    let secret = made.text("/secret");
    let mut changed = secret.to_owned();
    changed.replace_range(40..41, if &secret[40..41] == "A" { "B" } else { "A" });
    for text in [changed.as_str(), &secret[..60], "mhk_", "mhk_00000000000000000000000000_x"] {
        world.stranger().with_token(text).get("/staff").await.is_problem(401, "UNAUTHENTICATED");
    }
    // A key of ours whose secret is not the one stored.
    let spare = world.admin("acme").await.post("/api-keys", key(&["staff:read"])).await.is(201);
    let swap = "update control.api_key set secret_hash = sha256('x') \
                where id = (select max(id::text)::uuid from control.api_key)";
    world.sql(swap).await;
    world.stranger().with_token(spare.text("/secret")).get("/staff").await.is_problem(401, "UNAUTHENTICATED");
    world
        .stranger()
        .with_token(secret)
        .with_tenant("bolt")
        .get("/staff")
        .await
        .is_problem(403, "TENANT_MISMATCH");
    world
        .admin("bolt")
        .await
        .get(&format!("/api-keys/{}", made.text("/id")))
        .await
        .is_problem(404, "NOT_FOUND");
    world
        .admin("bolt")
        .await
        .delete(&format!("/api-keys/{}", made.text("/id")))
        .await
        .is_problem(404, "NOT_FOUND");
}

// A key that was verified goes on while the control database is away.
#[tokio::test]
async fn a_known_key_works_on_while_the_control_database_is_away() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.listen();
    let made = world.admin("acme").await.post("/api-keys", key(&["staff:read"])).await.is(201);
    let program = world.stranger().with_token(made.text("/secret"));
    program.get("/me").await.is(200);
    world.control_database_answers(false).await;
    for _ in 0..5 {
        program.get("/me").await.is(200);
    }
    world.control_database_answers(true).await;
    eventually(async || program.get("/staff").await.status == 200).await;
}
