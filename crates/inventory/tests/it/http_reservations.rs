//! Reservations through the gate.

use futures::future::join_all;
use http::Method;
use serde_json::json;

use crate::{
    fixture::{BREAD, MILK},
    http_stock::Counter,
};

// INV-1, HTTP-6
#[tokio::test]
async fn reserving_needs_a_key_and_repeating_it_holds_nothing_more() {
    let counter = Counter::open().await;
    counter.restock(BREAD, "5").await;
    let body =
        json!({ "lines": [counter.line(0, BREAD, "2")], "reference": "cart 7", "expiresInSeconds": 60 });
    let call = || counter.clerk.api(Method::POST, "/inventory/reserve").json(&body);
    call().send().await.is_problem(400, "IDEMPOTENCY_KEY_REQUIRED");
    let first = call().key("k1").send().await.is(201);
    let again = call().key("k1").send().await.is(201);
    assert_eq!((again.header("idempotency-replayed"), again.json.clone()), ("true", first.json.clone()));
    assert_eq!((first.text("/state"), first.text("/expiresAt")), ("open", "2026-11-21T10:01:00Z"));
    let stock = counter.clerk.get("/inventory/sku/BREAD").await.is(200);
    assert_eq!((stock.text("/items/0/reserved"), stock.text("/items/0/available")), ("2", "3"));
    let other = json!({ "lines": [counter.line(0, BREAD, "1")] });
    let reused = counter.clerk.api(Method::POST, "/inventory/reserve").json(&other).key("k1").send().await;
    reused.is_problem(422, "IDEMPOTENCY_KEY_REUSED");
    let location = first.header("location").to_owned();
    let found = counter.clerk.call(Method::GET, &location).send().await.is(200);
    assert_eq!(found.json, first.json);
}

// INV-1, HTTP-6
#[tokio::test]
async fn one_key_from_fifty_clients_at_once_holds_once() {
    let counter = Counter::open().await;
    counter.restock(BREAD, "50").await;
    let body = json!({ "lines": [counter.line(0, BREAD, "1")] });
    let calls =
        (0..50).map(|_| counter.clerk.api(Method::POST, "/inventory/reserve").json(&body).key("once").send());
    for answer in join_all(calls).await {
        assert!(matches!(answer.status, 201 | 409), "{}", answer.status);
    }
    let stock = counter.clerk.get("/inventory/sku/BREAD").await.is(200);
    assert_eq!(stock.text("/items/0/reserved"), "1");
}

// INV-1, INV-2
#[tokio::test]
async fn a_reservation_is_confirmed_or_released_once_and_expires_by_the_clock() {
    let counter = Counter::open().await;
    let clerk = &counter.clerk;
    counter.restock(BREAD, "3").await;
    let reserve = async || {
        let body = json!({ "lines": [counter.line(0, BREAD, "1")] });
        let held = clerk.post("/inventory/reserve", body).await.is(201);
        json!({ "reservationId": held.text("/id") })
    };
    let (one, two, three) = (reserve().await, reserve().await, reserve().await);
    assert_eq!(clerk.post("/inventory/confirm", one.clone()).await.is(200).text("/state"), "confirmed");
    assert_eq!(clerk.post("/inventory/confirm", one.clone()).await.is(200).text("/state"), "confirmed");
    let refused = clerk.post("/inventory/release", one).await.is_problem(409, "RESERVATION_CLOSED");
    assert_eq!(refused.text("/state"), "confirmed");
    assert_eq!(clerk.post("/inventory/release", two.clone()).await.is(200).text("/state"), "released");
    clerk.post("/inventory/confirm", two).await.is_problem(409, "RESERVATION_CLOSED");
    counter.site.clock.advance_seconds(900);
    clerk.post("/inventory/confirm", three).await.is_problem(409, "RESERVATION_EXPIRED");
    let nobody = json!({ "reservationId": inventory::ReservationId::new() });
    clerk.post("/inventory/confirm", nobody).await.is_problem(404, "RESERVATION_NOT_FOUND");
}

// INV-1, INV-2
#[tokio::test]
async fn carts_that_cannot_be_had_whole_are_refused_with_what_is_left_of_each_line() {
    let counter = Counter::open().await;
    counter.restock(BREAD, "1").await;
    let lines = [counter.line(0, MILK, "1"), counter.line(0, BREAD, "1")];
    let body = json!({ "lines": lines });
    let refused = counter.clerk.post("/inventory/reserve", body).await.is_problem(409, "OUT_OF_STOCK");
    assert_eq!(refused.text("/errors/0/pointer"), "/lines/0/quantity");
    assert_eq!(refused.json["errors"].as_array().unwrap().len(), 1);
    let stock = counter.clerk.get("/inventory/sku/BREAD").await.is(200);
    assert_eq!(stock.text("/items/0/reserved"), "0");
    let bad = json!({ "lines": [counter.line(0, BREAD, "1")], "expiresInSeconds": 86_401 });
    let refused = counter.clerk.post("/inventory/reserve", bad).await.is_problem(400, "VALIDATION_FAILED");
    assert_eq!(refused.text("/errors/0/pointer"), "/expiresInSeconds");
}
