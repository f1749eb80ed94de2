//! What shoppers do to carts, and what becomes of carts by themselves (CRT-1).

use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use testkit::Client;

use crate::support::{WebShop, check_out, eur, fill};

fn line(sku: &str, quantity: &str) -> Value {
    json!({ "sku": sku, "quantity": quantity })
}

// CRT-1
#[tokio::test(flavor = "multi_thread")]
async fn lines_are_added_up_set_and_taken_out() {
    let web = WebShop::open().await;
    let guest = web.app.guest("acme").await.unwrap();
    let empty = guest.get("/carts/me").await.is(200);
    assert_eq!((&empty.json["lines"], &empty.json["version"]), (&json!([]), &json!(0)));
    guest.post("/carts/me/lines", line("PEN", "1.5")).await.is(200);
    let cart = guest.post("/carts/me/lines", line("PEN", "0.5")).await.is(200);
    assert_eq!((cart.text("/lines/0/quantity"), &cart.json["totals"]["gross"]), ("2", &eur(480)));
    let cart = guest.put("/carts/me/lines/PEN", json!({ "quantity": "7" })).await.is(200);
    assert_eq!((cart.text("/lines/0/quantity"), cart.header("etag")), ("7", "\"3\""));
    guest.put("/carts/me/lines/INK", json!({ "quantity": "1" })).await.is_problem(404, "LINE_NOT_FOUND");
    guest.api(Method::DELETE, "/carts/me/lines/INK").send().await.is(200);
    let cart = guest.api(Method::DELETE, "/carts/me/lines/PEN").send().await.is(200);
    assert_eq!(cart.json["lines"], json!([]));
    fill(&guest, &[("INK", "1")]).await;
    guest.delete("/carts/me").await.is(204);
    assert_eq!(guest.get("/carts/me").await.is(200).json["lines"], json!([]));
    web.end().await;
}

// CRT-1, HTTP-8: each its own code, and the cart stays as it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_no_cart_can_hold_is_refused_by_its_own_code() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("PEN", "1")]).await;
    let before = guest.get("/carts/me").await.is(200);
    let add = |sku: &str, quantity: &str| guest.post("/carts/me/lines", line(sku, quantity));
    add("PEN", "0").await.is_problem(422, "QUANTITY_NOT_POSITIVE");
    add("PEN", "-1").await.is_problem(422, "QUANTITY_NOT_POSITIVE");
    add("PEN", "1000000").await.is_problem(422, "QUANTITY_TOO_LARGE");
    add("PEN", "1.2345").await.is_problem(400, "VALIDATION_FAILED");
    add("NOBODY", "1").await.is_problem(422, "UNKNOWN_SKU");
    let many: Vec<Value> = (0..10_000).map(|number| line(&format!("SKU-{number}"), "1")).collect();
    guest.put("/carts/me", json!({ "lines": many })).await.is_problem(422, "CART_TOO_LARGE");
    let gold = json!({ "sku": "GOLD", "name": "Gold", "price": { "amount": 1_000_000_000_000_i64, "currency": "EUR" } });
    web.staff.post("/products", gold).await.is(201);
    add("GOLD", "1000000").await.is_problem(422, "CART_TOO_LARGE");
    let twice = json!({ "lines": [line("PEN", "1"), line("PEN", "2")] });
    let refused = guest.put("/carts/me", twice).await.is_problem(422, "SKU_REPEATED");
    assert_eq!(refused.text("/errors/0/pointer"), "/lines/1/sku");
    guest.get("/carts/cus_00000000000000000000000000").await.is_problem(404, "CART_NOT_FOUND");
    guest.get("/carts/nobody").await.is_problem(404, "CART_NOT_FOUND");
    assert_eq!(guest.get("/carts/me").await.is(200).json, before.json);
    web.end().await;
}

// CRT-1, HTTP-6: changes that come at once are made one after the other, each once.
#[tokio::test(flavor = "multi_thread")]
async fn changes_that_come_at_once_all_count_and_a_repeated_one_counts_once() {
    let web = WebShop::open().await;
    let shopper = web.guest(&[]).await;
    let others = join_all((0..20).map(|_| web.guest(&[("PEN", "1")]))).await;
    let add = |client: &Client, key: String| {
        let call = client.api(Method::POST, "/carts/me/lines").json(&line("INK", "1")).key(&key);
        async move { call.send().await }
    };
    // Two clicks on each of thirty buttons, while others change carts too.
    let clicks = join_all((0..60).map(|click| add(&shopper, format!("click-{}", click / 2))));
    let rest = join_all(others.iter().map(|other| add(other, "click".to_owned())));
    let (clicks, rest) = tokio::join!(clicks, rest);
    for answer in &clicks {
        assert!(answer.status == 200 || answer.code() == "IDEMPOTENCY_IN_PROGRESS", "{}", answer.json);
    }
    rest.into_iter().for_each(|answer| drop(answer.is(200)));
    let cart = shopper.get("/carts/me").await.is(200);
    assert_eq!((cart.text("/lines/0/quantity"), cart.json["version"].as_i64()), ("30", Some(30)));
    // Later the stored answer comes back, whatever the cart is by then.
    let again = add(&shopper, "click-7".to_owned()).await.is(200);
    let first = clicks.iter().skip(14).take(2).find(|answer| answer.status == 200).unwrap();
    assert_eq!((&again.json, again.header("idempotency-replayed")), (&first.json, "true"));
    let other = shopper.api(Method::POST, "/carts/me/lines").json(&line("PEN", "1")).key("click-7");
    other.send().await.is_problem(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(shopper.get("/carts/me").await.is(200).json, cart.json);
    web.end().await;
}

// CRT-1
#[tokio::test(flavor = "multi_thread")]
async fn a_cart_is_emptied_only_as_it_was_seen() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("PEN", "1")]).await;
    let empty = |tag: &'static str| guest.api(Method::DELETE, "/carts/me").header("if-match", tag);
    empty("\"7\"").send().await.is_problem(412, "PRECONDITION_FAILED");
    assert_eq!(guest.get("/carts/me").await.is(200).text("/lines/0/sku"), "PEN");
    empty("\"1\"").send().await.is(204);
    let cart = guest.get("/carts/me").await.is(200);
    assert_eq!((&cart.json["lines"], &cart.json["version"]), (&json!([]), &json!(0)));
    web.end().await;
}

// CRT-1
#[tokio::test(flavor = "multi_thread")]
async fn an_untouched_cart_is_gone_after_a_day() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("PEN", "1")]).await;
    web.app.clock.advance_seconds(23 * 3600);
    let guest_again = guest.get("/carts/me").await.is(200);
    assert_eq!(guest_again.text("/lines/0/sku"), "PEN");
    web.app.clock.advance_seconds(3600);
    let visitor = guest_again.text("/customer").to_owned();
    let guest = web.app.visitor("acme", &visitor).await.unwrap();
    assert_eq!(guest.get("/carts/me").await.is(200).json["lines"], json!([]));
    check_out(&guest, "card_approved").await.is_problem(409, "CART_EMPTY");
    web.app.drain().await.unwrap();
    assert_eq!(web.counts().await["carts"], 0);
    web.end().await;
}

// CRT-1, IDN-7: what a guest put into the cart, ordered and is just paying is the customer's after signing in.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_who_signs_in_keeps_cart_orders_and_the_checkout_under_way() {
    let web = WebShop::open().await;
    let stranger = web.app.stranger().with_tenant("acme");
    let pass = stranger.api(Method::POST, "/customers/guest").send().await.is(200);
    let guest = stranger.clone().with_token(pass.text("/token"));
    fill(&guest, &[("INK", "1")]).await;
    let bought = check_out(&guest, "card_approved").await.is(201);
    fill(&guest, &[("PEN", "2")]).await;
    let paying = check_out(&guest, "card_confirm").await.is(202);
    let person = json!({
        "email": "ann@shop.example", "password": "correct horse battery", "name": "Ann", "guestToken": pass.text("/token")
    });
    let signed = stranger.api(Method::POST, "/customers/register").json(&person).send().await.is(201);
    let ann = stranger.clone().with_token(signed.text("/token"));
    let orders = ann.get("/orders").await.is(200);
    assert_eq!(orders.text("/items/0/id"), bought.text("/orderId"));
    guest.get(&format!("/orders/{}", bought.text("/orderId"))).await.is_problem(404, "ORDER_NOT_FOUND");
    // The payment is confirmed only now: the order is the customer's.
    let confirm = format!("/payments/{}/confirm", paying.text("/paymentId"));
    web.staff.post(&confirm, json!({ "approve": true })).await.is(200);
    let done = ann.get(&format!("/checkout/{}", paying.text("/id"))).await.is(200);
    assert_eq!(done.text("/state"), "completed");
    assert_eq!(ann.get("/orders").await.is(200).json["items"].as_array().unwrap().len(), 2);
    let counts = web.counts().await;
    assert_eq!((counts["carts"], counts["orders"], counts["holds"]), (0, 2, 0));
    web.end().await;
}

// CRT-1
#[tokio::test(flavor = "multi_thread")]
async fn of_a_sku_in_both_carts_the_larger_wish_stays() {
    let web = WebShop::open().await;
    let stranger = web.app.stranger().with_tenant("acme");
    let person = json!({ "email": "bob@shop.example", "password": "correct horse battery", "name": "Bob" });
    let signed = stranger.api(Method::POST, "/customers/register").json(&person).send().await.is(201);
    let bob = stranger.clone().with_token(signed.text("/token"));
    fill(&bob, &[("PEN", "1"), ("INK", "5")]).await;
    let pass = stranger.api(Method::POST, "/customers/guest").send().await.is(200);
    fill(&stranger.clone().with_token(pass.text("/token")), &[("PEN", "3"), ("INK", "2"), ("LAST", "1")])
        .await;
    let credentials = json!({
        "email": "bob@shop.example", "password": "correct horse battery", "guestToken": pass.text("/token")
    });
    stranger.api(Method::POST, "/customers/sign-in").json(&credentials).send().await.is(200);
    let cart = bob.get("/carts/me").await.is(200);
    let lines: Vec<(&str, &str)> = (0..3)
        .map(|at| (cart.text(&format!("/lines/{at}/sku")), cart.text(&format!("/lines/{at}/quantity"))))
        .collect();
    assert_eq!(lines, [("PEN", "3"), ("INK", "5"), ("LAST", "1")]);
    web.end().await;
}
