//! Payments in the whole program: whose they are, what the job does, what is proven about them.

use std::time::Duration;

use control::sign_visitor_token;
use http::Method;
use kernel::{Ctx, Money};
use payments::{ChargeOrder, NewPayment, PaymentId, Settlement, Source};
use serde_json::json;
use server::check::check_tenant;
use testkit::{App, Client};

/// A payment of a shopper's that waits for their confirmation, as a checkout leaves it.
async fn waiting(app: &App, ctx: &Ctx, owner: &str) -> PaymentId {
    let order = ChargeOrder {
        payment: PaymentId::new(),
        provider: "test".to_owned(),
        method: "card_confirm".to_owned(),
        amount: Money::new(900, ctx.tenant.currency),
    };
    let payment = NewPayment {
        id: order.payment,
        provider: order.provider.clone(),
        method: order.method.clone(),
        amount: order.amount,
        purpose: Some("booking 1".to_owned()),
        owner: Some(owner.to_owned()),
    };
    let tx = app.parts.db.begin(ctx).await.unwrap();
    payments::open_payment(&tx, payment).await.unwrap();
    tx.commit().await.unwrap();
    let outcome = app.parts.payments.charge(ctx, &order).await;
    let tx = app.parts.db.begin(ctx).await.unwrap();
    let settlement = Settlement { payment: order.payment, outcome, source: Source::Checkout };
    payments::settle(&tx, &[settlement]).await.unwrap();
    tx.commit().await.unwrap();
    order.payment
}

fn visitor(app: &App, ctx: &Ctx, id: &str) -> Client {
    let life = Duration::from_secs(600);
    let token = sign_visitor_token(&app.parts.control, ctx.tenant_id(), id, life, app.clock.now()).unwrap();
    app.stranger().with_tenant("acme").with_token(&token)
}

// PAY-1, IDN-4
#[tokio::test]
async fn a_shopper_sees_and_confirms_their_own_payments_and_nobody_elses() {
    let app = App::start().await.unwrap();
    app.add_tenant("acme").await.unwrap();
    let ctx = app.ctx("acme").await.unwrap();
    let (ann, bob) = ("cus_01J00000000000000000000000", "gst_01J00000000000000000000000");
    let payment = waiting(&app, &ctx, ann).await;
    let (path, confirm) = (format!("/payments/{payment}"), format!("/payments/{payment}/confirm"));
    let approve = json!({ "approve": true });
    let other = visitor(&app, &ctx, bob);
    other.get(&path).await.is_problem(404, "PAYMENT_NOT_FOUND");
    other.post(&confirm, approve.clone()).await.is_problem(404, "PAYMENT_NOT_FOUND");
    other.get("/payments").await.is_problem(403, "PERMISSION_DENIED");
    let own = visitor(&app, &ctx, ann);
    let seen = own.get(&path).await.is(200);
    assert_eq!((seen.text("/state"), seen.text("/owner")), ("requires_action", ann));
    assert_eq!(seen.json["history"][0]["actor"], json!(null));
    assert_eq!(own.post(&confirm, approve).await.is(200).text("/state"), "succeeded");
    let refund = json!({ "paymentId": payment, "amount": { "amount": 1, "currency": "EUR" }, "reason": "r" });
    own.post("/payments/refund", refund).await.is_problem(403, "PERMISSION_DENIED");
    assert_eq!(check_tenant(&app.parts, &ctx).await.unwrap(), []);
}

// PAY-1, PAY-2
#[tokio::test]
async fn the_programs_own_job_finds_out_what_nobody_settled() {
    let app = App::start_with(|config| config.payments.call_timeout_ms = 200).await.unwrap();
    app.add_tenant("acme").await.unwrap();
    let clerk = app.member("acme", &["payments:*"]).await.unwrap();
    let amount = json!({ "amount": 500, "currency": "EUR" });
    let body = json!({ "provider": "test", "method": "card_timeout", "amount": amount });
    let charged = clerk.post("/payments/charge", body).await.is(201);
    assert_eq!(charged.text("/state"), "unknown");
    app.clock.advance_seconds(90);
    app.drain().await.unwrap();
    let path = format!("/payments/{}", charged.text("/id"));
    assert_eq!(clerk.get(&path).await.is(200).text("/state"), "cancelled");
    assert_eq!(
        clerk.api(Method::GET, "/payments?state=unknown").send().await.is(200).json["items"],
        json!([])
    );
    let ctx = app.ctx("acme").await.unwrap();
    assert_eq!(check_tenant(&app.parts, &ctx).await.unwrap(), []);
}
