//! IDN-4: the staff of a tenant.

use serde_json::json;

use crate::world::{PASSWORD, World, accepting, credentials};

// IDN-4
#[tokio::test]
async fn somebody_is_taken_on_promoted_dismissed_and_taken_back() {
    let world = World::start().await;
    world.tenant("acme").await;
    let admin = world.admin("acme").await;
    let made = admin
        .post("/staff", json!({ "email": "bob@acme.test", "name": "Bob", "role": "cashier" }))
        .await
        .is(201);
    let password = made.text("/initialPassword").to_owned();
    let sign_in = json!({ "email": "bob@acme.test", "password": password });
    let bob = world.sign_in(sign_in.clone()).await.is(200);
    assert_eq!(bob.text("/role"), "cashier");
    let client = world.stranger().with_token(bob.text("/accessToken"));
    client.get("/staff").await.is_problem(403, "PERMISSION_DENIED");

    let path = format!("/staff/{}", made.text("/id"));
    let put = |etag: &str, role: &str, active: bool| {
        let body = json!({ "role": role, "active": active });
        admin.api(http::Method::PUT, &path).header("if-match", etag).json(&body).send()
    };
    let promoted = put(made.header("etag"), "manager", true).await.is(200);
    put(made.header("etag"), "manager", true).await.is_problem(412, "PRECONDITION_FAILED");
    // The old rights end at once; refreshing brings the new ones.
    client.get("/me").await.is(401);
    let again = world.sign_in(json!({ "refreshToken": bob.text("/refreshToken") })).await.is(200);
    world.stranger().with_token(again.text("/accessToken")).get("/staff").await.is(200);

    let dismissed = put(promoted.header("etag"), "manager", false).await.is(200);
    assert_eq!(dismissed.text("/status"), "inactive");
    world.sign_in(sign_in.clone()).await.is_problem(403, "NO_TENANT");
    put(dismissed.header("etag"), "cashier", true).await.is(200);
    world.sign_in(sign_in).await.is(200);
    assert_eq!(world.violations().await, []);
}

#[tokio::test]
async fn nobody_gives_away_or_touches_more_than_they_have() {
    let world = World::start().await;
    let acme = world.tenant("acme").await;
    let admin = world.admin("acme").await;
    let me = admin.get("/me").await.is(200);
    let lead = world.with(Some(acme), &["staff:*", "sales:*", "catalog:*"]).await;
    lead.post("/staff", json!({ "email": "x@acme.test", "role": "tenant_admin" }))
        .await
        .is_problem(403, "PERMISSION_BEYOND_YOURS");
    let path = format!("/staff/{}", me.text("/id"));
    lead.put(&path, json!({ "role": "cashier", "active": false }))
        .await
        .is_problem(403, "PERMISSION_BEYOND_YOURS");
    for role in ["super_admin", "customer", "made_up"] {
        let refused = admin.post("/staff", json!({ "email": "x@acme.test", "role": role })).await;
        assert_eq!(refused.is_problem(422, "UNKNOWN_ROLE").text("/errors/0/pointer"), "/role");
    }
}

#[tokio::test]
async fn the_last_administrator_cannot_leave_not_even_two_at_once() {
    let world = World::start().await;
    world.tenant("acme").await;
    let admin = world.admin("acme").await;
    let first = format!("/staff/{}", admin.get("/me").await.text("/id"));
    let step_down = json!({ "role": "cashier", "active": true });
    admin.put(&first, step_down.clone()).await.is_problem(409, "LAST_ADMIN");
    admin.put(&first, json!({ "role": "tenant_admin", "active": false })).await.is_problem(409, "LAST_ADMIN");
    let body = json!({ "email": "eve@acme.test", "role": "tenant_admin", "password": PASSWORD });
    let second = format!("/staff/{}", admin.post("/staff", body).await.is(201).text("/id"));
    let eve = world.sign_in(credentials("eve@acme.test")).await.is(200);
    let eve = world.stranger().with_token(eve.text("/accessToken"));
    let (one, two) = tokio::join!(eve.put(&first, step_down.clone()), admin.put(&second, step_down));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    // One succeeds; the other is told, or has lost the right to ask meanwhile.
    assert_eq!(statuses[0], 200);
    assert!(matches!(statuses[1], 401 | 403 | 409), "{statuses:?}");
    assert_eq!(world.violations().await, []);
}

#[tokio::test]
async fn a_forgotten_password_is_reset_only_for_accounts_that_are_the_tenants_own() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.tenant("bolt").await;
    let admin = world.admin("acme").await;
    let bob = admin
        .post("/staff", json!({ "email": "bob@acme.test", "role": "cashier", "password": PASSWORD }))
        .await
        .is(201);
    let path = format!("/staff/{}", bob.text("/id"));
    let reset = json!({ "role": "cashier", "active": true, "password": "brand new password" });
    admin.put(&path, reset.clone()).await.is(200);
    world.sign_in(json!({ "email": "bob@acme.test", "password": "brand new password" })).await.is(200);
    // As soon as another tenant counts on the account too, its password is its owner's. To invite is not to count on.
    let bolt = world.admin("bolt").await;
    let invite = json!({ "email": "bob@acme.test", "role": "cashier" });
    let invited = bolt.post("/staff", invite).await.is(201);
    let again = json!({ "role": "cashier", "active": true, "password": PASSWORD });
    admin.put(&path, again).await.is(200);
    world.sign_in(accepting("bob@acme.test", "bolt", invited.text("/invitationCode"))).await.is(200);
    admin.put(&path, reset.clone()).await.is_problem(422, "ACCOUNT_SHARED");
    // Also when he has left there again.
    bolt.put(&path, json!({ "role": "cashier", "active": false })).await.is(200);
    admin.put(&path, reset).await.is_problem(422, "ACCOUNT_SHARED");
    bolt.put(&path, json!({ "role": "cashier", "active": true, "password": "taken over 123" }))
        .await
        .is_problem(422, "ACCOUNT_SHARED");
}

// HTTP-5, HTTP-6
#[tokio::test]
async fn the_staff_is_listed_in_pages_and_taken_on_once_per_key() {
    let world = World::start().await;
    world.tenant("acme").await;
    let admin = world.admin("acme").await;
    for name in ["bob", "eve"] {
        let body = json!({ "email": format!("{name}@acme.test"), "role": "cashier" });
        let call = || admin.api(http::Method::POST, "/staff").key(name).json(&body).send();
        let made = call().await.is(201);
        let again = call().await.is(201);
        assert_eq!((again.json.clone(), again.header("idempotency-replayed")), (made.json.clone(), "true"));
        admin.post("/staff", body.clone()).await.is_problem(409, "STAFF_EXISTS");
    }
    let first = admin.get("/staff?limit=2").await.is(200);
    assert_eq!(first.json["items"].as_array().unwrap().len(), 2);
    let rest = admin.get(&format!("/staff?limit=2&cursor={}", first.text("/nextCursor"))).await.is(200);
    assert_eq!(rest.text("/items/0/email"), "eve@acme.test");
    assert_eq!(admin.get("/staff?status=inactive").await.json["items"], json!([]));
}

// IDN-3: another tenant's people do not exist.
#[tokio::test]
async fn the_staff_of_another_tenant_is_not_found() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.tenant("bolt").await;
    let stranger = world.admin("bolt").await.get("/me").await.text("/id").to_owned();
    let admin = world.admin("acme").await;
    admin.get(&format!("/staff/{stranger}")).await.is_problem(404, "NOT_FOUND");
    admin
        .put(&format!("/staff/{stranger}"), json!({ "role": "cashier", "active": false }))
        .await
        .is_problem(404, "NOT_FOUND");
    admin.get("/staff/usr_nonsense").await.is_problem(404, "NOT_FOUND");
}
