//! PayPal's calls, in JSON, each with its key.

use jiff::SignedDuration;
use kernel::{Ctx, Timestamp, TraceParent};
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};

use super::read::GIVEN_UP;
use crate::{
    model::{ChargeOrder, PaymentId, RefundOrder},
    web_call::{Answer, NoAnswer, Site},
};

/// Why a call did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Understood and refused.
    Refused { code: String, detail: String },
    /// The merchant's account is not there or not accepted: says nothing about what it did before.
    Account { code: &'static str },
    /// Nobody knows what it did.
    Unknown(String),
}

impl Failure {
    pub(super) fn refused(code: &str, detail: &str) -> Self {
        Self::Refused { code: code.to_owned(), detail: detail.to_owned() }
    }
}

impl From<NoAnswer> for Failure {
    fn from(error: NoAnswer) -> Self {
        Self::Unknown(error.0)
    }
}

/// An access token until its time.
#[derive(Clone)]
pub(super) struct Token {
    text: SecretString,
    until: Timestamp,
}

impl Token {
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

/// Gets an access token for the merchant's client.
pub(super) async fn sign_in(
    site: &Site,
    id: &SecretString,
    secret: &SecretString,
    ctx: &Ctx,
) -> Result<Token, Failure> {
    let request = site.request(Method::POST, "/v1/oauth2/token");
    let request = request
        .basic_auth(id.expose_secret(), Some(secret.expose_secret()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials");
    let (answer, now) = (site.send(request, ctx.caller.trace.as_ref()).await?, ctx.now());
    let seconds = answer.json["expires_in"].as_i64().unwrap_or(0);
    match answer.text("/access_token") {
        Some(text) if answer.is_success() => {
            // A minute less, so that none ends on its way.
            let life = SignedDuration::from_secs(seconds.clamp(0, 86_400) - 60);
            Ok(Token { text: text.to_owned().into(), until: now.checked_add(life).unwrap_or(now) })
        }
        _ if answer.is_refusal() => Err(Failure::Account { code: "provider_refuses_account" }),
        _ => Err(Failure::Unknown(format!("PayPal's sign-in answered with status {}.", answer.status))),
    }
}

/// The API with one merchant's token.
pub(super) struct Api<'a> {
    pub(super) site: &'a Site,
    pub(super) token: Token,
    /// What calls are part of.
    pub(super) trace: Option<TraceParent>,
}

impl Api<'_> {
    /// Makes the order of a payment, or gives the one that was made before. Takes no money.
    pub(super) async fn make_order(&self, order: &ChargeOrder) -> Result<Json, Failure> {
        let payment = order.payment.to_string();
        let amount = json!({ "currency_code": order.amount.currency, "value": order.amount.to_decimal() });
        let unit = json!({ "custom_id": payment, "invoice_id": payment, "amount": amount });
        let body = json!({ "intent": "CAPTURE", "purchase_units": [unit] });
        self.post("/v2/checkout/orders", &body, &format!("{payment}-make")).await
    }

    pub(super) async fn get_order(&self, id: &str) -> Result<Json, Failure> {
        self.call(self.site.request(Method::GET, &format!("/v2/checkout/orders/{id}"))).await
    }

    pub(super) async fn capture(&self, id: &str, payment: PaymentId) -> Result<Json, Failure> {
        let path = format!("/v2/checkout/orders/{id}/capture");
        self.post(&path, &json!({}), &format!("{payment}-capture")).await
    }

    /// Marks an order that has not been captured, for ourselves: nobody captures it from then on.
    pub(super) async fn give_up(&self, id: &str) -> Result<(), Failure> {
        let place = "/purchase_units/@reference_id=='default'/custom_id";
        let patch = json!([{ "op": "replace", "path": place, "value": GIVEN_UP }]);
        let request = self.site.request(Method::PATCH, &format!("/v2/checkout/orders/{id}")).json(&patch);
        self.call(request).await.map(drop)
    }

    pub(super) async fn make_refund(&self, capture: &str, order: &RefundOrder) -> Result<Json, Failure> {
        let amount = json!({ "currency_code": order.amount.currency, "value": order.amount.to_decimal() });
        let ids = format!("{}:{}", order.payment, order.refund);
        let body = json!({ "amount": amount, "custom_id": ids });
        let path = format!("/v2/payments/captures/{capture}/refund");
        self.post(&path, &body, &order.refund.to_string()).await
    }

    pub(super) async fn get_refund(&self, id: &str) -> Result<Json, Failure> {
        self.call(self.site.request(Method::GET, &format!("/v2/payments/refunds/{id}"))).await
    }

    async fn post(&self, path: &str, body: &Json, key: &str) -> Result<Json, Failure> {
        let request = self.site.request(Method::POST, path).json(body);
        self.call(request.header("paypal-request-id", key).header("prefer", "return=representation")).await
    }

    async fn call(&self, request: RequestBuilder) -> Result<Json, Failure> {
        let request = request.bearer_auth(self.token.text.expose_secret());
        let answer = self.site.send(request, self.trace.as_ref()).await?;
        if answer.is_success() { Ok(answer.json) } else { Err(failure(&answer)) }
    }
}

fn failure(answer: &Answer) -> Failure {
    if !answer.is_refusal() {
        return Failure::Unknown(format!("PayPal answered with status {}.", answer.status));
    }
    if matches!(answer.status, 401 | 403) {
        return Failure::Account { code: "provider_refuses_account" };
    }
    let code = answer.text("/details/0/issue").or_else(|| answer.text("/name")).unwrap_or("refused");
    let words = answer.text("/details/0/description").or_else(|| answer.text("/message"));
    Failure::refused(&code.to_ascii_lowercase(), words.unwrap_or("PayPal refused the request."))
}
