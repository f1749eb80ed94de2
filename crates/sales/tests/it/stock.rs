//! What a sale does to the shelf, and what the shelf allows.

use futures::future::join_all;
use kernel::ShortagePolicy;
use serde_json::json;

use crate::market::{Market, tender, text};

// INV-2
#[tokio::test]
async fn a_counted_shelf_refuses_more_than_it_holds_and_says_what_is_left() {
    let market = Market::open().await;
    market.restock("WINE", 3).await;
    market.sell(&[("WINE", "1")]).await;
    let before = market.footprint().await;
    for _ in 0..2 {
        let refused =
            market.send(market.basket(&[("PEN", "1"), ("WINE", "2.001")], &[tender("cash", 5000)])).await;
        let refused = refused.is_problem(409, "OUT_OF_STOCK");
        assert_eq!(refused.text("/sku"), "WINE");
    }
    assert_eq!(market.footprint().await, before);
    // Two lines of one SKU count together.
    let twice = market.basket(&[("WINE", "1.5"), ("WINE", "1")], &[tender("cash", 5000)]);
    market.send(twice).await.is_problem(409, "OUT_OF_STOCK");
    market.sell(&[("WINE", "1.5"), ("WINE", "0.5")]).await;
    assert_eq!(market.on_hand("WINE").await, "0");
    assert_eq!(market.violations().await, []);
}

// SAL-1: nobody counted, nobody is refused.
#[tokio::test]
async fn a_shelf_that_nobody_counted_goes_negative() {
    let market = Market::open().await;
    market.sell(&[("CHEESE", "0.125")]).await;
    assert_eq!(market.on_hand("CHEESE").await, "-0.125");
    assert_eq!(market.violations().await, []);
}

#[tokio::test]
async fn a_merchant_who_flags_sells_more_than_there_is() {
    let market = Market::open_with(|settings| settings.shortage_policy = ShortagePolicy::Flag).await;
    market.restock("WINE", 1).await;
    market.sell(&[("WINE", "3")]).await;
    assert_eq!(market.on_hand("WINE").await, "-2");
    assert_eq!(market.violations().await, []);
}

// INV-2: what is reserved for a checkout is not sold at the till.
#[tokio::test]
async fn reserved_units_are_not_sold() {
    let market = Market::open().await;
    market.restock("WINE", 2).await;
    let line = json!({ "shopId": market.shop, "sku": "WINE", "quantity": "1" });
    let held = market.clerk.post("/inventory/reserve", json!({ "lines": [line] })).await.is(201).json;
    let refused = market.send(market.basket(&[("WINE", "2")], &[tender("cash", 2400)])).await;
    refused.is_problem(409, "OUT_OF_STOCK");
    market.sell(&[("WINE", "1")]).await;
    market.clerk.post("/inventory/release", json!({ "reservationId": text(&held, "/id") })).await.is(200);
    market.sell(&[("WINE", "1")]).await;
    assert_eq!(market.violations().await, []);
}

// SAL-4, SAL-5
#[tokio::test]
async fn goods_come_back_to_the_shelf_with_voids_and_refunds_unless_written_off() {
    let market = Market::open().await;
    market.restock("WINE", 10).await;
    let voided = market.sell(&[("WINE", "4")]).await;
    market.void(&voided).await.is(201);
    assert_eq!(market.on_hand("WINE").await, "10");

    let sale = market.sell(&[("WINE", "4")]).await;
    let restocked = market.refund(&sale, &[(1, "1")]).await.is(201).json;
    assert_eq!(restocked["lines"][0]["restocked"], true);
    assert_eq!(market.on_hand("WINE").await, "7");
    let body = json!({ "reason": "corked", "lines": [{ "line": 1, "quantity": "2", "restock": false }] });
    let written_off = market.refund_with(&sale, body).await.is(201).json;
    assert_eq!(written_off["lines"][0]["restocked"], false);
    assert_eq!(market.on_hand("WINE").await, "7");
    assert_eq!(market.violations().await, []);
}

// INV-2: sales of one moment are decided together; one that is refused takes nothing from the others.
#[tokio::test]
async fn a_till_that_wants_too_much_leaves_the_shelf_to_the_others() {
    let market = Market::open().await;
    market.restock("WINE", 30).await;
    let want = |units: &str| {
        market.send(market.basket(&[("PEN", "1"), ("WINE", units)], &[tender("cash", 100_000)]))
    };
    // From now on the shelf is looked at before it is sold from.
    want("31").await.is_problem(409, "OUT_OF_STOCK");
    let answers = join_all((0..60).map(|n| want(if n % 2 == 0 { "31" } else { "1" }))).await;
    for (n, answer) in answers.into_iter().enumerate() {
        match n % 2 {
            0 => assert_eq!(answer.is_problem(409, "OUT_OF_STOCK").text("/sku"), "WINE"),
            _ => drop(answer.is(201)),
        }
    }
    assert_eq!(market.on_hand("WINE").await, "0");
    assert_eq!(market.violations().await, []);
}
