//! IDN-2: sign-ins live on by rotating refresh tokens, and end when they should.

use serde_json::{Value, json};
use testkit::Answer;

use crate::world::{PASSWORD, World, credentials, eventually};

fn by(tokens: &Answer) -> Value {
    json!({ "refreshToken": tokens.text("/refreshToken") })
}

// IDN-2
#[tokio::test]
async fn a_refresh_token_works_once_and_its_return_ends_the_whole_sign_in() {
    let world = World::start().await;
    world.tenant("acme").await;
    let first = world.sign_in(credentials("admin@acme.test")).await.is(200);
    let second = world.sign_in(by(&first)).await.is(200);
    assert_ne!(first.text("/refreshToken"), second.text("/refreshToken"));
    let client = world.stranger().with_token(second.text("/accessToken"));
    client.get("/me").await.is(200);

    world.sign_in(by(&first)).await.is_problem(401, "WRONG_CREDENTIALS");
    world.sign_in(by(&second)).await.is_problem(401, "WRONG_CREDENTIALS");
    client.get("/me").await.is_problem(401, "UNAUTHENTICATED");
    world.control.flush().await.unwrap();
    let reused = "select count(*)::text from control.security_event where kind = 'refresh_reused'";
    assert_eq!(world.ask(reused).await, "1");
    // Another sign-in of the same account goes on.
    world.sign_in(credentials("admin@acme.test")).await.is(200);
    assert_eq!(world.violations().await, []);
}

#[tokio::test]
async fn a_refresh_token_whose_secret_is_not_the_one_stored_is_refused_and_ends_nothing() {
    let world = World::start().await;
    world.tenant("acme").await;
    let tokens = world.sign_in(credentials("admin@acme.test")).await.is(200);
    world.sql("update control.refresh_token set secret_hash = sha256('x')").await;
    world.sign_in(by(&tokens)).await.is_problem(401, "WRONG_CREDENTIALS");
    world.stranger().with_token(tokens.text("/accessToken")).get("/me").await.is(200);
}

#[tokio::test]
async fn of_ten_refreshes_with_one_token_at_once_only_one_gets_through() {
    let world = World::start().await;
    world.tenant("acme").await;
    let tokens = world.sign_in(credentials("admin@acme.test")).await.is(200);
    let calls = (0..10).map(|_| {
        let (stranger, body) = (world.stranger(), by(&tokens));
        tokio::spawn(async move { stranger.post("/auth/token", body).await.status })
    });
    let mut through = 0;
    for call in calls.collect::<Vec<_>>() {
        through += usize::from(call.await.unwrap() == 200);
    }
    assert_eq!(through, 1);
}

#[tokio::test]
async fn a_refresh_token_ends_when_it_is_not_used_and_a_sign_in_ends_in_any_case() {
    let world = World::start().await;
    world.tenant("acme").await;
    let mut tokens = world.sign_in(credentials("admin@acme.test")).await.is(200);
    let unused = world.sign_in(credentials("admin@acme.test")).await.is(200);
    for _ in 0..5 {
        world.clock.advance_seconds(10 * 86_400);
        tokens = world.sign_in(by(&tokens)).await.is(200);
    }
    world.sign_in(by(&unused)).await.is(401);
    world.clock.advance_seconds(10 * 86_400 + 1);
    world.sign_in(by(&tokens)).await.is(401);
    assert!(control::purge(&world.control, world.clock.now()).await.is_ok());
}

#[tokio::test]
async fn signing_out_ends_the_sign_in_in_every_process() {
    let world = World::start().await;
    world.tenant("acme").await;
    let (_other, client, _heard) = world.other_process().await;
    let tokens = world.sign_in(credentials("admin@acme.test")).await.is(200);
    let here = world.stranger().with_token(tokens.text("/accessToken"));
    let there = client.with_token(tokens.text("/accessToken"));
    there.get("/me").await.is(200);
    here.api(http::Method::POST, "/auth/logout").send().await.is(204);
    here.get("/me").await.is(401);
    eventually(async || there.get("/me").await.status == 401).await;
    world.sign_in(by(&tokens)).await.is(401);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_sign_in_of_the_account() {
    let world = World::start().await;
    world.tenant("acme").await;
    let (one, two) = (world.admin("acme").await, world.admin("acme").await);
    one.api(http::Method::POST, "/auth/logout?everywhere=true").send().await.is(204);
    one.get("/me").await.is(401);
    two.get("/me").await.is(401);
    world.admin("acme").await.get("/me").await.is(200);
}

#[tokio::test]
async fn a_new_password_ends_every_sign_in_and_needs_the_present_one() {
    let world = World::start().await;
    world.tenant("acme").await;
    let (one, two) = (world.admin("acme").await, world.admin("acme").await);
    let change =
        |present: &str| json!({ "currentPassword": present, "newPassword": "another good password" });
    one.put("/me/password", change("wrong")).await.is_problem(422, "WRONG_PASSWORD");
    one.put("/me/password", json!({ "currentPassword": PASSWORD, "newPassword": "short" })).await.is(400);
    one.put("/me/password", change(PASSWORD)).await.is(204);
    one.get("/me").await.is(401);
    two.get("/me").await.is(401);
    world.sign_in(credentials("admin@acme.test")).await.is(401);
    world.sign_in(json!({ "email": "admin@acme.test", "password": "another good password" })).await.is(200);
}

#[tokio::test]
async fn a_token_of_a_deactivated_account_is_refused_within_moments_everywhere() {
    let world = World::start().await;
    world.tenant("acme").await;
    let (_other, client, _heard) = world.other_process().await;
    let admin = world.admin("acme").await;
    let staff = json!({ "email": "bob@acme.test", "role": "manager", "password": PASSWORD });
    let bob = admin.post("/staff", staff).await.is(201);
    let tokens = world.sign_in(credentials("bob@acme.test")).await.is(200);
    let there = client.with_token(tokens.text("/accessToken"));
    there.get("/me").await.is(200);
    let path = format!("/staff/{}", bob.text("/id"));
    admin.put(&path, json!({ "role": "manager", "active": false })).await.is(200);
    eventually(async || there.get("/me").await.status == 401).await;
    world.sign_in(by(&tokens)).await.is(401);
    world.sign_in(credentials("bob@acme.test")).await.is_problem(403, "NO_TENANT");
}
