//! Voids: the whole sale, before its shift closes, once.

use serde_json::json;

use crate::{
    market::{Market, eur, tender, text},
    vat::adds_up,
};

// SAL-4
#[tokio::test]
async fn a_void_is_a_sale_of_its_own_that_points_back_and_reverses_everything() {
    let market = Market::open().await;
    let shift = market.open_shift(&market.register, 10_000).await;
    let tenders = [tender("card", 1000), tender("cash", 2000)];
    let sale = market.sell_for(&[("WINE", "2"), ("BREAD", "0.450")], &tenders).await;
    let answer = market.void(&sale).await.is(201);
    let void = &answer.json;
    assert_eq!(answer.header("location"), format!("/api/v1/sales/{}", text(void, "/id")));
    assert_eq!((&void["kind"], &void["original"]), (&json!("void"), &sale["id"]));
    assert_eq!(void["reason"], "wrong item");
    assert_eq!(void["receiptNumber"], "S01-R01-000002");
    assert_eq!(void["shiftId"], json!(shift));
    assert_eq!(void["lines"][1]["quantity"], "-0.450");
    assert_eq!(void["lines"][1]["originalLine"], 2);
    assert_eq!(void["totals"]["gross"], eur(-2550));
    assert_eq!(void["tenders"], json!([tender("cash", -1550), tender("card", -1000)]));
    adds_up(void);
    let original = market.look(&sale).await;
    assert_eq!((&original["status"], &original["refundedTotal"]), (&json!("voided"), &eur(2550)));
    assert_eq!(market.look(void).await, *void);
    assert_eq!(market.violations().await, []);
}

// SAL-4
#[tokio::test]
async fn a_sale_is_voided_once_and_a_correction_never() {
    let market = Market::open().await;
    let sale = market.sell(&[("WINE", "1")]).await;
    let void = market.void(&sale).await.is(201).json;
    let before = market.footprint().await;
    market.void(&sale).await.is_problem(409, "ALREADY_VOIDED");
    market.void(&void).await.is_problem(409, "NOT_A_SALE");
    market.refund(&sale, &[(1, "1")]).await.is_problem(409, "ALREADY_VOIDED");
    market.refund(&void, &[(1, "1")]).await.is_problem(409, "NOT_A_SALE");
    let refunded = market.sell(&[("WINE", "2")]).await;
    market.refund(&refunded, &[(1, "1")]).await.is(201);
    market.void(&refunded).await.is_problem(409, "ALREADY_REFUNDED");
    assert_eq!(market.footprint().await[0], before[0] + 2);
    assert_eq!(market.violations().await, []);
}

// SAL-4, HTTP-6
#[tokio::test]
async fn a_repeated_void_is_told_what_the_first_was_told() {
    let market = Market::open().await;
    let sale = market.sell(&[("WINE", "1")]).await;
    let path = format!("/sales/{}/void", text(&sale, "/id"));
    let send = |reason: &str| {
        let call = market.clerk.api(http::Method::POST, &path).key("void-1");
        call.json(&json!({ "reason": reason })).send()
    };
    let first = send("twice").await.is(201);
    let again = send("twice").await.is(201);
    assert_eq!((again.header("idempotency-replayed"), &again.json), ("true", &first.json));
    send("another reason").await.is_problem(422, "IDEMPOTENCY_KEY_REUSED");
    let call = market.clerk.api(http::Method::POST, &path).json(&json!({ "reason": "no key" }));
    call.send().await.is_problem(400, "IDEMPOTENCY_KEY_REQUIRED");
}

// SAL-4, IDN-4
#[tokio::test]
async fn voiding_needs_its_permission_and_a_reason() {
    let market = Market::open().await;
    let sale = market.sell(&[("WINE", "1")]).await;
    let path = format!("/sales/{}/void", text(&sale, "/id"));
    let before = market.footprint().await;
    let cashier = market.site.member("acme", &["sales:read", "sales:write", "sales:refund"]);
    cashier.post(&path, json!({ "reason": "x" })).await.is_problem(403, "PERMISSION_DENIED");
    for body in
        [json!({}), json!({ "reason": "" }), json!({ "reason": "x".repeat(501) }), json!({ "reason": null })]
    {
        let refused = market.clerk.post(&path, body).await.is_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused.text("/errors/0/pointer"), "/reason");
    }
    assert_eq!(market.footprint().await, before);
}

// SAL-4: before the shift closes, not after.
#[tokio::test]
async fn a_sale_of_a_closed_shift_cannot_be_voided_even_when_another_shift_is_open() {
    let market = Market::open().await;
    let first = market.open_shift(&market.register, 0).await;
    let sale = market.sell(&[("WINE", "1")]).await;
    market.close_shift(&first, 1200).await.is(200);
    let before = market.footprint().await;
    market.void(&sale).await.is_problem(409, "SHIFT_CLOSED");
    assert_eq!(market.footprint().await, before);
    market.open_shift(&market.register, 0).await;
    market.void(&sale).await.is_problem(409, "SHIFT_CLOSED");
    market.refund(&sale, &[(1, "1")]).await.is(201);
    assert_eq!(market.violations().await, []);
}

// SAL-4: where nobody opens shifts, a day is the bound.
#[tokio::test]
async fn a_sale_without_a_shift_can_be_voided_for_a_day() {
    let market = Market::open().await;
    let (in_time, too_late) = (market.sell(&[("WINE", "1")]).await, market.sell(&[("WINE", "1")]).await);
    market.site.clock.advance_seconds(86_400);
    market.void(&in_time).await.is(201);
    market.site.clock.advance_seconds(1);
    market.void(&too_late).await.is_problem(409, "VOID_TOO_LATE");
    assert_eq!(market.violations().await, []);
}
