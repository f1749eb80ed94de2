//! From cart to paid order: what a shopper does, and what can come between (CHK-1, CHK-2).

use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::support::{WebShop, check_out, check_out_with, eur, fill, steps, text};

// CHK-1, ORD-1, SAL-8
#[tokio::test(flavor = "multi_thread")]
async fn an_approved_cart_becomes_an_order_a_sale_and_a_payment_of_one_amount() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("PEN", "3"), ("INK", "1"), ("LAST", "2")]).await;
    let done = check_out(&guest, "card_approved").await.is(201);
    assert_eq!(done.text("/state"), "completed");
    assert_eq!(done.json["total"], eur(3 * 240 + 1200 + 2 * 500));
    let expected =
        ["validate_cart", "reserve_stock", "charge", "create_order", "clear_cart", "confirm_stock"];
    let expected: Vec<_> = expected.iter().map(|name| ((*name).to_owned(), "done".to_owned())).collect();
    assert_eq!(steps(&done.json), expected);
    let again = guest.get(&format!("/checkout/{}", done.text("/id"))).await.is(200);
    assert_eq!(again.json, done.json);

    let order = guest.get(&format!("/orders/{}", done.text("/orderId"))).await.is(200);
    assert_eq!((order.text("/status"), order.text("/channel")), ("paid", "web"));
    assert_eq!(order.json["totals"]["gross"], done.json["total"]);
    assert_eq!(order.text("/saleId"), done.text("/saleId"));
    let sale = web.staff.get(&format!("/sales/{}", done.text("/saleId"))).await.is(200);
    assert_eq!((sale.text("/channel"), sale.text("/receiptNumber")), ("web", "W01-WEB-000001"));
    assert_eq!(sale.json["totals"]["gross"], done.json["total"]);
    assert_eq!(web.stock("LAST").await, ("48".to_owned(), "0".to_owned()));
    assert_eq!(guest.get("/carts/me").await.is(200).json["lines"], json!([]));
    let counts = web.counts().await;
    assert_eq!((counts["orders"], counts["charges"], counts["holds"], counts["running"]), (1, 1, 0, 0));
    web.end().await;
}

// CHK-2
#[tokio::test(flavor = "multi_thread")]
async fn a_declined_payment_gives_units_and_cart_back() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("LAST", "50")]).await;
    let failed = check_out(&guest, "card_declined").await.is(201);
    assert_eq!((failed.text("/state"), failed.text("/failure/code")), ("failed", "PAYMENT_DECLINED"));
    assert_eq!(failed.json["orderId"], Value::Null);
    assert_eq!(web.stock("LAST").await, ("50".to_owned(), "0".to_owned()));
    let cart = guest.get("/carts/me").await.is(200);
    assert_eq!((cart.text("/lines/0/sku"), &cart.json["checkoutId"]), ("LAST", &Value::Null));
    let done = check_out(&guest, "card_approved").await.is(201);
    assert_eq!(done.text("/state"), "completed");
    let counts = web.counts().await;
    assert_eq!((counts["orders"], counts["charges"], counts["holds"]), (1, 1, 0));
    web.end().await;
}

// CHK-2, PAY-1
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_never_answers_is_given_up_and_nothing_is_charged() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("PEN", "1")]).await;
    let failed = check_out(&guest, "card_timeout").await.is(201);
    assert_eq!((failed.text("/state"), failed.text("/failure/code")), ("failed", "PAYMENT_TIMEOUT"));
    let counts = web.counts().await;
    assert_eq!((counts["orders"], counts["charges"], counts["holds"], counts["carts"]), (0, 0, 0, 1));
    web.end().await;
}

// CHK-2, PAY-1
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_lost_after_the_charge_ends_in_one_order_and_one_charge() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("PEN", "1")]).await;
    let done = check_out(&guest, "card_lost_reply").await.is(201);
    assert_eq!(done.text("/state"), "completed");
    let counts = web.counts().await;
    assert_eq!((counts["orders"], counts["sales"], counts["charges"], counts["back"]), (1, 1, 1, 0));
    web.end().await;
}

// CHK-1
#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_on_pay_buys_once() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("PEN", "1")]).await;
    let clicks = join_all((0..8).map(|_| check_out_with(&guest, "card_approved", "one"))).await;
    for click in &clicks {
        assert!(matches!(click.status, 201 | 202), "{} {}", click.status, click.code());
    }
    assert_eq!(web.counts().await["charges"], 1);
    // Two windows have two keys: one of them finds the cart taken or bought.
    fill(&guest, &[("PEN", "2")]).await;
    let clicks = join_all((0..8).map(|_| check_out(&guest, "card_approved"))).await;
    let bought = clicks.iter().filter(|click| click.status == 201).count();
    assert_eq!(bought, 1);
    for click in clicks.iter().filter(|click| click.status != 201) {
        assert!(
            matches!(click.code(), "CART_IN_CHECKOUT" | "CART_EMPTY"),
            "{} {}",
            click.status,
            click.code()
        );
    }
    let counts = web.counts().await;
    assert_eq!((counts["orders"], counts["charges"]), (2, 2));
    web.end().await;
}

// CHK-1: the answer does not wait longer than the client wants, the work goes on.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_wait_the_answer_names_where_to_look() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("PEN", "1")]).await;
    let body = json!({ "cart": "me", "payment": { "provider": "test", "method": "card_timeout" } });
    let begun = guest.api(Method::POST, "/checkout").json(&body).send().await.is(202);
    assert_eq!(begun.text("/state"), "running");
    let location = begun.header("location").to_owned();
    loop {
        let seen = guest.call(Method::GET, &location).send().await.is(200);
        if seen.text("/state") == "failed" {
            break;
        }
    }
    web.end().await;
}

// CHK-1, CRT-1: each its own code, and nothing is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_cannot_be_bought_is_refused_and_changes_nothing() {
    let web = WebShop::open().await;
    let staff = &web.staff;
    let guest = web.app.guest("acme").await.unwrap();
    check_out(&guest, "card_approved").await.is_problem(409, "CART_EMPTY");
    fill(&guest, &[("PEN", "1"), ("INK", "1")]).await;
    let pay = |body: Value| {
        let call = guest.api(Method::POST, "/checkout").json(&body).header("prefer", "wait=5");
        async move { call.send().await }
    };
    let test = json!({ "provider": "test", "method": "card_approved" });
    pay(json!({ "cart": "me", "payment": { "provider": "nobody", "method": "x" } }))
        .await
        .is_problem(422, "PAYMENT_METHOD_UNKNOWN");
    pay(json!({ "cart": "me", "payment": { "provider": "test", "method": "iou" } }))
        .await
        .is_problem(422, "PAYMENT_METHOD_UNKNOWN");
    pay(json!({ "cart": "me", "payment": test, "total": { "amount": 1, "currency": "EUR" } }))
        .await
        .is_problem(422, "TOTAL_MISMATCH");
    pay(json!({ "cart": "me", "payment": test, "total": { "amount": 1440, "currency": "USD" } }))
        .await
        .is_problem(422, "CURRENCY_MISMATCH");
    let other = web.app.guest("acme").await.unwrap();
    fill(&other, &[("PEN", "1")]).await;
    let stranger = other.get("/carts/me").await.is(200);
    let theirs = stranger.text("/customer");
    pay(json!({ "cart": theirs, "payment": test })).await.is_problem(404, "CART_NOT_FOUND");

    // The price rises between cart and checkout.
    let ink = staff.get("/products/sku/INK").await.is(200);
    let path = format!("/products/{}", ink.text("/id"));
    let mut product = json!({ "name": "INK", "price": eur(1300) });
    staff.put(&path, product.clone()).await.is(200);
    let changed = pay(json!({ "cart": "me", "payment": test })).await.is_problem(409, "PRICE_CHANGED");
    assert_eq!(changed.json["changes"], json!([{ "sku": "INK", "before": eur(1200), "now": eur(1300) }]));
    let cart = guest.get("/carts/me").await.is(200);
    assert_eq!(
        (cart.text("/lines/1/notice"), &cart.json["lines"][1]["currentPrice"]),
        ("price_changed", &eur(1300))
    );
    guest.api(Method::POST, "/carts/me/accept").send().await.is(200);
    // It is taken off the shelves.
    product["active"] = json!(false);
    staff.put(&path, product).await.is(200);
    pay(json!({ "cart": "me", "payment": test })).await.is_problem(422, "PRODUCT_INACTIVE");
    fill(&guest, &[("PEN", "1001"), ("LAST", "51")]).await;
    let short = pay(json!({ "cart": "me", "payment": test })).await.is_problem(409, "OUT_OF_STOCK");
    assert_eq!(short.json["errors"].as_array().unwrap().len(), 2);
    let counts = web.counts().await;
    assert_eq!((counts["orders"], counts["charges"], counts["holds"], counts["running"]), (0, 0, 0, 0));
    web.end().await;
}

// IDN-7
#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_what_is_somebody_elses() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("PEN", "1")]).await;
    let done = check_out(&guest, "card_approved").await.is(201);
    let other = web.app.guest("acme").await.unwrap();
    let (checkout, order) = (done.text("/id").to_owned(), done.text("/orderId").to_owned());
    other.get(&format!("/checkout/{checkout}")).await.is_problem(404, "CHECKOUT_NOT_FOUND");
    other.get(&format!("/orders/{order}")).await.is_problem(404, "ORDER_NOT_FOUND");
    assert_eq!(other.get("/orders").await.is(200).json["items"], json!([]));
    let mine = guest.get("/orders").await.is(200);
    assert_eq!(text(&mine.json, "/items/0/id"), order);
    let whose = mine.text("/items/0/customer").to_owned();
    assert_eq!(other.get(&format!("/orders?customer={whose}")).await.is(200).json["items"], json!([]));
    other.get(&format!("/carts/{whose}")).await.is_problem(404, "CART_NOT_FOUND");
    other
        .put(&format!("/orders/{order}/status"), json!({ "status": "packed" }))
        .await
        .is_problem(403, "PERMISSION_DENIED");
    other.get("/sales").await.is_problem(403, "PERMISSION_DENIED");
    web.end().await;
}
