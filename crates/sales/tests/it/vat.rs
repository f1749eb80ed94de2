//! VAT: rates, their dates, both rounding policies, prices with and without it, and how it is explained.

use kernel::VatRounding;
use serde_json::{Value, json};

use crate::market::{Market, eur, number, tender, text};

const PENS: [(&str, &str); 3] = [("PEN", "1"), ("PEN", "1"), ("PEN", "1")];

async fn check(
    inclusive: bool,
    rounding: VatRounding,
    lines: &[(&str, &str)],
    vats: &[i64],
    totals: (i64, i64, i64),
) {
    let market = Market::open_with(|settings| {
        settings.prices_include_vat = inclusive;
        settings.vat_rounding = rounding;
    })
    .await;
    let sale = market.sell(lines).await;
    let found: Vec<i64> =
        sale["lines"].as_array().unwrap().iter().map(|line| number(line, "/vat/amount")).collect();
    assert_eq!(found, vats, "{sale}");
    let (net, vat, gross) = totals;
    assert_eq!(sale["totals"]["net"], eur(net));
    assert_eq!(sale["totals"]["vat"], eur(vat));
    assert_eq!(sale["totals"]["gross"], eur(gross));
    adds_up(&sale);
    assert_eq!(market.violations().await, []);
}

/// Lines make the rates, rates make the totals, net and VAT make gross.
#[track_caller]
pub fn adds_up(sale: &Value) {
    let lines = sale["lines"].as_array().unwrap();
    let taxes = sale["vat"].as_array().unwrap();
    for part in ["net", "vat", "gross"] {
        let pointer = format!("/{part}/amount");
        let sum: i64 = lines.iter().map(|line| number(line, &pointer)).sum();
        assert_eq!(sum, number(sale, &format!("/totals{pointer}")), "{part} of {sale}");
    }
    for line in lines {
        let (net, vat) = (number(line, "/net/amount"), number(line, "/vat/amount"));
        assert_eq!(net + vat, number(line, "/gross/amount"), "{line}");
    }
    for tax in taxes {
        for part in ["net", "vat"] {
            let pointer = format!("/{part}/amount");
            let of_rate = lines.iter().filter(|line| line["vatRate"] == tax["rate"]);
            assert_eq!(
                of_rate.map(|line| number(line, &pointer)).sum::<i64>(),
                number(tax, &pointer),
                "{tax}"
            );
        }
    }
}

// SAL-2
#[tokio::test]
async fn prices_with_vat_rounded_per_line() {
    check(true, VatRounding::Line, &PENS, &[1, 1, 1], (18, 3, 21)).await;
}

// SAL-2: 21 with VAT hold 3.50 of it; the 4 are spread by largest remainder, ties to the earlier line.
#[tokio::test]
async fn prices_with_vat_rounded_per_total() {
    check(true, VatRounding::Total, &PENS, &[2, 1, 1], (17, 4, 21)).await;
}

// SAL-2
#[tokio::test]
async fn prices_without_vat_rounded_per_line() {
    check(false, VatRounding::Line, &PENS, &[1, 1, 1], (21, 3, 24)).await;
}

// SAL-2: 20 % of 21 is 4.2, so one line bears a second cent.
#[tokio::test]
async fn prices_without_vat_rounded_per_total() {
    check(false, VatRounding::Total, &PENS, &[2, 1, 1], (21, 4, 25)).await;
}

// SAL-2: half a cent goes away from zero: 0.5 kg at 25.99 is 12.995.
#[tokio::test]
async fn halves_round_away_from_zero_and_rates_stay_apart() {
    let lines = [("CHEESE", "0.5"), ("WINE", "1"), ("BOOK", "1")];
    check(true, VatRounding::Line, &lines, &[118, 200, 0], (3182, 318, 3500)).await;
}

async fn set_rates(market: &Market, rates: Value) {
    market.clerk.put("/tax-rates", json!({ "rates": rates })).await.is(200);
}

// SAL-2
#[tokio::test]
async fn the_rate_is_the_one_valid_when_the_sale_happened() {
    let market = Market::open().await;
    set_rates(&market, json!([
        { "category": "standard", "rate": 1600, "validFrom": "2020-07-01T00:00:00Z", "validTo": "2021-01-01T00:00:00Z" },
        { "category": "standard", "rate": 1900, "validFrom": "2021-01-01T00:00:00Z" },
        { "category": "reduced", "rate": 700 },
        { "category": "zero", "rate": 0 },
    ]))
    .await;
    let sold_at = async |when: &str| {
        let mut body = market.basket(&[("WINE", "1")], &[tender("cash", 2000)]);
        body["occurredAt"] = json!(when);
        market.send(body).await
    };
    assert_eq!(number(&sold_at("2020-12-31T23:59:59.999999Z").await.is(201).json, "/lines/0/vatRate"), 1600);
    assert_eq!(number(&sold_at("2021-01-01T00:00:00Z").await.is(201).json, "/lines/0/vatRate"), 1900);
    let before = market.footprint().await;
    let refused = sold_at("2020-06-30T23:59:59Z").await.is_problem(422, "TAX_RATE_MISSING");
    assert_eq!(refused.text("/errors/0/pointer"), "/lines/0/sku");
    assert_eq!(market.footprint().await, before);
    assert_eq!(market.violations().await, []);
}

// SAL-2: the policy is frozen on the sale.
#[tokio::test]
async fn corrections_follow_the_policy_of_the_sale_not_todays() {
    let mut market = Market::open_with(|settings| settings.vat_rounding = VatRounding::Total).await;
    let sale = market.sell(&PENS).await;
    market.change_settings(|settings| {
        settings.vat_rounding = VatRounding::Line;
        settings.prices_include_vat = false;
    });
    set_rates(
        &market,
        json!([
            { "category": "standard", "rate": 1000 }, { "category": "reduced", "rate": 500 },
            { "category": "zero", "rate": 0 },
        ]),
    )
    .await;
    let refund = market.refund(&sale, &[(1, "1"), (2, "1"), (3, "1")]).await.is(201).json;
    assert_eq!(refund["totals"]["vat"], eur(-4));
    assert_eq!(refund["totals"]["gross"], eur(-21));
    assert_eq!(refund["lines"][0]["vatRate"], 2000);
    let explained = market.clerk.get(&format!("/sales/{}?explain=vat", text(&sale, "/id"))).await.is(200);
    assert!(explained.json["explanation"].to_string().contains("largest remainder"), "{}", explained.json);
    assert_eq!(market.violations().await, []);
}

// SAL-2
#[tokio::test]
async fn every_amount_can_be_explained() {
    let market = Market::open().await;
    let sale = market.sell(&[("WINE", "2"), ("BREAD", "0.450")]).await;
    let path = format!("/sales/{}", text(&sale, "/id"));
    let explained = market.clerk.get(&format!("{path}?explain=vat")).await.is(200).json;
    let told: Vec<String> = explained["explanation"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told.as_str().unwrap().to_owned())
        .collect();
    // Two lines, two rates, the total.
    assert_eq!(told.len(), 5, "{told:?}");
    for part in ["0.450", "3.33 EUR", "1.50 EUR", "10.00 %"] {
        assert!(told[1].contains(part), "{part} in {}", told[1]);
    }
    assert!(told[4].contains("25.50 EUR"), "{}", told[4]);
    assert!(market.look(&sale).await.get("explanation").is_none());
    market.clerk.get(&format!("{path}?explain=everything")).await.is_problem(400, "VALIDATION_FAILED");
}
