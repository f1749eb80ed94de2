//! Stripe's calls, form-encoded, each with its key.

use kernel::{Currency, Money, TraceParent};
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;

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

/// The API with one merchant's key.
pub(super) struct Api<'a> {
    pub(super) site: &'a Site,
    pub(super) key: SecretString,
    /// What calls are part of.
    pub(super) trace: Option<TraceParent>,
}

impl Api<'_> {
    /// Makes the intent of a payment, or gives the one that was made before. Takes no money.
    pub(super) async fn make_intent(&self, order: &ChargeOrder) -> Result<Json, Failure> {
        let payment = order.payment.to_string();
        let fields = [
            ("amount", minor_units(order.amount)?.to_string()),
            ("currency", order.amount.currency.as_str().to_ascii_lowercase()),
            ("payment_method", order.method.clone()),
            ("payment_method_types[]", "card".to_owned()),
            ("metadata[payment_id]", payment.clone()),
        ];
        self.post("/v1/payment_intents", &fields, Some(format!("{payment}-make"))).await
    }

    pub(super) async fn confirm(&self, intent: &str, payment: PaymentId) -> Result<Json, Failure> {
        let path = format!("/v1/payment_intents/{intent}/confirm");
        self.post(&path, &[], Some(format!("{payment}-confirm"))).await
    }

    pub(super) async fn cancel(&self, intent: &str) -> Result<Json, Failure> {
        self.post(&format!("/v1/payment_intents/{intent}/cancel"), &[], None).await
    }

    pub(super) async fn get_intent(&self, intent: &str) -> Result<Json, Failure> {
        self.get(&format!("/v1/payment_intents/{intent}")).await
    }

    pub(super) async fn make_refund(&self, intent: &str, order: &RefundOrder) -> Result<Json, Failure> {
        let fields = [
            ("payment_intent", intent.to_owned()),
            ("amount", minor_units(order.amount)?.to_string()),
            ("metadata[payment_id]", order.payment.to_string()),
            ("metadata[refund_id]", order.refund.to_string()),
        ];
        self.post("/v1/refunds", &fields, Some(order.refund.to_string())).await
    }

    pub(super) async fn get_refund(&self, refund: &str) -> Result<Json, Failure> {
        self.get(&format!("/v1/refunds/{refund}")).await
    }

    /// The refunds of an intent; a payment of ours has at most 100.
    pub(super) async fn list_refunds(&self, intent: &str) -> Result<Json, Failure> {
        self.get(&format!("/v1/refunds?payment_intent={intent}&limit=100")).await
    }

    async fn get(&self, path: &str) -> Result<Json, Failure> {
        self.call(self.site.request(Method::GET, path)).await
    }

    async fn post(
        &self,
        path: &str,
        fields: &[(&str, String)],
        key: Option<String>,
    ) -> Result<Json, Failure> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = self.site.request(Method::POST, path).body(form);
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.call(request).await
    }

    async fn call(&self, request: RequestBuilder) -> Result<Json, Failure> {
        let request = request.bearer_auth(self.key.expose_secret());
        let answer = self.site.send(request, self.trace.as_ref()).await?;
        if answer.is_success() && answer.json.is_object() {
            return Ok(answer.json);
        }
        Err(failure(&answer))
    }
}

fn failure(answer: &Answer) -> Failure {
    let key_is_of_another_request = answer.text("/error/type") == Some("idempotency_error");
    if !answer.is_refusal() || key_is_of_another_request {
        return Failure::Unknown(format!("Stripe answered with status {}.", answer.status));
    }
    if matches!(answer.status, 401 | 403) {
        // Without Stripe's words: they name part of the key.
        return Failure::Account { code: "provider_refuses_account" };
    }
    let code = answer.text("/error/decline_code").or_else(|| answer.text("/error/code"));
    let words = answer.text("/error/message");
    Failure::refused(code.unwrap_or("refused"), words.unwrap_or("Stripe refused the request."))
}

/// The amount as Stripe counts it: ISK and UGX in hundredths that do not exist.
fn minor_units(money: Money) -> Result<i64, Failure> {
    let factor = match (money.currency.as_str(), Currency::decimals(&money.currency)) {
        ("ISK" | "UGX", 0) => 100,
        _ => 1,
    };
    let out_of_range = || Failure::refused("amount_too_large", "The amount is too large.");
    money.amount.checked_mul(factor).ok_or_else(out_of_range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    // PAY-1
    #[test]
    fn a_refusal_carries_the_closest_code_and_never_words_about_keys() {
        let error =
            json!({ "error": { "code": "card_declined", "decline_code": "lost_card", "message": "No." } });
        let answer = |status, json: &Json| Answer { status, json: json.clone() };
        assert_eq!(failure(&answer(402, &error)), Failure::refused("lost_card", "No."));
        let key = json!({ "error": { "message": "Invalid API Key provided: sk_test_12" } });
        assert_eq!(failure(&answer(401, &key)), Failure::Account { code: "provider_refuses_account" });
        let reused = json!({ "error": { "type": "idempotency_error", "message": "Keys .." } });
        assert!(matches!(failure(&answer(400, &reused)), Failure::Unknown(_)));
        assert!(matches!(failure(&answer(500, &error)), Failure::Unknown(_)));
        assert!(matches!(failure(&answer(409, &error)), Failure::Unknown(_)));
        assert!(matches!(failure(&answer(301, &error)), Failure::Unknown(_)));
    }

    #[test]
    fn amounts_are_counted_as_stripe_counts_them() {
        let counted = |amount, currency: &str| minor_units(Money::new(amount, currency.parse().unwrap()));
        assert_eq!((counted(1234, "EUR"), counted(500, "JPY")), (Ok(1234), Ok(500)));
        assert_eq!(
            counted(5, "ISK"),
            Ok(if "ISK".parse::<Currency>().unwrap().decimals() == 0 { 500 } else { 5 })
        );
    }
}
