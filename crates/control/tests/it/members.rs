//! IDN-3: one person, several tenants; one token, one tenant.

use serde_json::json;

use crate::world::{PASSWORD, World, accepting, credentials};

/// Ann runs `acme` and is invited to `bolt` as cashier; with how she signs in there first.
async fn ann_of_two() -> (World, serde_json::Value) {
    let world = World::start().await;
    world.tenant("acme").await;
    world.tenant("bolt").await;
    let invite = json!({ "email": "admin@acme.test", "role": "cashier", "password": "never used 123" });
    let invited = world.admin("bolt").await.post("/staff", invite).await.is(201);
    assert_eq!(invited.text("/status"), "invited");
    assert_eq!(invited.json["initialPassword"], json!(null));
    let there = accepting("admin@acme.test", "bolt", invited.text("/invitationCode"));
    (world, there)
}

// IDN-3
#[tokio::test]
async fn an_invitation_disturbs_nobody_until_it_is_accepted_by_naming_the_tenant() {
    let (world, there) = ann_of_two().await;
    // The one place she has accepted is still the default.
    assert_eq!(world.sign_in(credentials("admin@acme.test")).await.is(200).text("/tenant"), "acme");
    let accepted = world.sign_in(there).await.is(200);
    assert_eq!((accepted.text("/tenant"), accepted.text("/role")), ("bolt", "cashier"));
    let choose =
        world.sign_in(credentials("admin@acme.test")).await.is_problem(422, "TENANT_CHOICE_REQUIRED");
    assert_eq!(choose.json["tenants"], json!(["acme", "bolt"]));
}

#[tokio::test]
async fn the_header_chooses_the_tenant_like_the_body_and_must_not_contradict_it() {
    let (world, mut there) = ann_of_two().await;
    let named = world.stranger().with_tenant("bolt");
    there.as_object_mut().unwrap().remove("tenant");
    assert_eq!(named.post("/auth/token", there).await.is(200).text("/tenant"), "bolt");
    assert_eq!(
        named.post("/auth/token", credentials("admin@acme.test")).await.is(200).text("/tenant"),
        "bolt"
    );
    let mut body = credentials("admin@acme.test");
    body["tenant"] = json!("acme");
    named.post("/auth/token", body).await.is_problem(403, "TENANT_MISMATCH");
}

#[tokio::test]
async fn a_token_is_worth_nothing_in_another_tenant_and_the_try_is_recorded() {
    let (world, _) = ann_of_two().await;
    let acme = world.admin("acme").await;
    acme.clone().with_tenant("acme").get("/staff").await.is(200);
    acme.clone().with_tenant("bolt").get("/staff").await.is_problem(403, "TENANT_MISMATCH");
    acme.with_tenant("unknown").get("/staff").await.is_problem(403, "TENANT_MISMATCH");
    let mut there = credentials("admin@bolt.test");
    there["tenant"] = json!("acme");
    world.sign_in(there).await.is_problem(403, "TENANT_MISMATCH");
    world.control.flush().await.unwrap();
    let mismatches = "select count(*)::text from control.security_event where kind = 'tenant_mismatch'";
    assert_eq!(world.ask(mismatches).await, "3");
}

#[tokio::test]
async fn me_lists_every_place_and_the_rights_of_this_one() {
    let (world, there) = ann_of_two().await;
    let token = world.sign_in(there).await.is(200);
    let me = world.stranger().with_token(token.text("/accessToken")).get("/me").await.is(200);
    assert_eq!(me.text("/tenant"), "bolt");
    assert_eq!(
        me.json["memberships"][0],
        json!({ "tenant": "acme", "role": "tenant_admin", "invited": false })
    );
    assert!(me.json["permissions"].as_array().unwrap().contains(&json!("sales:write")));
    assert!(!me.json["permissions"].as_array().unwrap().contains(&json!("*")));
}

#[tokio::test]
async fn an_operator_signs_in_to_the_platform_and_may_enter_a_tenant() {
    let world = World::start().await;
    world.tenant("acme").await;
    let account = control::OperatorAccount { email: "Op@Market.test".to_owned(), password: PASSWORD.into() };
    assert!(control::create_operator(&world.control, account.clone(), world.clock.now()).await.unwrap());
    assert!(!control::create_operator(&world.control, account, world.clock.now()).await.unwrap());
    let platform = world.sign_in(credentials("op@market.test")).await.is(200);
    assert_eq!(platform.json["tenant"], json!(null));
    let operator = world.stranger().with_token(platform.text("/accessToken"));
    operator.get("/admin/tenants").await.is(200);
    let mut there = credentials("op@market.test");
    there["tenant"] = json!("acme");
    let inside = world.sign_in(there.clone()).await.is(200);
    world.stranger().with_token(inside.text("/accessToken")).get("/staff").await.is(200);
    there["tenant"] = json!("none");
    world.sign_in(there).await.is_problem(403, "TENANT_MISMATCH");
}

#[tokio::test]
async fn an_invitation_does_not_keep_an_operator_out_of_a_tenant() {
    let world = World::start().await;
    world.tenant("acme").await;
    let account = control::OperatorAccount { email: "op@market.test".to_owned(), password: PASSWORD.into() };
    control::create_operator(&world.control, account, world.clock.now()).await.unwrap();
    let invite = json!({ "email": "op@market.test", "role": "cashier" });
    world.admin("acme").await.post("/staff", invite).await.is(201);
    let mut there = credentials("op@market.test");
    there["tenant"] = json!("acme");
    assert_eq!(world.sign_in(there).await.is(200).text("/role"), "super_admin");
}

#[tokio::test]
async fn an_account_that_a_tenant_has_made_never_becomes_an_operator() {
    let world = World::start().await;
    world.account_elsewhere("evil", "op@market.test").await;
    let account = control::OperatorAccount { email: "op@market.test".to_owned(), password: PASSWORD.into() };
    let refused = control::create_operator(&world.control, account, world.clock.now()).await;
    assert!(matches!(refused, Err(control::CreateOperatorError::Taken)), "{refused:?}");
    assert_eq!(world.sign_in(credentials("op@market.test")).await.is(200).text("/tenant"), "evil");
}
