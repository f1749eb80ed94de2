//! Cash has no smaller coin: only what is paid in cash is rounded, and the books say by how much.

use kernel::CashRounding;
use serde_json::json;

use crate::market::{Market, eur, tender};

async fn market() -> Market {
    Market::open_with(|settings| settings.cash_rounding = CashRounding(5)).await
}

// SAL-2: cash rounding.
#[tokio::test]
async fn cash_is_rounded_to_the_smallest_coin_up_and_down() {
    let market = market().await;
    let up = market.sell_for(&[("BREAD", "1")], &[tender("cash", 500)]).await;
    assert_eq!(up["totals"]["gross"], eur(333));
    assert_eq!(up["totals"]["cashRounding"], eur(2));
    assert_eq!(up["change"], eur(165));
    let down = market.sell_for(&[("BREAD", "4")], &[tender("cash", 1330)]).await;
    assert_eq!(down["totals"]["cashRounding"], eur(-2));
    assert_eq!(down["change"], eur(0));
    let small = market.sell_for(&[("PEN", "0.143")], &[tender("cash", 5)]).await;
    assert_eq!(small["totals"]["gross"], eur(1));
    assert_eq!(small["totals"]["cashRounding"], eur(-1));
    assert_eq!(small["change"], eur(5));
    assert_eq!(market.violations().await, []);
}

// SAL-2
#[tokio::test]
async fn cards_are_not_rounded_and_of_a_split_only_the_cash_is() {
    let market = market().await;
    let card = market.sell_for(&[("BREAD", "1")], &[tender("card", 333)]).await;
    assert_eq!(card["totals"]["cashRounding"], eur(0));
    let split = market.sell_for(&[("BREAD", "1")], &[tender("card", 300), tender("cash", 40)]).await;
    assert_eq!(split["totals"]["cashRounding"], eur(2));
    assert_eq!(split["change"], eur(5));
    let short = market.basket(&[("BREAD", "1")], &[tender("card", 300), tender("cash", 34)]);
    market.send(short).await.is_problem(422, "TENDER_SHORT");
    assert_eq!(market.violations().await, []);
}

// SAL-5: whatever was rounded on the way, in the end as much went back as was taken.
#[tokio::test]
async fn refunds_of_rounded_sales_give_back_exactly_what_was_taken() {
    let market = market().await;
    let sale = market.sell_for(&[("BREAD", "3"), ("PEN", "1")], &[tender("cash", 1005)]).await;
    assert_eq!(sale["totals"]["gross"], eur(1006));
    assert_eq!(sale["totals"]["cashRounding"], eur(-1));
    let mut back = 0;
    for lines in [&[(1, "1")][..], &[(2, "1")], &[(1, "1.5")], &[(1, "0.5")]] {
        let refund = market.refund(&sale, lines).await.is(201).json;
        let tenders = refund["tenders"].as_array().unwrap();
        let paid: i64 = tenders.iter().map(|tender| tender["amount"]["amount"].as_i64().unwrap()).sum();
        assert_eq!(paid % 5, 0, "paid in coins that exist: {refund}");
        back += paid;
    }
    assert_eq!(back, -1005);
    let after = market.look(&sale).await;
    assert_eq!(after["status"], "refunded");
    assert_eq!(after["refundedTotal"], eur(1006));
    assert_eq!(market.violations().await, []);
}

// SAL-4
#[tokio::test]
async fn a_void_takes_the_rounding_back_too() {
    let market = market().await;
    let sale = market.sell_for(&[("BREAD", "1")], &[tender("cash", 500)]).await;
    let void = market.void(&sale).await.is(201).json;
    assert_eq!(void["totals"]["cashRounding"], eur(-2));
    assert_eq!(void["tenders"], json!([tender("cash", -335)]));
    assert_eq!(market.violations().await, []);
}
