//! Where the money of a refund goes: back to the original tenders, never more than each took.

use kernel::{CashRounding, VatRounding};
use serde_json::{Value, json};

use crate::{
    market::{Market, PRODUCTS, eur, number, tender},
    vat::adds_up,
};

fn by_method(refund: &Value) -> Vec<(String, i64)> {
    let tenders = refund["tenders"].as_array().unwrap();
    tenders.iter().map(|t| (t["method"].as_str().unwrap().to_owned(), number(t, "/amount/amount"))).collect()
}

// SAL-5
#[tokio::test]
async fn money_goes_back_to_the_original_tenders_cards_before_cash() {
    let market = Market::open().await;
    let sale = market.sell_for(&[("WINE", "2")], &[tender("card", 1000), tender("cash", 1500)]).await;
    let first = market.refund(&sale, &[(1, "1")]).await.is(201).json;
    let mut paid = by_method(&first);
    paid.sort();
    assert_eq!(paid, [("card".to_owned(), -1000), ("cash".to_owned(), -200)]);
    let second = market.refund(&sale, &[(1, "1")]).await.is(201).json;
    assert_eq!(by_method(&second), [("cash".to_owned(), -1200)]);
    assert_eq!(market.violations().await, []);
}

// SAL-5
#[tokio::test]
async fn tenders_may_be_chosen_within_what_each_took() {
    let market = Market::open().await;
    let sale = market.sell_for(&[("WINE", "2")], &[tender("card", 1000), tender("cash", 1400)]).await;
    let body = |tenders: Value| json!({ "reason": "r", "lines": [{ "line": 1, "quantity": "1" }], "tenders": tenders });
    let before = market.footprint().await;
    let too_much = market.refund_with(&sale, body(json!([tender("card", 1200)]))).await;
    too_much.is_problem(409, "REFUND_TENDER_EXCEEDED");
    let unknown = market.refund_with(&sale, body(json!([tender("voucher", 1200)]))).await;
    unknown.is_problem(409, "REFUND_TENDER_EXCEEDED");
    let too_little = market.refund_with(&sale, body(json!([tender("cash", 1199)]))).await;
    assert_eq!(number(&too_little.is_problem(422, "TENDER_SHORT").json, "/due"), 1200);
    market.refund_with(&sale, body(json!([tender("cash", 1201)]))).await.is_problem(422, "TENDER_SHORT");
    market.refund_with(&sale, body(json!([tender("cash", 0)]))).await.is_problem(422, "TENDER_SHORT");
    market.refund_with(&sale, body(json!([]))).await.is_problem(400, "VALIDATION_FAILED");
    let foreign = json!([{ "method": "cash", "amount": { "amount": 1200, "currency": "USD" } }]);
    market.refund_with(&sale, body(foreign)).await.is_problem(422, "CURRENCY_MISMATCH");
    assert_eq!(market.footprint().await, before);

    let split = json!([tender("cash", 1000), tender("card", 200)]);
    market.refund_with(&sale, body(split)).await.is(201);
    let rest = market.refund(&sale, &[(1, "1")]).await.is(201).json;
    let mut paid = by_method(&rest);
    paid.sort();
    assert_eq!(paid, [("card".to_owned(), -800), ("cash".to_owned(), -400)]);
    assert_eq!(market.violations().await, []);
}

// SAL-5: goods that cost nothing come back without money.
#[tokio::test]
async fn free_goods_can_be_refunded() {
    let market = Market::open().await;
    let mut body = market.basket(&[("WINE", "1"), ("PEN", "1")], &[tender("card", 7)]);
    body["lines"][0]["discount"] = eur(1200);
    let sale = market.send(body).await.is(201).json;
    let free = market.refund(&sale, &[(1, "1")]).await.is(201).json;
    assert_eq!((&free["totals"]["gross"], &free["tenders"]), (&eur(0), &json!([])));
    let rest = market.refund(&sale, &[(2, "1")]).await.is(201).json;
    assert_eq!(by_method(&rest), [("card".to_owned(), -7)]);
    assert_eq!(market.violations().await, []);
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % limit
    }
}

fn thousandths(value: i64) -> String {
    format!("{}.{:03}", value / 1000, value % 1000)
}

/// Sells what the dice say, then refunds it piece by piece until nothing is left.
async fn sell_and_give_back(market: &Market, dice: &mut Dice) {
    let mut left = Vec::new();
    let mut body = market.basket(&[], &[]);
    let mut gross_bound = 0;
    for _ in 0..1 + dice.below(6) {
        let (sku, price, ..) = PRODUCTS[usize::try_from(dice.below(5)).unwrap()];
        let units = 1 + dice.below(4000);
        let value = price * units / 1000;
        let mut line = json!({ "sku": sku, "quantity": thousandths(units) });
        if value > 1 {
            line["discount"] = eur(dice.below(value));
        }
        gross_bound += value * 2 + 10;
        body["lines"].as_array_mut().unwrap().push(line);
        left.push(units);
    }
    body["tenders"] = json!([tender("cash", gross_bound)]);
    let sale = market.send(body).await.is(201).json;
    adds_up(&sale);
    let taken = gross_bound - number(&sale, "/change/amount");
    let mut back = [0_i64; 5];
    while left.iter().any(|units| *units > 0) {
        let mut lines = Vec::new();
        for (index, units) in left.iter_mut().enumerate().filter(|(_, units)| **units > 0) {
            let part = 1 + dice.below(*units);
            *units -= part;
            lines.push(json!({ "line": index + 1, "quantity": thousandths(part), "restock": part % 2 == 0 }));
        }
        let refund =
            market.refund_with(&sale, json!({ "reason": "piece", "lines": lines })).await.is(201).json;
        adds_up(&refund);
        for (sum, part) in back.iter_mut().zip(["net", "vat", "gross", "discount"]) {
            *sum += number(&refund, &format!("/totals/{part}/amount"));
        }
        back[4] += by_method(&refund).iter().map(|(_, amount)| amount).sum::<i64>();
    }
    let sold =
        ["net", "vat", "gross", "discount"].map(|part| -number(&sale, &format!("/totals/{part}/amount")));
    assert_eq!(back[..4], sold, "{sale}");
    assert_eq!(back[4], -taken, "{sale}");
    market.refund(&sale, &[(1, "0.001")]).await.is_problem(409, "REFUND_EXCEEDS_SALE");
}

// SAL-2, SAL-5: residuals, whatever the policy, quantities, discounts and pieces.
#[tokio::test]
async fn whatever_is_sold_comes_back_to_the_cent_in_whatever_pieces() {
    for (seed, (inclusive, rounding, coin)) in [
        (true, VatRounding::Line, 1),
        (true, VatRounding::Total, 5),
        (false, VatRounding::Line, 5),
        (false, VatRounding::Total, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let market = Market::open_with(|settings| {
            settings.prices_include_vat = inclusive;
            settings.vat_rounding = rounding;
            settings.cash_rounding = CashRounding(coin);
        })
        .await;
        let mut dice = Dice(42 + seed as u64);
        for _ in 0..6 {
            sell_and_give_back(&market, &mut dice).await;
        }
        assert_eq!(market.violations().await, []);
    }
}
