//! One transaction for everything that a sale touches.

use serde_json::json;

use crate::market::{Market, eur, number, tender, text};

// SAL-1
#[tokio::test]
async fn a_sale_is_answered_whole_and_priced_by_the_server() {
    let market = Market::open().await;
    let customer = market.add_customer("Ann").await;
    let mut body = market.basket(&[("WINE", "2"), ("BREAD", "0.450")], &[tender("cash", 3000)]);
    body["customerId"] = json!(customer);
    body["occurredAt"] = json!("2026-11-21T09:15:00Z");
    body["shopId"] = json!(market.shop);
    body["total"] = eur(2550);
    let answer = market.send(body).await.is(201);
    let sale = &answer.json;
    assert_eq!(answer.header("location"), format!("/api/v1/sales/{}", text(sale, "/id")));
    assert_eq!(sale["receiptNumber"], "S01-R01-000001");
    assert_eq!(
        (&sale["kind"], &sale["status"], &sale["channel"]),
        (&json!("sale"), &json!("completed"), &json!("till"))
    );
    assert_eq!(sale["lines"][0]["name"], "The WINE");
    assert_eq!(sale["lines"][0]["category"], "Drinks/Wine");
    assert_eq!(sale["lines"][1]["quantity"], "0.450");
    assert_eq!(sale["lines"][1]["gross"], eur(150));
    assert_eq!(sale["lines"][0]["vatRate"], 2000);
    assert_eq!(sale["totals"]["net"], eur(2136));
    assert_eq!(sale["totals"]["vat"], eur(414));
    assert_eq!(sale["totals"]["gross"], eur(2550));
    assert_eq!(
        sale["vat"],
        json!([
            { "rate": 1000, "net": eur(136), "vat": eur(14) },
            { "rate": 2000, "net": eur(2000), "vat": eur(400) },
        ])
    );
    assert_eq!(sale["change"], eur(450));
    assert_eq!(sale["tenders"], json!([tender("cash", 3000)]));
    assert_eq!(sale["customerId"], json!(customer));
    assert_eq!(sale["cashier"], "usr_test");
    assert_eq!(sale["occurredAt"], "2026-11-21T09:15:00Z");
    assert_eq!(sale["createdAt"], "2026-11-21T10:00:00Z");
    assert_eq!((&sale["refundedTotal"], &sale["original"]), (&eur(0), &json!(null)));
    assert_eq!(market.look(sale).await, *sale, "reading it back shows the same");
    assert_eq!(market.violations().await, []);
}

// SAL-1
#[tokio::test]
async fn sale_lines_stock_receipt_key_and_message_are_one_effect() {
    let market = Market::open().await;
    let before = market.footprint().await;
    market.restock("WINE", 10).await;
    let stocked = market.footprint().await;
    let sale = market.sell(&[("WINE", "2"), ("PEN", "1")]).await;
    let grown: Vec<i64> =
        market.footprint().await.iter().zip(&stocked).map(|(after, before)| after - before).collect();
    // Sale, lines, shifts, cash movements, movements, messages, keys, receipt numbers.
    assert_eq!(grown, [1, 2, 0, 0, 2, 1, 1, 1]);
    assert_ne!(before, stocked);
    assert_eq!(market.on_hand("WINE").await, "8");
    let client = market.site.databases.look().await.unwrap();
    let sql = "select data::text from messages.outbox where tenant_id = $1 and kind = 'SaleRecorded'";
    let news: String = client.query_one(sql, &[&market.tenant.id]).await.unwrap().get(0);
    assert!(news.contains(&text(&sale, "/id")), "{news}");
}

// SAL-1: split tender.
#[tokio::test]
async fn several_tenders_pay_together_and_change_is_given_in_cash() {
    let market = Market::open().await;
    let tenders =
        [tender("card", 1000), tender("voucher", 500), tender("gift_card", 200), tender("cash", 1000)];
    let sale = market.sell_for(&[("WINE", "2")], &tenders).await;
    assert_eq!(sale["change"], eur(300));
    assert_eq!(sale["tenders"].as_array().unwrap().len(), 4);
    let exact = market.sell_for(&[("WINE", "1")], &[tender("account", 1200)]).await;
    assert_eq!(exact["change"], eur(0));
    assert_eq!(market.violations().await, []);
}

// SAL-1
#[tokio::test]
async fn tenders_that_do_not_fit_are_refused_with_what_is_due() {
    let market = Market::open().await;
    let before = market.footprint().await;
    let short = market.send(market.basket(&[("WINE", "1")], &[tender("card", 1199)])).await;
    let short = short.is_problem(422, "TENDER_SHORT");
    assert_eq!(number(&short.json, "/due"), 1200);
    let unpaid = market.send(market.basket(&[("WINE", "1")], &[])).await;
    unpaid.is_problem(422, "TENDER_SHORT");
    let too_much = market.send(market.basket(&[("WINE", "1")], &[tender("card", 1201)])).await;
    too_much.is_problem(422, "TENDER_OVERPAID");
    let both = market.basket(&[("WINE", "1")], &[tender("card", 1300), tender("cash", 50)]);
    market.send(both).await.is_problem(422, "TENDER_OVERPAID");
    assert_eq!(market.footprint().await, before);
}

// SAL-1
#[tokio::test]
async fn a_total_that_differs_is_refused_with_the_computed_one() {
    let market = Market::open().await;
    let before = market.footprint().await;
    let mut body = market.basket(&[("WINE", "2")], &[tender("cash", 3000)]);
    body["total"] = eur(2399);
    let refused = market.send(body.clone()).await.is_problem(422, "TOTAL_MISMATCH");
    assert_eq!(number(&refused.json, "/computed"), 2400);
    assert_eq!(market.footprint().await, before);
    body["total"] = eur(2400);
    market.send(body).await.is(201);
}

// SAL-1, IDN-4: another price and a discount are permissions of their own.
#[tokio::test]
async fn a_price_or_discount_by_hand_needs_its_permission() {
    let market = Market::open().await;
    let mut cheaper = market.basket(&[("PEN", "1"), ("WINE", "2")], &[tender("cash", 3000)]);
    cheaper["lines"][1]["unitPrice"] = eur(1000);
    let mut reduced = market.basket(&[("WINE", "2")], &[tender("cash", 3000)]);
    reduced["lines"][0]["discount"] = eur(150);

    let cashier = market.site.member("acme", &["sales:write", "sales:read"]);
    let before = market.footprint().await;
    let refused = cashier.post("/sales", cheaper.clone()).await.is_problem(403, "PERMISSION_DENIED");
    assert_eq!(refused.text("/errors/0/pointer"), "/lines/1/unitPrice");
    let refused = cashier.post("/sales", reduced.clone()).await.is_problem(403, "PERMISSION_DENIED");
    assert_eq!(refused.text("/errors/0/pointer"), "/lines/0/discount");
    assert_eq!(market.footprint().await, before);

    let pricer = market.site.member("acme", &["sales:write", "sales:price"]);
    assert_eq!(pricer.post("/sales", cheaper).await.is(201).json["totals"]["gross"], eur(2007));
    let discounter = market.site.member("acme", &["sales:write", "sales:discount"]);
    let sale = discounter.post("/sales", reduced).await.is(201).json;
    assert_eq!(sale["totals"]["gross"], eur(2250));
    assert_eq!(sale["totals"]["discount"], eur(150));
    assert_eq!(sale["lines"][0]["discount"], eur(150));
    assert_eq!(market.violations().await, []);
}

// SAL-8: programs sell in a shop without a register of their own.
#[tokio::test]
async fn a_sale_without_a_register_is_booked_on_the_shops_register_for_programs() {
    let market = Market::open().await;
    let body = json!({
        "shopId": market.shop, "lines": [{ "sku": "BOOK", "quantity": "1" }], "tenders": [tender("card", 1000)]
    });
    let first = market.send(body.clone()).await.is(201).json;
    assert_eq!(first["receiptNumber"], "S01-API-000001");
    assert_eq!(first["channel"], "api");
    let second = market.send(body).await.is(201).json;
    assert_eq!(second["receiptNumber"], "S01-API-000002");
    assert_eq!(first["registerId"], second["registerId"]);
    assert_eq!(market.violations().await, []);
}

// SAL-3
#[tokio::test]
async fn receipts_count_up_per_register_and_refused_sales_leave_no_gap() {
    let market = Market::open().await;
    for round in 1..=3 {
        let sale = market.sell(&[("PEN", "1")]).await;
        assert_eq!(sale["receiptNumber"], format!("S01-R01-00000{round}"));
        market.send(market.basket(&[("NOTHING", "1")], &[])).await.is_problem(422, "UNKNOWN_SKU");
        let mut other = market.basket(&[("PEN", "1")], &[tender("cash", 10)]);
        other["registerId"] = json!(market.second_register);
        let sale = market.send(other).await.is(201).json;
        assert_eq!(sale["receiptNumber"], format!("S01-R02-00000{round}"));
    }
    assert_eq!(market.violations().await, []);
}

// HTTP-6
#[tokio::test]
async fn the_same_key_and_payload_sells_once_and_replays_the_answer() {
    let market = Market::open().await;
    let body = market.basket(&[("WINE", "1")], &[tender("cash", 1200)]);
    let send = || {
        let call = market.clerk.api(http::Method::POST, "/sales");
        call.key("till-1-sale-1").json(&body).send()
    };
    let first = send().await.is(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = send().await.is(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json, first.json);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(market.count("sales.sale").await, 1);
    // Also after the sale was corrected: a retry is told what the first request was told.
    market.refund(&first.json, &[(1, "1")]).await.is(201);
    assert_eq!(send().await.is(201).json, first.json);

    let other = market.basket(&[("WINE", "2")], &[tender("cash", 2400)]);
    let call = market.clerk.api(http::Method::POST, "/sales");
    call.key("till-1-sale-1").json(&other).send().await.is_problem(422, "IDEMPOTENCY_KEY_REUSED");
    let call = market.clerk.api(http::Method::POST, "/sales");
    call.json(&other).send().await.is_problem(400, "IDEMPOTENCY_KEY_REQUIRED");
    assert_eq!(market.count("sales.sale").await, 2, "the sale and its refund");
}

// HTTP-6: a refused request does not use its key up.
#[tokio::test]
async fn a_key_of_a_refused_sale_can_be_used_for_the_corrected_one() {
    let market = Market::open().await;
    let send = |body| market.clerk.api(http::Method::POST, "/sales").key("k1").json(&body).send();
    send(market.basket(&[("NOTHING", "1")], &[])).await.is_problem(422, "UNKNOWN_SKU");
    send(market.basket(&[("PEN", "1")], &[tender("cash", 7)])).await.is(201);
}

// SAL-1
#[tokio::test(flavor = "multi_thread")]
async fn the_first_sales_of_a_shop_may_come_at_once() {
    let market = Market::open().await;
    for round in 0..20 {
        let body = json!({ "code": format!("N{round}"), "name": "New", "kind": "store" });
        let shop = market.clerk.post("/shops", body).await.is(201).text("/id").to_owned();
        let mut sale = market.basket(&[("PEN", "1")], &[tender("cash", 7)]);
        sale.as_object_mut().unwrap().remove("registerId");
        sale["shopId"] = json!(shop);
        let sales = futures::future::join_all((0..32).map(|_| market.send(sale.clone()))).await;
        let numbers: std::collections::BTreeSet<String> =
            sales.into_iter().map(|answer| answer.is(201).text("/receiptNumber").to_owned()).collect();
        assert_eq!(numbers.len(), 32);
    }
    assert_eq!(market.violations().await, []);
}
