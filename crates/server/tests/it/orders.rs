//! The life of an order: what it means for the shelf, the books and the money (ORD-1, ORD-2).

use http::Method;
use serde_json::json;

use crate::support::{WebShop, check_out, eur};

// ORD-1
#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_its_way_and_no_other() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("PEN", "1")]).await;
    let order = check_out(&guest, "card_approved").await.is(201).text("/orderId").to_owned();
    let path = format!("/orders/{order}/status");
    let refused = web.staff.put(&path, json!({ "status": "delivered" })).await;
    let refused = refused.is_problem(409, "TRANSITION_NOT_ALLOWED");
    assert_eq!(refused.json["allowed"], json!(["packed", "cancelled", "refunded"]));
    for status in ["packed", "shipped", "delivered"] {
        let moved = web.staff.put(&path, json!({ "status": status })).await.is(200);
        assert_eq!(moved.text("/status"), status);
        // Asked twice, done once.
        let again = web.staff.put(&path, json!({ "status": status })).await.is(200);
        assert_eq!(again.json, moved.json);
    }
    let seen = guest.get(&format!("/orders/{order}")).await.is(200);
    let history: Vec<&str> = (0..5).map(|at| seen.text(&format!("/history/{at}/status"))).collect();
    assert_eq!(history, ["created", "paid", "packed", "shipped", "delivered"]);
    web.staff.put(&path, json!({ "status": "cancelled" })).await.is_problem(409, "TRANSITION_NOT_ALLOWED");
    let stale =
        web.staff.api(Method::PUT, &path).json(&json!({ "status": "refunded" })).header("if-match", "\"1\"");
    stale.send().await.is_problem(412, "PRECONDITION_FAILED");
    web.end().await;
}

// ORD-1, PAY-3
#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_gives_goods_and_money_back_once() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("LAST", "3"), ("PEN", "1")]).await;
    let done = check_out(&guest, "card_approved").await.is(201);
    assert_eq!(web.stock("LAST").await.0, "47");
    let path = format!("/orders/{}/status", done.text("/orderId"));
    let cancel = || web.staff.put(&path, json!({ "status": "cancelled", "reason": "changed their mind" }));
    let (one, two) = tokio::join!(cancel(), cancel());
    assert!(
        matches!((one.status, two.status), (200, 200 | 409) | (409, 200)),
        "{} {}",
        one.status,
        two.status
    );
    web.app.clock.advance_seconds(31);
    web.app.drain().await.unwrap();
    assert_eq!(web.stock("LAST").await.0, "50");
    let sale = web.staff.get(&format!("/sales/{}", done.text("/saleId"))).await.is(200);
    assert_eq!((sale.text("/status"), &sale.json["refundedTotal"]), ("refunded", &eur(3 * 500 + 240)));
    let payment = web.staff.get(&format!("/payments/{}", done.text("/paymentId"))).await.is(200);
    assert_eq!(payment.json["refunded"], eur(3 * 500 + 240));
    assert_eq!(web.counts().await["back"], 1);
    web.end().await;
}

// ORD-1, SAL-8
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_staff_takes_is_booked_when_it_is_marked_as_paid() {
    let web = WebShop::open().await;
    let customer = web.staff.post("/customers", json!({ "name": "Ann" })).await.is(201);
    let lines = json!([{ "sku": "INK", "quantity": "2" }]);
    let body = json!({ "customer": customer.text("/id"), "lines": lines, "note": "by telephone" });
    let order = web.staff.post("/orders", body).await.is(201);
    assert_eq!((order.text("/status"), &order.json["saleId"]), ("created", &json!(null)));
    assert_eq!(order.json["totals"]["gross"], eur(2400));
    assert_eq!(web.counts().await["sales"], 0);
    let path = format!("/orders/{}/status", order.text("/id"));
    let paid = web.staff.put(&path, json!({ "status": "paid" })).await.is(200);
    let sale = web.staff.get(&format!("/sales/{}", paid.text("/saleId"))).await.is(200);
    assert_eq!((sale.text("/tenders/0/method"), sale.text("/customerId")), ("account", customer.text("/id")));
    assert_eq!(web.stock("INK").await.0, "998");
    web.staff.put(&path, json!({ "status": "refunded" })).await.is(200);
    assert_eq!(web.stock("INK").await.0, "1000");
    let nobody = json!({ "customer": "cus_00000000000000000000000000", "lines": lines });
    web.staff.post("/orders", nobody).await.is_problem(404, "CART_NOT_FOUND");
    let unknown = json!({ "customer": "me", "lines": [{ "sku": "NOBODY", "quantity": "1" }] });
    web.staff.post("/orders", unknown).await.is_problem(422, "UNKNOWN_SKU");
    web.end().await;
}

// ORD-2: what is in memory is never staler than the last change.
#[tokio::test(flavor = "multi_thread")]
async fn a_remembered_order_shows_every_change_at_once() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("PEN", "1")]).await;
    let order = check_out(&guest, "card_approved").await.is(201).text("/orderId").to_owned();
    let path = format!("/orders/{order}");
    let first = guest.get(&path).await.is(200);
    let same = guest.api(Method::GET, &path).header("if-none-match", first.header("etag")).send().await;
    assert_eq!(same.status, 304);
    web.staff.put(&format!("{path}/status"), json!({ "status": "packed" })).await.is(200);
    let after =
        guest.api(Method::GET, &path).header("if-none-match", first.header("etag")).send().await.is(200);
    assert_eq!(after.text("/status"), "packed");
    // Somebody else is shown nothing of it, remembered or not.
    let other = web.app.guest("acme").await.unwrap();
    other.get(&path).await.is_problem(404, "ORDER_NOT_FOUND");
    web.end().await;
}

// ORD-1, ORD-2
#[tokio::test(flavor = "multi_thread")]
async fn orders_are_listed_latest_first_by_status_customer_time_and_number() {
    let web = WebShop::open().await;
    let guest = web.app.guest("acme").await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..5 {
        crate::support::fill(&guest, &[("PEN", "1")]).await;
        ids.push(check_out(&guest, "card_approved").await.is(201).text("/orderId").to_owned());
        web.app.clock.advance_seconds(60);
    }
    let stranger = web.guest(&[("PEN", "1")]).await;
    check_out(&stranger, "card_approved").await.is(201);
    let path = format!("/orders/{}/status", ids[0]);
    web.staff.put(&path, json!({ "status": "packed" })).await.is(200);
    let list = |query: &str| {
        let (staff, path) = (web.staff.clone(), format!("/orders?{query}"));
        async move {
            let page = staff.get(&path).await.is(200);
            let items = page.json["items"].as_array().unwrap().clone();
            let ids: Vec<String> = items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
            (ids, page.json["nextCursor"].as_str().map(str::to_owned))
        }
    };
    let whose = guest.get("/orders?limit=1").await.is(200).text("/items/0/customer").to_owned();
    let (first, next) = list(&format!("customer={whose}&limit=3")).await;
    let (second, end) = list(&format!("customer={whose}&limit=3&cursor={}", next.unwrap())).await;
    let mut latest_first = ids.clone();
    latest_first.reverse();
    assert_eq!(([first, second].concat(), end), (latest_first, None));
    assert_eq!(list("status=packed").await.0, [ids[0].clone()]);
    assert_eq!(list("number=1002").await.0, [ids[1].clone()]);
    assert_eq!(list("from=2026-11-21T10:04:00Z&to=2026-11-21T10:05:00Z").await.0, [ids[4].clone()]);
    assert_eq!(list("limit=200").await.0.len(), 6);
    web.end().await;
}
