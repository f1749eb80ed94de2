//! Payments and refunds through the gate.

use std::sync::Arc;

use futures::future::join_all;
use http::Method;
use payments::{Parts, Payments, PaymentsConfig};
use serde_json::{Value, json};
use testkit::{Answer, Client, Site, TestDatabases};

use crate::fixture::{Market, impatient, master_key, migrations};

/// A merchant who takes money over the counter.
pub(crate) struct Counter {
    pub(crate) site: Site,
    pub(crate) clerk: Client,
    pub(crate) market: Arc<Market>,
}

impl Counter {
    pub(crate) async fn open() -> Self {
        Self::open_with(impatient()).await
    }

    pub(crate) async fn open_with(config: PaymentsConfig) -> Self {
        let databases = TestDatabases::create(&migrations(), &db::Migrations::control([])).await.unwrap();
        let market = Arc::new(Market::default());
        let site = Site::new(databases, |db, _| {
            let parts = Parts { db: db.clone(), master_key: master_key(), tenants: market.clone() };
            vec![payments::routes(Payments::new(config, parts))]
        })
        .unwrap();
        let tenant = site.add_tenant("acme");
        market.0.lock().unwrap().insert("acme".to_owned(), tenant);
        let clerk = site.member("acme", &["payments:*"]);
        Self { site, clerk, market }
    }

    pub(crate) async fn charge(&self, method: &str, amount: i64) -> Answer {
        self.clerk.post("/payments/charge", charge(method, amount)).await
    }

    pub(crate) async fn paid(&self, amount: i64) -> String {
        self.charge("card_approved", amount).await.is(201).text("/id").to_owned()
    }

    pub(crate) async fn invariants(&self) -> Vec<kernel::Violation> {
        let ctx = self.site.ctx(&self.site.add_tenant("nobody"));
        let acme = self.market.0.lock().unwrap()["acme"].clone();
        let tx = self.site.db.begin(&kernel::Ctx { tenant: acme, ..ctx }).await.unwrap();
        payments::invariants(&tx).await.unwrap()
    }
}

pub(crate) fn eur(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

fn charge(method: &str, amount: i64) -> Value {
    json!({ "provider": "test", "method": method, "amount": eur(amount), "reference": "deposit" })
}

// PAY-1, PAY-2
#[tokio::test]
async fn every_test_method_is_charged_and_answers_with_its_state() {
    let counter = Counter::open().await;
    for (method, state, code) in [
        ("card_approved", "succeeded", None),
        ("card_lost_reply", "succeeded", None),
        ("card_declined", "failed", Some("card_declined")),
        ("card_confirm", "requires_action", None),
        ("card_timeout", "unknown", None),
    ] {
        let answer = counter.charge(method, 500).await.is(201);
        assert_eq!(answer.text("/state"), state, "{method}");
        assert_eq!(answer.json.pointer("/failure/code").and_then(Value::as_str), code);
        assert_eq!(answer.text("/reference"), "deposit");
        let read = counter.clerk.call(Method::GET, answer.header("location")).send().await.is(200);
        assert_eq!((read.text("/id"), read.text("/state")), (answer.text("/id"), state));
        let steps = read.json["history"].as_array().unwrap();
        assert_eq!((&steps[0]["to"], &steps[0]["source"]), (&json!(state), &json!("api")));
    }
    assert_eq!(counter.invariants().await, []);
}

// PAY-1, HTTP-6
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_charges_once_and_answers_with_the_payment_as_it_stands() {
    let counter = Counter::open().await;
    let call = || counter.clerk.api(Method::POST, "/payments/charge").json(&charge("card_approved", 700));
    call().send().await.is_problem(400, "IDEMPOTENCY_KEY_REQUIRED");
    let answers = join_all((0..20).map(|_| call().key("once").send())).await;
    let taken: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!taken.is_empty() && taken.iter().all(|answer| answer.text("/id") == taken[0].text("/id")));
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)));
    let again = call().key("once").send().await.is(201);
    assert_eq!((again.text("/state"), again.header("idempotency-replayed")), ("succeeded", "true"));
    let other = counter.clerk.api(Method::POST, "/payments/charge").json(&charge("card_approved", 701));
    other.key("once").send().await.is_problem(422, "IDEMPOTENCY_KEY_REUSED");
    let list = counter.clerk.get("/payments").await.is(200);
    assert_eq!(list.json["items"].as_array().unwrap().len(), 1);
    assert_eq!(counter.invariants().await, []);
}

// PAY-1
#[tokio::test]
async fn what_cannot_be_charged_is_refused_with_its_own_code() {
    let counter = Counter::open().await;
    let refused = async |field: &str, value: Value| {
        let mut body = charge("card_approved", 500);
        body[field] = value;
        counter.clerk.post("/payments/charge", body).await
    };
    refused("provider", json!("visa")).await.is_problem(422, "UNKNOWN_PAYMENT_PROVIDER");
    refused("method", json!("card_stolen")).await.is_problem(422, "UNKNOWN_PAYMENT_METHOD");
    let dollars = json!({ "amount": 5, "currency": "USD" });
    refused("amount", dollars).await.is_problem(422, "PAYMENT_CURRENCY_MISMATCH");
    for amount in [0, -1, 100_000_000_001_i64] {
        let refused = refused("amount", eur(amount)).await.is_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused.text("/errors/0/pointer"), "/amount");
    }
    refused("cardNumber", json!("4242424242424242")).await.is_problem(400, "VALIDATION_FAILED");
    counter.clerk.get("/payments/pay_01J00000000000000000000000").await.is_problem(404, "PAYMENT_NOT_FOUND");
}

// PAY-1
#[tokio::test]
async fn a_payer_approves_or_refuses_once() {
    let counter = Counter::open().await;
    let confirm = async |id: &str, approve: bool| {
        counter.clerk.post(&format!("/payments/{id}/confirm"), json!({ "approve": approve })).await
    };
    let waiting = async || counter.charge("card_confirm", 900).await.is(201).text("/id").to_owned();
    let (one, two) = (waiting().await, waiting().await);
    assert_eq!(confirm(&one, true).await.is(200).text("/state"), "succeeded");
    assert_eq!(confirm(&one, true).await.is(200).text("/state"), "succeeded");
    confirm(&one, false).await.is_problem(409, "PAYMENT_NOT_CONFIRMABLE");
    assert_eq!(confirm(&two, false).await.is(200).text("/state"), "failed");
    confirm(&two, true).await.is_problem(409, "PAYMENT_NOT_CONFIRMABLE");
    let declined = counter.charge("card_declined", 900).await.is(201).text("/id").to_owned();
    confirm(&declined, true).await.is_problem(409, "PAYMENT_NOT_CONFIRMABLE");
    assert_eq!(counter.invariants().await, []);
}

// PAY-2, PAY-3
#[tokio::test]
async fn refunds_are_refused_beyond_what_was_taken() {
    let counter = Counter::open().await;
    let paid = counter.paid(1000).await;
    let refund = async |payment: &str, amount: Value| {
        let body = json!({ "paymentId": payment, "amount": amount, "reason": "broken" });
        counter.clerk.post("/payments/refund", body).await
    };
    let first = refund(&paid, eur(400)).await.is(201);
    assert_eq!((first.text("/state"), first.text("/paymentId")), ("succeeded", &*paid));
    let beyond = refund(&paid, eur(601)).await.is_problem(409, "REFUND_EXCEEDS_PAYMENT");
    assert_eq!(beyond.json["left"], eur(600));
    let dollars = json!({ "amount": 5, "currency": "USD" });
    refund(&paid, dollars).await.is_problem(422, "PAYMENT_CURRENCY_MISMATCH");
    let declined = counter.charge("card_declined", 900).await.is(201).text("/id").to_owned();
    let refused = refund(&declined, eur(1)).await.is_problem(409, "PAYMENT_NOT_CAPTURED");
    assert_eq!(refused.text("/state"), "failed");
    let nobody = payments::PaymentId::new().to_string();
    refund(&nobody, eur(1)).await.is_problem(404, "PAYMENT_NOT_FOUND");
    let body = json!({ "paymentId": paid, "amount": eur(600), "reason": "rest" });
    let call = || counter.clerk.api(Method::POST, "/payments/refund").json(&body).key("rest").send();
    let (one, two) = (call().await.is(201), call().await.is(201));
    assert_eq!((one.text("/id"), two.header("idempotency-replayed")), (two.text("/id"), "true"));
    let read = counter.clerk.get(&format!("/payments/{paid}")).await.is(200);
    assert_eq!((&read.json["refunded"], &read.json["refunding"]), (&eur(1000), &eur(0)));
    assert_eq!(read.json["refunds"].as_array().unwrap().len(), 2);
    assert_eq!(counter.invariants().await, []);
}

// PAY-2, HTTP-5
#[tokio::test]
async fn payments_are_listed_latest_first_by_state_provider_purpose_and_time() {
    let counter = Counter::open().await;
    let mut ids = Vec::new();
    for method in ["card_approved", "card_declined", "card_confirm", "card_approved"] {
        ids.push(counter.charge(method, 100).await.is(201).text("/id").to_owned());
        counter.site.clock.advance_seconds(60);
    }
    let list = async |query: &str| -> Vec<String> {
        let page = counter.clerk.get(&format!("/payments?{query}")).await.is(200);
        page.json["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let newest: Vec<_> = ids.iter().rev().cloned().collect();
    assert_eq!(list("limit=200").await, newest);
    assert_eq!(list("purpose=deposit").await, newest);
    assert_eq!(list("state=succeeded").await, [ids[3].clone(), ids[0].clone()]);
    assert_eq!(list("state=requires_action").await, [ids[2].clone()]);
    assert_eq!(list("provider=stripe").await, Vec::<String>::new());
    let times = "from=2026-11-21T10:01:00Z&to=2026-11-21T10:03:00Z";
    assert_eq!(list(times).await, [ids[2].clone(), ids[1].clone()]);
    assert_eq!(list("to=0979-05-08T05:46:44Z").await, Vec::<String>::new());
    assert_eq!(list("from=-009999-01-02T01:59:59Z&limit=200").await, newest);
    let page = counter.clerk.get("/payments?limit=3").await.is(200);
    assert_eq!(list(&format!("limit=3&cursor={}", page.text("/nextCursor"))).await, [ids[0].clone()]);
}

// PAY-2
#[tokio::test]
async fn the_day_is_reported_per_provider_beside_the_providers_own_ledger() {
    let counter = Counter::open().await;
    let paid = counter.paid(1000).await;
    counter.charge("card_declined", 300).await.is(201);
    counter.charge("card_confirm", 200).await.is(201);
    let body = json!({ "paymentId": paid, "amount": eur(250), "reason": "r" });
    counter.clerk.post("/payments/refund", body).await.is(201);
    let day = counter.clerk.get("/payments/reconciliation?date=2026-11-21").await.is(200);
    let total = |count: i64, amount: i64| json!({ "count": count, "amount": eur(amount) });
    let line = &day.json["totals"][0];
    assert_eq!((&line["provider"], &line["charged"]), (&json!("test"), &total(1, 1000)));
    assert_eq!((&line["refunded"], &line["failed"]), (&total(1, 250), &total(1, 300)));
    assert_eq!(line["unknown"], total(1, 200));
    let ledger = json!({ "charged": total(1, 1000), "refunded": total(1, 250), "differences": 0 });
    assert_eq!(line["ledger"], ledger);
    let other = counter.clerk.get("/payments/reconciliation?date=2026-11-20").await.is(200);
    assert_eq!(other.json["totals"], json!([]));
    counter.clerk.get("/payments/reconciliation").await.is_problem(400, "VALIDATION_FAILED");
    counter.clerk.get("/payments/reconciliation?date=9999-12-31").await.is_problem(400, "VALIDATION_FAILED");
    for date in ["0000-01-01", "1900-01-01", "9998-12-31"] {
        let empty = counter.clerk.get(&format!("/payments/reconciliation?date={date}")).await.is(200);
        assert_eq!(empty.json["totals"], json!([]));
    }
    // A charge that the books know nothing of.
    let client = counter.site.databases.look().await.unwrap();
    let stray = "insert into payments.test_charge select tenant_id, gen_random_uuid(), method, 77, currency, state, 0,
                 created_at, updated_at from payments.test_charge where state = 'charged'";
    client.execute(stray, &[]).await.unwrap();
    let day = counter.clerk.get("/payments/reconciliation?date=2026-11-21").await.is(200);
    assert_eq!(day.json["totals"][0]["ledger"]["differences"], 1);
    assert_eq!(counter.invariants().await.len(), 1);
}
