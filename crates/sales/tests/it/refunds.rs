//! Refunds: partial by line and quantity, linked, never more than was sold and not yet refunded.

use serde_json::{Value, json};

use crate::{
    market::{Market, eur, number, tender, text},
    vat::adds_up,
};

// SAL-5
#[tokio::test]
async fn a_refund_is_a_linked_sale_with_negative_amounts() {
    let market = Market::open().await;
    let sale = market.sell(&[("WINE", "2"), ("CHEESE", "0.450")]).await;
    let refund = market.refund(&sale, &[(2, "0.200"), (1, "1")]).await.is(201).json;
    assert_eq!((&refund["kind"], &refund["original"]), (&json!("refund"), &sale["id"]));
    assert_eq!(refund["reason"], "did not like it");
    assert_eq!(refund["lines"][0]["quantity"], "-0.200");
    assert_eq!(refund["lines"][0]["originalLine"], 2);
    assert_eq!(refund["lines"][1]["gross"], eur(-1200));
    // 1170 for 0.450: 520 of it for the first 0.200.
    assert_eq!(refund["lines"][0]["gross"], eur(-520));
    adds_up(&refund);
    let after = market.look(&sale).await;
    assert_eq!((&after["status"], &after["refundedTotal"]), (&json!("partially_refunded"), &eur(1720)));
    assert_eq!(market.violations().await, []);
}

// SAL-5: 3 x 3.33 less 1.00 discount: every part of every amount comes back, to the cent.
#[tokio::test]
async fn refunds_in_parts_mirror_the_residual_to_the_cent() {
    let market = Market::open().await;
    let mut body = market.basket(&[("BREAD", "3")], &[tender("cash", 1000)]);
    body["lines"][0]["discount"] = eur(100);
    let sale = market.send(body).await.is(201).json;
    assert_eq!(sale["totals"]["gross"], eur(899));
    let mut sums = [0; 4];
    let mut grosses = Vec::new();
    for _ in 0..3 {
        let refund = market.refund(&sale, &[(1, "1")]).await.is(201).json;
        adds_up(&refund);
        for (sum, part) in sums.iter_mut().zip(["net", "vat", "gross", "discount"]) {
            *sum += number(&refund, &format!("/totals/{part}/amount"));
        }
        grosses.push(number(&refund, "/totals/gross/amount"));
    }
    let sold =
        ["net", "vat", "gross", "discount"].map(|part| -number(&sale, &format!("/totals/{part}/amount")));
    assert_eq!(sums, sold);
    assert_eq!(grosses, [-300, -299, -300]);
    assert_eq!(market.look(&sale).await["status"], "refunded");
    assert_eq!(market.violations().await, []);
}

// SAL-5
#[tokio::test]
async fn never_more_than_was_sold_and_not_yet_refunded() {
    let market = Market::open().await;
    let sale = market.sell(&[("WINE", "2"), ("PEN", "1")]).await;
    market.refund(&sale, &[(1, "2.001")]).await.is_problem(409, "REFUND_EXCEEDS_SALE");
    market.refund(&sale, &[(1, "1.5")]).await.is(201);
    let before = market.footprint().await;
    let refused =
        market.refund(&sale, &[(2, "1"), (1, "0.501")]).await.is_problem(409, "REFUND_EXCEEDS_SALE");
    assert_eq!((number(&refused.json, "/line"), refused.text("/left")), (1, "0.500"));
    assert_eq!(market.footprint().await, before, "not even the line that fits");
    market.refund(&sale, &[(1, "0.5"), (2, "1")]).await.is(201);
    market.refund(&sale, &[(2, "0.001")]).await.is_problem(409, "REFUND_EXCEEDS_SALE");
    assert_eq!(market.violations().await, []);
}

// SAL-5, HTTP-8
#[tokio::test]
async fn refunds_that_make_no_sense_are_refused_at_their_place() {
    let market = Market::open().await;
    let sale = market.sell(&[("WINE", "2")]).await;
    let line = |line: Value, quantity: Value| json!({ "reason": "r", "lines": [{ "line": line, "quantity": quantity }] });
    let before = market.footprint().await;
    let cases = [
        (line(json!(2), json!("1")), 422, "UNKNOWN_LINE", "/lines/0/line"),
        (line(json!(0), json!("1")), 400, "VALIDATION_FAILED", "/lines/0/line"),
        (line(json!("1"), json!("1")), 400, "VALIDATION_FAILED", "/lines/0/line"),
        (line(json!(1), json!("0")), 400, "VALIDATION_FAILED", "/lines/0/quantity"),
        (line(json!(1), json!("-1")), 400, "VALIDATION_FAILED", "/lines/0/quantity"),
        (line(json!(1), json!(1)), 400, "VALIDATION_FAILED", "/lines/0/quantity"),
        (line(json!(1), json!("0.0001")), 400, "VALIDATION_FAILED", "/lines/0/quantity"),
        (json!({ "reason": "r", "lines": [] }), 400, "VALIDATION_FAILED", "/lines"),
        (json!({ "lines": [{ "line": 1, "quantity": "1" }] }), 400, "VALIDATION_FAILED", "/reason"),
        (
            json!({ "reason": "r", "lines": [{ "line": 1, "quantity": "1" }, { "line": 1, "quantity": "1" }] }),
            422,
            "UNKNOWN_LINE",
            "/lines/1/line",
        ),
        (
            json!({ "reason": "r", "lines": [{ "line": 1, "quantity": "1" }], "registerId": "reg_01J00000000000000000000000" }),
            422,
            "UNKNOWN_REGISTER",
            "/registerId",
        ),
        (
            json!({ "reason": "r", "lines": [{ "line": 1, "quantity": "1", "why": 1 }] }),
            400,
            "VALIDATION_FAILED",
            "/lines/0/why",
        ),
    ];
    for (body, status, code, pointer) in cases {
        let refused = market.refund_with(&sale, body.clone()).await.is_problem(status, code);
        assert_eq!(refused.text("/errors/0/pointer"), pointer, "{body}");
    }
    assert_eq!(market.footprint().await, before);
}

// SAL-5
#[tokio::test]
async fn a_refund_may_be_paid_out_at_another_register_and_counts_there() {
    let market = Market::open().await;
    market.restock("WINE", 5).await;
    let other_shop = market.add_shop("S02").await;
    let other = market.add_register(&other_shop, "R07").await;
    let sale = market.sell(&[("WINE", "2")]).await;
    let shift = market.open_shift(&other, 5000).await;
    let body = json!({ "reason": "r", "lines": [{ "line": 1, "quantity": "1" }], "registerId": other });
    let refund = market.refund_with(&sale, body).await.is(201).json;
    assert_eq!(refund["receiptNumber"], "S02-R07-000001");
    assert_eq!((&refund["shopId"], &refund["shiftId"]), (&json!(other_shop), &json!(shift)));
    assert_eq!(market.on_hand("WINE").await, "3", "the bottle is in the other shop now");
    let report = market.close_shift(&shift, 3800).await.is(200).json;
    assert_eq!((number(&report, "/refunds"), &report["gross"]), (1, &eur(-1200)));
    assert_eq!(report["difference"], eur(0));
    assert_eq!(market.violations().await, []);
}

// SAL-5, IDN-4
#[tokio::test]
async fn refunding_needs_its_permission() {
    let market = Market::open().await;
    let sale = market.sell(&[("WINE", "2")]).await;
    let clerk = market.site.member("acme", &["sales:read", "sales:write", "sales:void"]);
    let body = json!({ "reason": "r", "lines": [{ "line": 1, "quantity": "1" }] });
    let path = format!("/sales/{}/refund", text(&sale, "/id"));
    clerk.post(&path, body).await.is_problem(403, "PERMISSION_DENIED");
}
