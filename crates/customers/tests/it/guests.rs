//! Guests, and what becomes of what is theirs.

use jiff::SignedDuration;
use serde_json::json;

use crate::world::{PASSWORD, World};

// IDN-7
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_known_by_a_token_of_thirty_days_and_has_no_profile() {
    let world = World::open().await;
    let made = world.stranger("acme").api(http::Method::POST, "/customers/guest").send().await.is(200);
    assert!(made.text("/guestId").starts_with("gst_"));
    assert_eq!(made.json["expiresIn"], 30 * 86_400);
    let guest = world.stranger("acme").with_token(made.text("/token"));
    guest.get("/customers/me").await.is_problem(404, "CUSTOMER_NOT_FOUND");
    guest.get("/customers/me/addresses").await.is_problem(404, "CUSTOMER_NOT_FOUND");
    guest.get("/customers/loyalty-rule").await.is(200);
    guest.get("/customers").await.is_problem(403, "PERMISSION_DENIED");
    let customer = world.customer("Bob").await;
    guest.get(&format!("/customers/{customer}")).await.is_problem(403, "PERMISSION_DENIED");
    guest.get(&format!("/customers/{customer}/addresses")).await.is_problem(404, "CUSTOMER_NOT_FOUND");
    world.later(SignedDuration::from_hours(30 * 24));
    guest.get("/customers/me").await.is_problem(401, "TOKEN_EXPIRED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_belongs_to_a_merchant_who_is_named() {
    let world = World::open().await;
    let (_, token) = world.guest("bolt").await;
    world.stranger("acme").with_token(&token).get("/customers/me").await.is_problem(403, "TENANT_MISMATCH");
    let nobodys = world.stranger("nobody").api(http::Method::POST, "/customers/guest");
    nobodys.send().await.is_problem(400, "TENANT_REQUIRED");
}

// IDN-7: what a guest has goes along into the account, when it is made and whenever they sign in.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_a_guests_becomes_the_customers_at_registration_and_sign_in() {
    let world = World::open().await;
    let (first, token) = world.guest("acme").await;
    let body = json!({ "email": "ann@x.example", "password": PASSWORD, "name": "Ann", "guestToken": token });
    let made = world.stranger("acme").post("/customers/register", body).await.is(201);
    let customer = made.text("/customerId").to_owned();
    assert_eq!(world.remembered.take(), [(first.clone(), customer.clone())]);
    let (second, token) = world.guest("acme").await;
    let body = json!({ "email": "ann@x.example", "password": PASSWORD, "guestToken": token });
    world.stranger("acme").post("/customers/sign-in", body).await.is(200);
    assert_eq!(world.remembered.take(), [(second.clone(), customer.clone())]);
    let news = |guest: &str| json!({ "guestId": guest, "customerId": customer });
    assert_eq!(world.published("GuestMerged").await, [news(&first), news(&second)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_fails_signs_nobody_in() {
    let world = World::open().await;
    let (_, token) = world.guest("acme").await;
    *world.remembered.fails.lock().unwrap() = true;
    let body = json!({ "email": "ann@x.example", "password": PASSWORD, "name": "Ann", "guestToken": token });
    world.stranger("acme").post("/customers/register", body.clone()).await.is(500);
    assert!(world.published("GuestMerged").await.is_empty());
    // Nothing is left of the first try.
    world.stranger("acme").post("/customers/register", body).await.is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_guest_token_of_the_same_merchant_is_taken() {
    let world = World::open().await;
    let (_, foreign) = world.guest("bolt").await;
    let (_, expired) = world.guest("acme").await;
    world.later(SignedDuration::from_hours(30 * 24));
    let (_, fine) = world.guest("acme").await;
    let other = world.register("acme", "bob@x.example").await;
    let customers_own = world.sign_in("acme", "bob@x.example", PASSWORD).await.text("/token").to_owned();
    let forged = format!("{}x", &fine[..fine.len() - 1]);
    for token in [foreign, expired, customers_own, other.refresh, forged, "nonsense".to_owned()] {
        let body =
            json!({ "email": "ann@x.example", "password": PASSWORD, "name": "Ann", "guestToken": token });
        let refused = world.stranger("acme").post("/customers/register", body).await;
        refused.is_problem(422, "GUEST_TOKEN_INVALID");
        let body = json!({ "email": "bob@x.example", "password": PASSWORD, "guestToken": token });
        world.stranger("acme").post("/customers/sign-in", body).await.is_problem(422, "GUEST_TOKEN_INVALID");
    }
    assert!(world.remembered.take().is_empty());
    let body = json!({ "email": "bob@x.example", "password": PASSWORD, "guestToken": "" });
    world.stranger("acme").post("/customers/sign-in", body).await.is_problem(400, "VALIDATION_FAILED");
}
