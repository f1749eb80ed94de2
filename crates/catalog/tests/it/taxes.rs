//! Tax rates.

use axum::http::Method;
use kernel::Rate;
use serde_json::json;

use crate::fixture::{Market, product};

// SAL-2: rates per tax category in basis points with validity dates.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_merchant_has_three_rates_and_seeding_again_changes_nothing() {
    let market = Market::new().await;
    let rates = market.clerk.get("/tax-rates").await.is(200);
    let list: Vec<_> = rates.json["rates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rate| (rate["category"].as_str().unwrap().to_owned(), rate["rate"].as_i64().unwrap()))
        .collect();
    assert_eq!(list, [("reduced".to_owned(), 1000), ("standard".to_owned(), 2000), ("zero".to_owned(), 0)]);
    let tx = market.begin().await;
    catalog::seed_tax_rates(&tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(market.clerk.get("/tax-rates").await.json, rates.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rates_count_at_once_by_their_time() {
    let market = Market::new().await;
    let before = market.catalog.tax_table(&market.ctx()).await.unwrap();
    let now = market.ctx().now();
    assert_eq!(before.rate_at("standard", now), Some(Rate(2000)));
    let tag = market.clerk.get("/tax-rates").await.header("etag").to_owned();
    let body = json!({ "rates": [
        { "category": "standard", "rate": 1600, "validTo": "2026-11-21T00:00:00Z" },
        { "category": "standard", "rate": 1900, "validFrom": "2026-11-21T00:00:00Z" },
        { "category": "books", "rate": 700 },
    ] });
    let put = market.clerk.api(Method::PUT, "/tax-rates").header("if-match", &tag).json(&body);
    put.send().await.is(200);
    let after = market.catalog.tax_table(&market.ctx()).await.unwrap();
    assert_eq!(after.rate_at("standard", now), Some(Rate(1900)));
    assert_eq!(after.rate_at("standard", "2020-01-01T00:00:00Z".parse().unwrap()), Some(Rate(1600)));
    assert_eq!((after.rate_at("books", now), after.knows("zero")), (Some(Rate(700)), false));
}

#[tokio::test(flavor = "multi_thread")]
async fn overlaps_and_rates_that_products_need_are_refused() {
    let market = Market::new().await;
    market.clerk.post("/products", product("A", "Apple", 100)).await.is(201);
    let overlap = json!({ "rates": [
        { "category": "standard", "rate": 1600 },
        { "category": "standard", "rate": 1900, "validFrom": "2026-01-01T00:00:00Z" },
    ] });
    let refused = market.clerk.put("/tax-rates", overlap).await.is_problem(422, "TAX_PERIODS_OVERLAP");
    assert_eq!(refused.json["errors"][0]["pointer"], "/rates/1/validFrom");
    let gone = json!({ "rates": [{ "category": "zero", "rate": 0 }] });
    market.clerk.put("/tax-rates", gone).await.is_problem(409, "TAX_CATEGORY_IN_USE");
    let backwards = json!({ "rates": [
        { "category": "standard", "rate": 1, "validFrom": "2026-01-02T00:00:00Z", "validTo": "2026-01-01T00:00:00Z" },
    ] });
    market.clerk.put("/tax-rates", backwards).await.is_problem(400, "VALIDATION_FAILED");
    let absurd = json!({ "rates": [{ "category": "standard", "rate": 10_001 }] });
    market.clerk.put("/tax-rates", absurd).await.is_problem(400, "VALIDATION_FAILED");
    let stale = market.clerk.api(Method::PUT, "/tax-rates").header("if-match", "\"0\"");
    stale.json(&json!({ "rates": [] })).send().await.is_problem(412, "PRECONDITION_FAILED");
    assert_eq!(market.clerk.get("/tax-rates").await.json["rates"].as_array().unwrap().len(), 3);
    market.check().await;
}
