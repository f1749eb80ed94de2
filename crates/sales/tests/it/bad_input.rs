//! Bad input: a problem with a stable code and a pointer to each field, and nothing is changed (HTTP-2, HTTP-8).

use serde_json::{Value, json};

use crate::market::{Market, eur, tender};

/// What is put where into a good sale, and what must come of it.
struct Case {
    pointer: &'static str,
    value: Value,
    status: u16,
    code: &'static str,
    /// Where the answer points to, when it is not where the value was put.
    at: Option<&'static str>,
}

fn bad(pointer: &'static str, value: Value) -> Case {
    Case { pointer, value, status: 400, code: "VALIDATION_FAILED", at: None }
}

fn refused(pointer: &'static str, value: Value, status: u16, code: &'static str) -> Case {
    Case { pointer, value, status, code, at: None }
}

impl Case {
    fn at(mut self, pointer: &'static str) -> Self {
        self.at = Some(pointer);
        self
    }
}

/// Puts `value` at `pointer`, whose parent exists.
fn put(body: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap();
    match name.parse::<usize>() {
        Ok(index) if parent.is_array() => parent[index] = value,
        _ => parent[name] = value,
    }
}

fn cases() -> Vec<Case> {
    let money = |amount: Value, currency: &str| json!({ "amount": amount, "currency": currency });
    let mut cases = vec![
        bad("/registerId", json!("reg_1")),
        bad("/registerId", json!("shp_01J00000000000000000000000")),
        bad("/registerId", json!(7)),
        bad("/shopId", json!("S01")),
        bad("/customerId", json!("Ann")),
        bad("/occurredAt", json!("yesterday")),
        bad("/occurredAt", json!("2026-02-30T10:00:00Z")),
        bad("/occurredAt", json!(1)),
        bad("/lines", json!([])),
        bad("/lines", json!({})),
        bad("/lines", json!(null)),
        bad("/lines", Value::Array(vec![json!({ "sku": "PEN", "quantity": "1" }); 501])),
        bad("/lines/0", json!("PEN")),
        bad("/lines/0/sku", json!("")),
        bad("/lines/0/sku", json!("x".repeat(65))),
        bad("/lines/0/sku", json!("a\u{0}b")),
        bad("/lines/0/sku", json!(4006381333931_i64)),
        bad("/lines/0/quantity", json!("0")),
        bad("/lines/0/quantity", json!("-1")),
        bad("/lines/0/quantity", json!("1.0001")),
        bad("/lines/0/quantity", json!("1e3")),
        bad("/lines/0/quantity", json!("NaN")),
        bad("/lines/0/quantity", json!("")),
        bad("/lines/0/quantity", json!(" 1")),
        bad("/lines/0/quantity", json!("1000000.001")),
        bad("/lines/0/quantity", json!("99999999999999999999")),
        bad("/lines/0/quantity", json!(1)),
        bad("/lines/0/quantity", json!("١")),
        bad("/lines/0/unitPrice", json!(12.5)),
        bad("/lines/0/unitPrice", eur(-1)),
        bad("/lines/0/unitPrice", money(json!(12.5), "EUR")).at("/lines/0/unitPrice/amount"),
        bad("/lines/0/unitPrice", money(json!(1_000_000_000_000_001_i64), "EUR"))
            .at("/lines/0/unitPrice/amount"),
        bad("/lines/0/unitPrice", money(json!(1), "euro")).at("/lines/0/unitPrice/currency"),
        bad("/lines/0/discount", eur(-1)),
        bad("/lines/0/discount", json!({ "amount": 1 })).at("/lines/0/discount/currency"),
        bad("/lines/0/price", json!(1)),
        bad("/tenders", Value::Array(vec![tender("cash", 1); 21])),
        bad("/tenders/0/method", json!("bitcoin")),
        bad("/tenders/0/amount", eur(0)).at("/tenders"),
        bad("/tenders/0/amount", eur(-5)).at("/tenders"),
        bad("/tenders/0/amount", eur(10_000_000_000_001)).at("/tenders"),
        bad("/lines/0/unitPrice", eur(10_000_000_000_001)),
        bad("/tenders/0/cardNumber", json!("4111111111111111")),
        bad("/total", json!("12.00")),
        bad("/channel", json!("web")),
        bad("/shiftId", json!("shf_01J00000000000000000000000")),
    ];
    cases.extend([
        refused("/registerId", json!("reg_01J00000000000000000000000"), 422, "UNKNOWN_REGISTER"),
        refused("/customerId", json!("cus_01J00000000000000000000000"), 422, "UNKNOWN_CUSTOMER"),
        refused("/shopId", json!("shp_01J00000000000000000000000"), 422, "REGISTER_IN_OTHER_SHOP"),
        refused("/occurredAt", json!("2026-11-21T10:05:01Z"), 422, "OCCURRED_IN_FUTURE"),
        refused("/lines/0/sku", json!("NOTHING"), 422, "UNKNOWN_SKU"),
        refused("/lines/0/sku", json!("wine"), 422, "UNKNOWN_SKU"),
        refused("/lines/0/sku", json!("' or 1=1 --"), 422, "UNKNOWN_SKU"),
        refused("/lines/0/unitPrice", money(json!(1), "USD"), 422, "CURRENCY_MISMATCH"),
        refused("/lines/0/discount", money(json!(1), "USD"), 422, "CURRENCY_MISMATCH"),
        refused("/lines/0/discount", eur(1201), 422, "DISCOUNT_TOO_LARGE"),
        refused("/total", money(json!(1200), "USD"), 422, "CURRENCY_MISMATCH"),
        refused("/tenders/0/amount/currency", json!("USD"), 422, "CURRENCY_MISMATCH"),
    ]);
    cases
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_changed() {
    let market = Market::open().await;
    let before = market.footprint().await;
    let good = market.basket(&[("WINE", "1")], &[tender("cash", 1200)]);
    for case in cases() {
        let mut body = good.clone();
        put(&mut body, case.pointer, case.value.clone());
        let shown: String = case.value.to_string().chars().take(60).collect();
        let answer = market.send(body).await;
        let found = (answer.status, answer.code());
        assert_eq!(found, (case.status, case.code), "{} = {shown}: {}", case.pointer, answer.json);
        let pointer = answer.text("/errors/0/pointer");
        // A money of the wrong currency may be pointed to itself.
        let wanted = case.at.unwrap_or(case.pointer);
        assert_eq!(pointer, wanted, "{} = {shown}: {}", case.pointer, answer.json);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        for member in ["type", "title", "status", "instance", "correlationId", "traceId"] {
            assert!(answer.json.get(member).is_some(), "{member} of {}", answer.json);
        }
    }
    assert_eq!(market.footprint().await, before);
    market.send(good).await.is(201);
}

#[tokio::test]
async fn several_wrong_fields_are_all_named_at_once() {
    let market = Market::open().await;
    let mut body = market.basket(&[("WINE", "1"), ("", "0")], &[tender("cash", 0)]);
    body["lines"][0]["discount"] = eur(-1);
    let refused = market.send(body).await.is_problem(400, "VALIDATION_FAILED");
    let mut named: Vec<&str> =
        refused.json["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    named.sort_unstable();
    assert_eq!(named, ["/lines/0/discount", "/lines/1/quantity", "/lines/1/sku", "/tenders"]);
}

#[tokio::test]
async fn what_is_no_sale_at_all_is_refused() {
    let market = Market::open().await;
    let before = market.footprint().await;
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let twice = r#"{"registerId":"x","registerId":"y","lines":[]}"#;
    for (body, status, code) in [
        ("", 400, "MALFORMED_JSON"),
        ("{", 400, "MALFORMED_JSON"),
        ("[]", 400, "VALIDATION_FAILED"),
        ("null", 400, "VALIDATION_FAILED"),
        (r#"{"lines":[{"sku":"PEN","quantity":"1"}]} {}"#, 400, "MALFORMED_JSON"),
        (deep.as_str(), 400, "MALFORMED_JSON"),
        (twice, 400, "VALIDATION_FAILED"),
        (r#"{"lines":[{"sku":"PEN","quantity":"1"}],"tenders":[]}"#, 422, "SHOP_REQUIRED"),
    ] {
        let call = market.clerk.api(http::Method::POST, "/sales").key("k").body("application/json", body);
        let answer = call.send().await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}: {}", answer.json);
    }
    let post = || market.clerk.api(http::Method::POST, "/sales").key("k");
    post()
        .body("application/json", vec![b'"', 0xff, 0xfe, b'"'])
        .send()
        .await
        .is_problem(400, "MALFORMED_JSON");
    post().body("text/plain", "{}").send().await.is_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let large = format!(r#"{{"lines":"{}"}}"#, "x".repeat(1 << 20));
    post().body("application/json", large).send().await.is_problem(413, "PAYLOAD_TOO_LARGE");
    let body = market.basket(&[("PEN", "1")], &[tender("cash", 7)]);
    for key in ["", "a b", &"x".repeat(256), "schlüssel"] {
        let call = market.clerk.api(http::Method::POST, "/sales").key(key).json(&body);
        call.send().await.is_problem(400, "VALIDATION_FAILED");
    }
    assert_eq!(market.footprint().await, before);
}

// SAL-1: amounts beyond what can be represented, or added up in a shift's report, are refused, never wrapped.
#[tokio::test]
async fn huge_but_valid_numbers_are_refused_or_exact() {
    const MOST: i64 = 10_000_000_000_000;
    let market = Market::open().await;
    let mut body = market.basket(&[("WINE", "1000000")], &[tender("cash", MOST)]);
    body["lines"][0]["unitPrice"] = eur(MOST);
    let before = market.footprint().await;
    market.send(body.clone()).await.is_problem(422, "AMOUNT_OUT_OF_RANGE");
    body["lines"] = Value::Array(vec![json!({ "sku": "WINE", "quantity": "1", "unitPrice": eur(MOST) }); 2]);
    market.send(body.clone()).await.is_problem(422, "AMOUNT_OUT_OF_RANGE");
    let change = market.basket(&[("WINE", "1")], &[tender("cash", 10_000_001_201)]);
    let refused = market.send(change).await;
    assert_eq!(refused.is_problem(422, "AMOUNT_OUT_OF_RANGE").text("/errors/0/pointer"), "/tenders");
    assert_eq!(market.footprint().await, before);
    body["lines"] = json!([{ "sku": "WINE", "quantity": "1000000", "unitPrice": eur(10_000_000) }]);
    let sale = market.send(body).await.is(201).json;
    assert_eq!(sale["totals"]["gross"], eur(MOST));
    market.refund(&sale, &[(1, "0.001")]).await.is(201);
    market.sell_for(&[("WINE", "1")], &[tender("cash", 10_000_001_200)]).await;
    assert_eq!(market.violations().await, []);
}

// SAL-1
#[tokio::test]
async fn products_that_are_not_sold_any_more_are_refused() {
    let market = Market::open().await;
    let id = market.add_product("OLD", 100, "standard", "").await;
    market.sell(&[("OLD", "1")]).await;
    market.clerk.delete(&format!("/products/{id}")).await.is(204);
    let refused = market.send(market.basket(&[("PEN", "1"), ("OLD", "1")], &[tender("cash", 500)])).await;
    assert_eq!(refused.is_problem(422, "PRODUCT_INACTIVE").text("/errors/0/pointer"), "/lines/1/sku");
}
