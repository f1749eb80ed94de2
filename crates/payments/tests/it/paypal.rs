//! The PayPal-shaped provider against a small server that speaks that protocol: orders, captures, refunds, request ids.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{HeaderMap, HeaderValue, StatusCode};
use payments::{
    Accounts, Cancelled, ChargeOrder, Credentials, Outcome, PAYPAL, PaymentState, RefundState, Source,
    signature,
};
use serde_json::{Value, json};

use crate::{
    fixture::{Fixture, eur, master_key, providers_at},
    localstripe::serve,
};

/// PayPal's memory.
#[derive(Default)]
struct Bank {
    orders: HashMap<String, Value>,
    refunds: HashMap<String, Value>,
    /// Answers by request id: the same id is the same request.
    answers: HashMap<String, Value>,
    lose_captures: bool,
}

type Shared = Arc<Mutex<Bank>>;

struct FakePayPal {
    base_url: String,
    bank: Shared,
}

fn router(bank: Shared) -> Router {
    Router::new()
        .route("/v1/oauth2/token", post(sign_in))
        .route("/v2/checkout/orders", post(make_order))
        .route("/v2/checkout/orders/{id}", get(find_order).patch(mark_order))
        .route("/v2/checkout/orders/{id}/capture", post(capture))
        .route("/v2/payments/captures/{id}/refund", post(refund))
        .route("/v2/payments/refunds/{id}", get(find_refund))
        .with_state(bank)
}

fn refused(status: StatusCode, issue: &str) -> Response {
    (status, Json(json!({ "name": "UNPROCESSABLE_ENTITY", "details": [{ "issue": issue }] }))).into_response()
}

fn request_id(headers: &HeaderMap) -> String {
    headers["paypal-request-id"].to_str().unwrap().to_owned()
}

async fn sign_in(headers: HeaderMap) -> Response {
    // client:secret
    if headers.get("authorization") != Some(&HeaderValue::from_static("Basic Y2xpZW50OnNlY3JldA==")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(json!({ "access_token": "token-1", "expires_in": 32_400 })).into_response()
}

fn knows(headers: &HeaderMap) -> bool {
    headers.get("authorization") == Some(&HeaderValue::from_static("Bearer token-1"))
}

async fn make_order(State(bank): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if !knows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut bank = bank.lock().unwrap();
    let key = request_id(&headers);
    if let Some(known) = bank.answers.get(&key) {
        return Json(known.clone()).into_response();
    }
    let id = format!("O{}", bank.orders.len());
    let mut order = body;
    order["id"] = json!(id);
    order["status"] = json!("CREATED");
    order["links"] = json!([{ "rel": "approve", "href": format!("https://paypal.example/{id}") }]);
    bank.orders.insert(id, order.clone());
    bank.answers.insert(key, order.clone());
    (StatusCode::CREATED, Json(order)).into_response()
}

async fn find_order(State(bank): State<Shared>, Path(id): Path<String>) -> Response {
    match bank.lock().unwrap().orders.get(&id) {
        Some(order) => Json(order.clone()).into_response(),
        None => refused(StatusCode::NOT_FOUND, "INVALID_RESOURCE_ID"),
    }
}

async fn mark_order(
    State(bank): State<Shared>,
    Path(id): Path<String>,
    Json(patch): Json<Value>,
) -> Response {
    let mut bank = bank.lock().unwrap();
    let order = bank.orders.get_mut(&id).unwrap();
    if order["status"] == "COMPLETED" {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "ORDER_ALREADY_COMPLETED");
    }
    assert_eq!(patch[0]["path"], "/purchase_units/@reference_id=='default'/custom_id");
    order["purchase_units"][0]["custom_id"] = patch[0]["value"].clone();
    StatusCode::NO_CONTENT.into_response()
}

async fn capture(State(bank): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let (answer, lose) = {
        let mut bank = bank.lock().unwrap();
        let key = request_id(&headers);
        if let Some(known) = bank.answers.get(&key) {
            return Json(known.clone()).into_response();
        }
        let order = bank.orders.get_mut(&id).unwrap();
        if order["status"] != "APPROVED" {
            return refused(StatusCode::UNPROCESSABLE_ENTITY, "ORDER_NOT_APPROVED");
        }
        order["status"] = json!("COMPLETED");
        let amount = order["purchase_units"][0]["amount"].clone();
        let made = json!({ "id": format!("C-{id}"), "status": "COMPLETED", "amount": amount });
        order["purchase_units"][0]["payments"] = json!({ "captures": [made] });
        let answer = order.clone();
        bank.answers.insert(key, answer.clone());
        (answer, std::mem::take(&mut bank.lose_captures))
    };
    if lose {
        return std::future::pending().await;
    }
    (StatusCode::CREATED, Json(answer)).into_response()
}

async fn refund(
    State(bank): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut bank = bank.lock().unwrap();
    let key = request_id(&headers);
    if let Some(known) = bank.answers.get(&key) {
        return Json(known.clone()).into_response();
    }
    assert!(id.starts_with("C-"));
    let refund =
        json!({ "id": format!("R{}", bank.refunds.len()), "status": "PENDING", "amount": body["amount"] });
    bank.refunds.insert(refund["id"].as_str().unwrap().to_owned(), refund.clone());
    bank.answers.insert(key, refund.clone());
    (StatusCode::CREATED, Json(refund)).into_response()
}

async fn find_refund(State(bank): State<Shared>, Path(id): Path<String>) -> Response {
    let mut bank = bank.lock().unwrap();
    let refund = bank.refunds.get_mut(&id).unwrap();
    refund["status"] = json!("COMPLETED");
    Json(refund.clone()).into_response()
}

impl FakePayPal {
    async fn start() -> Self {
        let bank = Shared::default();
        Self { base_url: serve(router(bank.clone())).await, bank }
    }

    /// The payer says yes on PayPal's page.
    fn approve(&self, order: &str) {
        self.bank.lock().unwrap().orders.get_mut(order).unwrap()["status"] = json!("APPROVED");
    }

    fn captured(&self) -> usize {
        self.bank.lock().unwrap().orders.values().filter(|order| order["status"] == "COMPLETED").count()
    }
}

async fn shop() -> (FakePayPal, Fixture) {
    let paypal = FakePayPal::start().await;
    let shop = Fixture::with(providers_at("", &paypal.base_url)).await;
    set_account(&shop, "secret").await;
    (paypal, shop)
}

async fn set_account(shop: &Fixture, secret: &str) {
    let account = [("clientId", "client"), ("clientSecret", secret)];
    let account = account.map(|(name, value)| (name.to_owned(), value.to_owned().into()));
    let accounts = Accounts::new(shop.db.clone(), master_key());
    accounts.put(&shop.ctx(), PAYPAL, &Credentials::new(account)).await.unwrap();
}

/// Opens, charges and settles; the payer is on PayPal's page then.
async fn waiting(shop: &Fixture) -> (ChargeOrder, String) {
    let order = shop.open_with(PAYPAL, "paypal").await;
    let outcome = shop.charge(&order).await;
    let Outcome::RequiresAction { provider_ref, action } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(action["url"], format!("https://paypal.example/{provider_ref}"));
    let id = provider_ref.clone();
    shop.settle(order.payment, outcome).await;
    (order, id)
}

// PAY-1: a provider of another shape needs nothing new of the core.
#[tokio::test]
async fn an_order_that_the_payer_approves_is_captured_once() {
    let (paypal, shop) = shop().await;
    let (order, id) = waiting(&shop).await;
    paypal.approve(&id);
    paypal.bank.lock().unwrap().lose_captures = true;
    // The answer of the capture is lost; who asks again at once finds it.
    shop.later(60).payments.reconcile_due(&shop.later(60).ctx()).await.unwrap();
    assert_eq!(shop.payment(order.payment).await.state, PaymentState::Succeeded);
    assert!(matches!(shop.charge(&order).await, Outcome::Succeeded { .. } | Outcome::RequiresAction { .. }));
    assert_eq!((paypal.captured(), paypal.bank.lock().unwrap().orders.len()), (1, 1));
    assert_eq!(shop.told(), [(order.payment, "chk_1".to_owned())]);
    assert_eq!(shop.invariants().await, []);
}

// PAY-1
#[tokio::test]
async fn an_order_that_was_given_up_is_not_captured_when_the_payer_approves_it_late() {
    let (paypal, shop) = shop().await;
    let (order, id) = waiting(&shop).await;
    assert_eq!(shop.payments.cancel(&shop.ctx(), &order, Some(&id)).await, Cancelled::Cancelled);
    paypal.approve(&id);
    let found = shop.payments.find(&shop.ctx(), &order, Some(&id)).await;
    assert_eq!(found, payments::Found::Outcome(Outcome::Cancelled));
    let (order, id) = waiting(&shop).await;
    paypal.approve(&id);
    shop.payments.find(&shop.ctx(), &order, Some(&id)).await;
    let late = shop.payments.cancel(&shop.ctx(), &order, Some(&id)).await;
    assert_eq!(late, Cancelled::AlreadySucceeded { provider_ref: id });
    assert_eq!(paypal.captured(), 1);
}

// PAY-2
#[tokio::test]
async fn a_refund_that_takes_its_time_is_asked_about_until_it_is_through() {
    let (paypal, shop) = shop().await;
    let (order, id) = waiting(&shop).await;
    paypal.approve(&id);
    shop.payments.check(&shop.ctx(), order.payment, Source::Api).await.unwrap();
    let tx = shop.begin().await;
    let refund =
        payments::request_refund(&tx, order.payment, Some(eur(250)), "r", Source::Api).await.unwrap();
    tx.commit().await.unwrap();
    let run = async || shop.payments.run_refund(&shop.ctx(), refund).await.unwrap().unwrap();
    let first = run().await;
    assert_eq!((first.state, first.provider_ref.as_deref()), (RefundState::Pending, Some("R0")));
    assert_eq!(run().await.state, RefundState::Succeeded);
    assert_eq!(paypal.bank.lock().unwrap().refunds["R0"]["amount"]["value"], "2.50");
    assert_eq!(shop.payment(order.payment).await.refunded, 250);
    assert_eq!(shop.invariants().await, []);
}

// PAY-1
#[tokio::test]
async fn without_the_right_account_nothing_is_asked_of_the_payer() {
    let (paypal, shop) = shop().await;
    set_account(&shop, "wrong").await;
    let order = shop.open_with(PAYPAL, "paypal").await;
    let outcome = shop.charge(&order).await;
    assert!(matches!(outcome, Outcome::Declined { code, .. } if code == "provider_refuses_account"));
    assert_eq!(shop.payments.find(&shop.ctx(), &order, None).await, payments::Found::Unknown);
    assert_eq!(paypal.bank.lock().unwrap().orders.len(), 0);
}

// PAY-1
#[tokio::test]
async fn relayed_events_name_the_payment_and_the_refund_they_are_about() {
    let shop = Fixture::new().await;
    let provider = shop.payments.provider(PAYPAL).unwrap();
    let (payment, refund) = (payments::PaymentId::new(), payments::RefundId::new());
    let secret = "s3cret".to_owned().into();
    let parse = |resource: Value| {
        let body = json!({ "id": "WH-1", "resource": resource }).to_string();
        let mut headers = HeaderMap::new();
        let signed = signature::sign(body.as_bytes(), &secret, shop.now);
        headers.insert("paypal-relay-signature", signed.parse().unwrap());
        provider.parse_webhook(&headers, body.as_bytes(), &secret, shop.now).unwrap()
    };
    let order = parse(json!({ "purchase_units": [{ "custom_id": payment }] }));
    assert_eq!((order.payment, order.refund), (Some(payment), None));
    let refunded = parse(json!({ "custom_id": format!("{payment}:{refund}") }));
    assert_eq!((refunded.payment, refunded.refund), (Some(payment), Some(refund)));
}
