//! Accounts of customers: registering, sign-in, refresh, sign-out, passwords, closing.

use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::json;

use crate::world::{PASSWORD, World};

// IDN-7
#[tokio::test(flavor = "multi_thread")]
async fn who_registers_is_signed_in_and_sees_their_own_profile_only() {
    let world = World::open().await;
    let ann = world.register("acme", "Ann@X.example").await;
    let me = ann.client.get("/customers/me").await.is(200);
    assert_eq!((me.text("/id"), me.text("/signInEmail")), (ann.id.as_str(), "ann@x.example"));
    assert_eq!(me.header("etag"), "\"1\"");
    let changed =
        ann.client.put("/customers/me", json!({ "name": "Ann Other", "phone": "123" })).await.is(200);
    assert_eq!((changed.text("/name"), changed.text("/signInEmail")), ("Ann Other", "ann@x.example"));
    let staff = world.staff("acme").await;
    let seen = staff.get(&format!("/customers/{}", ann.id)).await.is(200);
    assert_eq!(seen.text("/name"), "Ann Other");
    staff.get("/customers/me").await.is_problem(403, "PERMISSION_DENIED");
    // What the staff writes is not for the customer.
    for hidden in ["/note", "/tags", "/reference"] {
        assert!(changed.json.pointer(hidden).is_none(), "{hidden}");
    }
    let bob = world.register("acme", "bob@x.example").await;
    for path in ["addresses", "consents", "loyalty"] {
        bob.client.get(&format!("/customers/{}/{path}", ann.id)).await.is_problem(404, "CUSTOMER_NOT_FOUND");
    }
    bob.client.get(&format!("/customers/{}", ann.id)).await.is_problem(403, "PERMISSION_DENIED");
    bob.client.get(&format!("/customers/{}/notes", bob.id)).await.is_problem(403, "PERMISSION_DENIED");
    world
        .stranger("bolt")
        .with_token(&token_of(&world, "ann@x.example").await)
        .get("/customers/me")
        .await
        .is_problem(403, "TENANT_MISMATCH");
    world.holds().await;
}

async fn token_of(world: &World, email: &str) -> String {
    world.sign_in("acme", email, PASSWORD).await.is(200).text("/token").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_mail_has_one_account_per_merchant_whatever_its_case() {
    let world = World::open().await;
    world.register("acme", "ann@x.example").await;
    let body = json!({ "email": "ANN@x.example", "password": "another password", "name": "Eve" });
    world.stranger("acme").post("/customers/register", body).await.is_problem(409, "ACCOUNT_EXISTS");
    world.register("bolt", "ann@x.example").await;
    world.sign_in("acme", "ann@X.EXAMPLE", PASSWORD).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_who_register_one_address_at_once_one_has_it() {
    let world = World::open().await;
    let body = json!({ "email": "ann@x.example", "password": PASSWORD, "name": "Ann" });
    let client = world.stranger("acme");
    let answers = join_all((0..4).map(|_| client.post("/customers/register", body.clone()))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 3, "{statuses:?}");
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_the_merchant_knows_is_not_taken_over_by_registering_with_their_address() {
    let world = World::open().await;
    let staff = world.staff("acme").await;
    let known = staff.post("/customers", json!({ "name": "Ann", "email": "ann@x.example" })).await.is(201);
    let registered = world.register("acme", "ann@x.example").await;
    assert_ne!(registered.id, known.text("/id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_unknown_and_deactivated_all_get_the_same_answer() {
    let world = World::open().await;
    let ann = world.register("acme", "ann@x.example").await;
    let wrong =
        world.sign_in("acme", "ann@x.example", "wrong one").await.is_problem(401, "WRONG_CREDENTIALS");
    let unknown = world.sign_in("acme", "nobody@x.example", "wrong one").await;
    let unknown = unknown.is_problem(401, "WRONG_CREDENTIALS");
    let foreign = world.sign_in("bolt", "ann@x.example", PASSWORD).await.is_problem(401, "WRONG_CREDENTIALS");
    for answer in [&unknown, &foreign] {
        assert_eq!(
            (&answer.json["title"], &answer.json["detail"]),
            (&wrong.json["title"], &wrong.json["detail"])
        );
    }
    world.staff("acme").await.delete(&format!("/customers/{}", ann.id)).await.is(204);
    world.sign_in("acme", "ann@x.example", PASSWORD).await.is_problem(401, "WRONG_CREDENTIALS");
    ann.client.get("/customers/me").await.is_problem(404, "CUSTOMER_NOT_FOUND");
    let refused =
        world.stranger("acme").post("/customers/refresh", json!({ "refreshToken": ann.refresh })).await;
    refused.is_problem(401, "WRONG_CREDENTIALS");
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_failures_lock_the_account_for_that_address_for_a_quarter_of_an_hour() {
    let world = World::open().await;
    world.register("acme", "ann@x.example").await;
    world.register("acme", "bob@x.example").await;
    world.register("bolt", "ann@x.example").await;
    for _ in 0..5 {
        world.sign_in("acme", "ann@x.example", "wrong one").await.is_problem(401, "WRONG_CREDENTIALS");
        world.sign_in("acme", "nobody@x.example", "wrong one").await.is_problem(401, "WRONG_CREDENTIALS");
    }
    let locked = world.sign_in("acme", "ann@x.example", PASSWORD).await.is_problem(429, "SIGN_IN_LOCKED");
    assert_eq!(locked.header("retry-after"), "900");
    world.sign_in("acme", "nobody@x.example", "wrong one").await.is_problem(429, "SIGN_IN_LOCKED");
    // Others are not locked out: another account, the same one at another merchant.
    world.sign_in("acme", "bob@x.example", PASSWORD).await.is(200);
    world.sign_in("bolt", "ann@x.example", PASSWORD).await.is(200);
    world.later(SignedDuration::from_mins(15));
    world.sign_in("acme", "ann@x.example", PASSWORD).await.is(200);
    world.later(SignedDuration::from_hours(25));
    assert!(customers::purge(&world.app.parts.db, &world.ctx().await).await.unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_by_registration_whether_somebody_has_an_account_is_limited_too() {
    let world = World::open().await;
    world.register("acme", "ann@x.example").await;
    let body = json!({ "email": "ann@x.example", "password": "another password", "name": "Eve" });
    for _ in 0..5 {
        world
            .stranger("acme")
            .post("/customers/register", body.clone())
            .await
            .is_problem(409, "ACCOUNT_EXISTS");
    }
    world.stranger("acme").post("/customers/register", body).await.is_problem(429, "SIGN_IN_LOCKED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_works_once_and_one_that_comes_back_ends_the_sign_in() {
    let world = World::open().await;
    let ann = world.register("acme", "ann@x.example").await;
    let refresh = |token: &str| {
        let (client, body) = (world.stranger("acme"), json!({ "refreshToken": token }));
        async move { client.post("/customers/refresh", body).await }
    };
    let second = refresh(&ann.refresh).await.is(200);
    assert_eq!((second.text("/customerId"), &second.json["expiresIn"]), (ann.id.as_str(), &json!(900)));
    world.shopper("acme", &second).client.get("/customers/me").await.is(200);
    let elsewhere = json!({ "refreshToken": second.text("/refreshToken") });
    world.stranger("bolt").post("/customers/refresh", elsewhere).await.is_problem(401, "WRONG_CREDENTIALS");
    let third = refresh(second.text("/refreshToken")).await.is(200);
    refresh(&ann.refresh).await.is_problem(401, "WRONG_CREDENTIALS");
    refresh(third.text("/refreshToken")).await.is_problem(401, "WRONG_CREDENTIALS");
    refresh("nonsense").await.is_problem(401, "WRONG_CREDENTIALS");
    // Another sign-in goes on.
    let other = world.sign_in("acme", "ann@x.example", PASSWORD).await.is(200);
    world.later(SignedDuration::from_mins(15));
    world.shopper("acme", &other).client.get("/customers/me").await.is_problem(401, "TOKEN_EXPIRED");
    let other = refresh(other.text("/refreshToken")).await.is(200);
    world.later(SignedDuration::from_hours(30 * 24));
    refresh(other.text("/refreshToken")).await.is_problem(401, "WRONG_CREDENTIALS");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_refreshes_with_one_token_at_once_one_is_the_copy() {
    let world = World::open().await;
    let ann = world.register("acme", "ann@x.example").await;
    let (client, body) = (world.stranger("acme"), json!({ "refreshToken": ann.refresh }));
    let (a, b) = tokio::join!(
        client.post("/customers/refresh", body.clone()),
        client.post("/customers/refresh", body.clone())
    );
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    let given = if a.status == 200 { a } else { b };
    let body = json!({ "refreshToken": given.text("/refreshToken") });
    client.post("/customers/refresh", body).await.is_problem(401, "WRONG_CREDENTIALS");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_that_sign_in_and_may_be_repeated() {
    let world = World::open().await;
    let ann = world.register("acme", "ann@x.example").await;
    let body = json!({ "refreshToken": ann.refresh });
    for _ in 0..2 {
        world.stranger("acme").post("/customers/sign-out", body.clone()).await.is(204);
    }
    world.stranger("acme").post("/customers/refresh", body).await.is_problem(401, "WRONG_CREDENTIALS");
    world.stranger("acme").post("/customers/sign-out", json!({ "refreshToken": "x" })).await.is(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_needs_the_present_one_and_ends_every_sign_in() {
    let world = World::open().await;
    let ann = world.register("acme", "ann@x.example").await;
    let change = |present: &str, wanted: &str| {
        let (client, body) =
            (ann.client.clone(), json!({ "currentPassword": present, "newPassword": wanted }));
        async move { client.put("/customers/me/password", body).await }
    };
    change("wrong one", "another password").await.is_problem(422, "WRONG_PASSWORD");
    change(PASSWORD, "short").await.is_problem(400, "VALIDATION_FAILED");
    change(PASSWORD, "another password").await.is(204);
    let body = json!({ "refreshToken": ann.refresh });
    world.stranger("acme").post("/customers/refresh", body).await.is_problem(401, "WRONG_CREDENTIALS");
    world.sign_in("acme", "ann@x.example", PASSWORD).await.is_problem(401, "WRONG_CREDENTIALS");
    world.sign_in("acme", "ann@x.example", "another password").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_closes_their_account_is_gone_from_the_shop_but_not_from_the_books() {
    let world = World::open().await;
    let ann = world.register("acme", "ann@x.example").await;
    ann.client.delete("/customers/me").await.is(204);
    ann.client.get("/customers/me").await.is_problem(404, "CUSTOMER_NOT_FOUND");
    ann.client.delete("/customers/me").await.is_problem(404, "CUSTOMER_NOT_FOUND");
    world.sign_in("acme", "ann@x.example", PASSWORD).await.is_problem(401, "WRONG_CREDENTIALS");
    let seen = world.staff("acme").await.get(&format!("/customers/{}", ann.id)).await.is(200);
    assert_eq!(seen.json["active"], false);
    assert_ne!(world.register("acme", "ann@x.example").await.id, ann.id);
    world.holds().await;
}

// HTTP-8
#[tokio::test(flavor = "multi_thread")]
async fn bad_registrations_name_the_field_and_a_missing_merchant_is_asked_for() {
    let world = World::open().await;
    for (field, value) in [
        ("email", json!("nobody")),
        ("password", json!("short")),
        ("password", json!("x".repeat(129))),
        ("name", json!(" ")),
        ("phone", json!("call me")),
        ("shoeSize", json!(42)),
    ] {
        let mut body = json!({ "email": "ann@x.example", "password": PASSWORD, "name": "Ann" });
        body[field] = value;
        let refused = world.stranger("acme").post("/customers/register", body).await;
        let refused = refused.is_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused.json["errors"][0]["pointer"], format!("/{field}"));
    }
    let body = json!({ "email": "ann@x.example", "password": PASSWORD });
    world.app.stranger().post("/customers/sign-in", body).await.is_problem(400, "TENANT_REQUIRED");
}
