//! IDN-4: built-in roles and roles of a tenant's own.

use serde_json::json;

use crate::world::{PASSWORD, World, credentials};

// IDN-4
#[tokio::test]
async fn a_tenant_makes_a_role_gives_it_changes_it_and_removes_it() {
    let world = World::start().await;
    world.tenant("acme").await;
    let admin = world.admin("acme").await;
    let role =
        json!({ "name": "buyer", "description": "Buys.", "permissions": ["catalog:read", "staff:read"] });
    let made = admin.post("/roles", role.clone()).await.is(201);
    assert_eq!(made.header("location"), "/api/v1/roles/buyer");
    admin.post("/roles", role).await.is_problem(409, "ROLE_EXISTS");
    let bob = admin
        .post("/staff", json!({ "email": "bob@acme.test", "role": "buyer", "password": PASSWORD }))
        .await
        .is(201);
    let tokens = world.sign_in(credentials("bob@acme.test")).await.is(200);
    let client = world.stranger().with_token(tokens.text("/accessToken"));
    client.get("/staff").await.is(200);

    let less = json!({ "permissions": ["catalog:read"] });
    let put =
        |etag: &str| admin.api(http::Method::PUT, "/roles/buyer").header("if-match", etag).json(&less).send();
    put(made.header("etag")).await.is(200);
    put(made.header("etag")).await.is_problem(412, "PRECONDITION_FAILED");
    client.get("/staff").await.is(401);
    let again = world.sign_in(json!({ "refreshToken": tokens.text("/refreshToken") })).await.is(200);
    world
        .stranger()
        .with_token(again.text("/accessToken"))
        .get("/staff")
        .await
        .is_problem(403, "PERMISSION_DENIED");

    admin.delete("/roles/buyer").await.is_problem(409, "ROLE_IN_USE");
    admin
        .put(&format!("/staff/{}", bob.text("/id")), json!({ "role": "cashier", "active": true }))
        .await
        .is(200);
    admin.delete("/roles/buyer").await.is(204);
    admin.get("/roles/buyer").await.is_problem(404, "NOT_FOUND");
    assert_eq!(world.violations().await, []);
}

#[tokio::test]
async fn built_in_roles_are_there_and_cannot_be_changed() {
    let world = World::start().await;
    world.tenant("acme").await;
    let admin = world.admin("acme").await;
    let roles = admin.get("/roles").await.is(200);
    let names: Vec<&str> =
        roles.json["items"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["cashier", "manager", "tenant_admin", "customer", "auditor"]);
    admin
        .post("/roles", json!({ "name": "cashier", "permissions": ["sales:read"] }))
        .await
        .is_problem(409, "ROLE_EXISTS");
    admin.put("/roles/cashier", json!({ "permissions": ["sales:read"] })).await.is_problem(404, "NOT_FOUND");
    admin.delete("/roles/tenant_admin").await.is_problem(404, "NOT_FOUND");
    admin.get("/roles/super_admin").await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_role_holds_no_more_than_its_maker_and_nothing_of_the_platform() {
    let world = World::start().await;
    let acme = world.tenant("acme").await;
    let admin = world.admin("acme").await;
    for name in ["platform:tenants", "platform:*", "nonsense", "a:b:c"] {
        let body = json!({ "name": "r1", "permissions": ["sales:read", name] });
        let refused = admin.post("/roles", body).await.is_problem(422, "UNKNOWN_PERMISSION");
        assert_eq!(refused.text("/errors/0/pointer"), "/permissions/1");
    }
    let lead = world.with(Some(acme), &["roles:*", "sales:read"]).await;
    let more = json!({ "name": "r1", "permissions": ["sales:void"] });
    lead.post("/roles", more).await.is_problem(403, "PERMISSION_BEYOND_YOURS");
    admin.post("/roles", json!({ "name": "strong", "permissions": ["sales:void"] })).await.is(201);
    lead.put("/roles/strong", json!({ "permissions": ["sales:read"] }))
        .await
        .is_problem(403, "PERMISSION_BEYOND_YOURS");
    lead.delete("/roles/strong").await.is_problem(403, "PERMISSION_BEYOND_YOURS");
    lead.post("/roles", json!({ "name": "weak", "permissions": ["sales:read"] })).await.is(201);
}

#[tokio::test]
async fn misspelt_permissions_are_refused_once_the_routes_are_known() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.control.know_permissions(["sales:read", "sales:void", "catalog:read"]);
    let admin = world.admin("acme").await;
    let try_with = |name: &str| {
        admin.post("/roles", json!({ "name": format!("r{}", name.len()), "permissions": [name] }))
    };
    try_with("sale:read").await.is_problem(422, "UNKNOWN_PERMISSION");
    try_with("sales:reed").await.is_problem(422, "UNKNOWN_PERMISSION");
    try_with("sales:*").await.is(201);
    try_with("sales:void").await.is(201);
    try_with("*").await.is(201);
}

#[tokio::test]
async fn roles_of_another_tenant_do_not_exist() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.tenant("bolt").await;
    world
        .admin("acme")
        .await
        .post("/roles", json!({ "name": "buyer", "permissions": ["sales:read"] }))
        .await
        .is(201);
    let bolt = world.admin("bolt").await;
    bolt.get("/roles/buyer").await.is_problem(404, "NOT_FOUND");
    bolt.post("/staff", json!({ "email": "x@bolt.test", "role": "buyer" }))
        .await
        .is_problem(422, "UNKNOWN_ROLE");
}
