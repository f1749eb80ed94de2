//! The Stripe-compatible provider against an independent server.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::{Json, Router};
use futures::future::join_all;
use http::{Method, StatusCode};
use payments::{
    Accounts, ChargeOrder, Credentials, Outcome, PaymentState, RefundState, STRIPE, Source, WEBHOOK_SECRET,
};
use resilience::State;
use serde_json::{Value, json};

use crate::{
    fixture::{Fixture, eur, master_key, providers_at},
    http_payments::Counter,
    localstripe::{Fault, LocalStripe, Webhook, serve},
};

async fn shop() -> (LocalStripe, Fixture) {
    let stripe = LocalStripe::start().await;
    let shop = shop_at(&stripe.base_url).await;
    (stripe, shop)
}

async fn shop_at(base: &str) -> Fixture {
    let shop = Fixture::with(providers_at(base, "")).await;
    let secrets = [("secretKey", "sk_test_12345"), (WEBHOOK_SECRET, "whsec_1")];
    let account = secrets.map(|(name, value)| (name.to_owned(), value.to_owned().into()));
    let accounts = Accounts::new(shop.db.clone(), master_key());
    accounts.put(&shop.ctx(), STRIPE, &Credentials::new(account)).await.unwrap();
    shop
}

impl Fixture {
    async fn stripe(&self, method: &str) -> ChargeOrder {
        self.open_with(STRIPE, method).await
    }

    async fn stripe_paid(&self) -> ChargeOrder {
        let order = self.stripe("pm_card_visa").await;
        let outcome = self.charge(&order).await;
        assert_eq!(self.settle(order.payment, outcome).await.state, PaymentState::Succeeded);
        order
    }

    async fn ask_again(&self) {
        self.payments.reconcile_due(&self.ctx()).await.unwrap();
    }
}

// PAY-1
#[tokio::test]
async fn cards_are_charged_or_declined_with_the_providers_own_code() {
    let (stripe, shop) = shop().await;
    let paid = shop.stripe_paid().await;
    assert!(shop.payment(paid.payment).await.provider_ref.unwrap().starts_with("pi_"));
    for (method, code) in [("pm_card_chargeCustomerFail", "card_declined"), ("pm_nobody", "refused")] {
        let order = shop.stripe(method).await;
        let outcome = shop.charge(&order).await;
        let Outcome::Declined { code: told, .. } = &outcome else { panic!("{outcome:?}") };
        assert_eq!(told, code);
        assert_eq!(shop.settle(order.payment, outcome).await.state, PaymentState::Failed);
    }
    assert_eq!(stripe.total().await, 1000);
    let order = shop.neighbour("other").stripe("pm_card_visa").await;
    let outcome = shop.neighbour("other").charge(&order).await;
    assert!(matches!(outcome, Outcome::Declined { code, .. } if code == "provider_not_set_up"));
    assert_eq!(shop.invariants().await, []);
}

// PAY-1: never charged twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_charges_with_one_key_take_the_money_once() {
    let (stripe, shop) = shop().await;
    let order = shop.stripe("pm_card_visa").await;
    let outcomes = join_all((0..20).map(|_| shop.charge(&order))).await;
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Outcome::Succeeded { .. })), "{outcomes:?}");
    assert!(!outcomes.iter().any(|outcome| matches!(outcome, Outcome::Declined { .. })), "{outcomes:?}");
    let again = shop.charge(&order).await;
    assert!(matches!(again, Outcome::Succeeded { .. }), "{again:?}");
    assert_eq!(stripe.total().await, 1000);
}

// PAY-1: fails after charging.
#[tokio::test]
async fn an_answer_that_is_lost_after_charging_is_found_out_at_once() {
    let (stripe, shop) = shop().await;
    for lost in ["/confirm", "/payment_intents"] {
        stripe.fail(Fault::LoseAnswer(lost));
        let order = shop.stripe("pm_card_visa").await;
        let outcome = shop.charge(&order).await;
        if lost == "/confirm" {
            assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
        } else {
            // Made, but never confirmed: nothing was taken, and nothing will be.
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
        }
        shop.settle(order.payment, outcome).await;
        shop.later(60).ask_again().await;
        let wanted = if lost == "/confirm" { PaymentState::Succeeded } else { PaymentState::Cancelled };
        assert_eq!(shop.payment(order.payment).await.state, wanted);
    }
    assert_eq!(stripe.total().await, 1000);
}

// PAY-1
#[tokio::test]
async fn a_charge_that_never_arrived_is_given_up_and_a_late_one_takes_nothing() {
    let (stripe, shop) = shop().await;
    let order = shop.stripe("pm_card_visa").await;
    for fault in [Fault::LoseCall("/payment_intents"), Fault::Unavailable("/payment_intents")] {
        stripe.fail(fault);
    }
    let outcome = shop.charge(&order).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    shop.settle(order.payment, outcome).await;
    // Each time it is asked again, too.
    for _ in 0..4 {
        stripe.fail(Fault::Unavailable("/payment_intents"));
    }
    shop.later(60).ask_again().await;
    assert_eq!(shop.payment(order.payment).await.state, PaymentState::Unknown);
    shop.later(180).ask_again().await;
    assert_eq!(shop.payment(order.payment).await.state, PaymentState::Cancelled);
    assert_eq!(shop.charge(&order).await, Outcome::Cancelled);
    assert_eq!(stripe.total().await, 0);
}

// PAY-1
#[tokio::test]
async fn a_card_that_wants_its_bank_waits_for_it_and_can_be_given_up() {
    let (stripe, shop) = shop().await;
    let card = stripe.strict_card().await;
    for approve in [true, false] {
        let order = shop.stripe(&card).await;
        let outcome = shop.charge(&order).await;
        let Outcome::RequiresAction { provider_ref, action } = &outcome else { panic!("{outcome:?}") };
        let (intent, secret) = (provider_ref.clone(), action["clientSecret"].as_str().unwrap().to_owned());
        shop.settle(order.payment, outcome).await;
        stripe.authenticate(&intent, &secret, approve).await;
        shop.later(60).ask_again().await;
        let wanted = if approve { PaymentState::Succeeded } else { PaymentState::Failed };
        assert_eq!(shop.payment(order.payment).await.state, wanted);
    }
    let order = shop.stripe(&card).await;
    let outcome = shop.charge(&order).await;
    assert_eq!(shop.settle(order.payment, outcome).await.state, PaymentState::RequiresAction);
    let given_up = shop.payments.cancel(&shop.ctx(), &order, None).await;
    assert_eq!(given_up, payments::Cancelled::Cancelled);
    let paid = shop.stripe_paid().await;
    let late = shop.payments.cancel(&shop.ctx(), &paid, None).await;
    assert!(matches!(late, payments::Cancelled::AlreadySucceeded { .. }), "{late:?}");
    assert_eq!(stripe.total().await, 2000);
}

// PAY-2, PAY-3
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refund_goes_back_once_however_often_it_is_tried_and_answers_are_lost() {
    let (stripe, shop) = shop().await;
    let shop = Arc::new(shop);
    let paid = shop.stripe_paid().await.payment;
    let tx = shop.begin().await;
    let id = payments::request_refund(&tx, paid, Some(eur(300)), "r", Source::Api).await.unwrap();
    tx.commit().await.unwrap();
    let run = || async { shop.payments.run_refund(&shop.ctx(), id).await.unwrap().unwrap().state };
    stripe.fail(Fault::Unavailable("/refunds"));
    assert_eq!(run().await, RefundState::Pending);
    stripe.fail(Fault::LoseAnswer("/refunds"));
    assert_eq!(run().await, RefundState::Pending);
    let states = join_all((0..5).map(|_| run())).await;
    assert!(states.contains(&RefundState::Succeeded), "{states:?}");
    assert_eq!(run().await, RefundState::Succeeded);
    let payment = shop.payment(paid).await;
    assert_eq!((payment.refunded, payment.refunding), (300, 0));
    assert_eq!(stripe.total().await, 700);
    assert_eq!(shop.published("RefundProcessed").await, 1);
    assert_eq!(shop.invariants().await, []);
}

/// The next event of that type.
async fn next(heard: &mut tokio::sync::mpsc::UnboundedReceiver<Webhook>, kind: &str) -> Webhook {
    let patience = std::time::Duration::from_secs(20);
    loop {
        let told = tokio::time::timeout(patience, heard.recv()).await.unwrap().unwrap();
        if told.body.contains(&format!("\"{kind}\"")) {
            return told;
        }
    }
}

// PAY-1, PAY-3: the provider's own webhooks, twice, late, out of order, forged and stale.
#[tokio::test]
async fn webhooks_as_the_provider_sends_them_settle_what_is_open_and_nothing_else() {
    let stripe = LocalStripe::start().await;
    let counter = Counter::open_with(providers_at(&stripe.base_url, "")).await;
    let fake = counter.site.clock.now();
    counter.site.clock.advance_seconds(kernel::Clock::system().now().as_second() - fake.as_second());
    let account = json!({ "credentials": { "secretKey": "sk_test_12345", "webhookSecret": "whsec_1" } });
    counter.clerk.put("/payments/providers/stripe", account).await.is(200);
    let mut heard = stripe.listen("whsec_1").await;
    let tell = async |webhook: &Webhook| {
        let call = counter.site.stranger().api(Method::POST, "/payments/webhooks/stripe?tenant=acme");
        let call = call.header("stripe-signature", &webhook.signature);
        call.body("application/json; charset=utf-8", webhook.body.clone()).send().await
    };
    let charge = async |method: &str| {
        let amount = json!({ "amount": 1000, "currency": "EUR" });
        let body = json!({ "provider": "stripe", "method": method, "amount": amount });
        counter.clerk.post("/payments/charge", body).await.is(201)
    };
    let strict = stripe.strict_card().await;
    let waiting = charge(&strict).await;
    assert_eq!(waiting.text("/state"), "requires_action");
    let declined = charge("pm_card_chargeCustomerFail").await;
    assert_eq!(declined.text("/failure/code"), "card_declined");
    let failed = next(&mut heard, "payment_intent.payment_failed").await;
    stripe.authenticate(waiting.text("/providerReference"), waiting.text("/action/clientSecret"), true).await;
    let succeeded = next(&mut heard, "payment_intent.succeeded").await;
    let forged = Webhook { body: succeeded.body.replace("1000", "1"), ..succeeded.clone() };
    tell(&forged).await.is_problem(400, "WEBHOOK_SIGNATURE_INVALID");
    assert_eq!(tell(&succeeded).await.is(200).json["known"], true);
    assert_eq!(tell(&failed).await.is(200).json["known"], true);
    assert_eq!(tell(&succeeded).await.is(200).json["replayed"], true);
    let state = async |id: &str| {
        counter.clerk.get(&format!("/payments/{id}")).await.is(200).text("/state").to_owned()
    };
    assert_eq!(state(waiting.text("/id")).await, "succeeded");
    assert_eq!(state(declined.text("/id")).await, "failed");
    counter.site.clock.advance_seconds(600);
    tell(&succeeded).await.is_problem(400, "WEBHOOK_TOO_OLD");
    assert_eq!(counter.invariants().await, []);
}

/// A provider that declines every card, or fails at everything; counts what it is asked.
#[derive(Default)]
struct Moody {
    fails: AtomicBool,
    asked: AtomicUsize,
}

impl Moody {
    fn answer(&self) -> (StatusCode, Json<Value>) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})));
        }
        (StatusCode::PAYMENT_REQUIRED, Json(json!({ "error": { "code": "card_declined" } })))
    }
}

// RES-1, RES-4: a provider that fails is left alone, and asked again when it is back.
#[tokio::test]
async fn a_provider_that_fails_again_and_again_is_left_alone_until_it_is_back() {
    let moody = Arc::new(Moody::default());
    let answering = moody.clone();
    let base = serve(Router::new().fallback(move || async move { answering.answer() })).await;
    let shop = shop_at(&base).await;
    let state =
        || shop.db.breakers().states().into_iter().find(|(name, _)| &**name == "payments:stripe").unwrap().1;
    let order = shop.stripe("pm_card_visa").await;
    moody.fails.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        let outcome = shop.charge(&order).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    }
    assert_eq!(state(), State::Open);
    let asked = moody.asked.load(Ordering::SeqCst);
    let refused = shop.charge(&order).await;
    assert!(matches!(&refused, Outcome::Unknown { detail } if detail.contains("not asked")), "{refused:?}");
    // The probe asks for nothing once a second.
    assert!(moody.asked.load(Ordering::SeqCst) <= asked + 3);
    moody.fails.store(false, Ordering::SeqCst);
    while !matches!(shop.charge(&order).await, Outcome::Declined { .. }) {
        tokio::task::yield_now().await;
    }
    while state() != State::Closed {
        shop.charge(&order).await;
    }
}
