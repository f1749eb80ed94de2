//! What a payment provider must be able to do. Everything else about money is the same for all of them.

use async_trait::async_trait;
use http::HeaderMap;
use kernel::{Ctx, Timestamp};
use secrecy::SecretString;

use crate::model::{ChargeOrder, Outcome, PaymentId, RefundId, RefundOrder, RefundOutcome};

/// The credential that webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "webhookSecret";

/// What a provider knows about a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// No charge under this key has reached it.
    NotFound,
    /// This became of it.
    Outcome(Outcome),
    /// It did not answer.
    Unknown,
}

/// What became of the wish to give a charge up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancelled {
    /// Nothing was taken and nothing will be.
    Cancelled,
    /// Too late: the money was taken.
    AlreadySucceeded {
        /// The provider's name for the charge.
        provider_ref: String,
    },
    /// It did not answer.
    Unknown,
}

/// Something a provider tells about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEvent {
    /// The provider's name for the event: the same for a replay; at most 255 characters.
    pub id: String,
    /// Which payment it is about, if one of ours.
    pub payment: Option<PaymentId>,
    /// Which refund it is about, if one of ours.
    pub refund: Option<RefundId>,
}

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The signature is missing or is not by the merchant's secret.
    #[error("the signature is missing or wrong")]
    Signature,
    /// It was signed too long ago, or ahead of time.
    #[error("the signature is too old")]
    Stale,
    /// The body is not what this provider sends.
    #[error("the body is not an event of this provider")]
    Malformed,
    /// This provider sends none.
    #[error("the provider sends no webhooks")]
    Unsupported,
}

/// A payment provider. The core keeps the books, bounds every call in time, asks again after unknown outcomes and
/// never starts a second charge: an implementation only translates.
///
/// Every call may be repeated with the same key and must then tell of the first one's effect, not have a second.
/// What cannot be known (a lost connection, a 500) is `Unknown`, never `Declined`.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its name in addresses and in the books: `[a-z0-9-]`, at most 32 characters.
    fn name(&self) -> &'static str;

    /// The methods it takes, for documentation; examples where there are too many to list.
    fn methods(&self) -> &'static [&'static str];

    /// Whether it takes this method.
    fn takes(&self, method: &str) -> bool {
        self.methods().contains(&method)
    }

    /// The names of what a merchant's account with it holds; `webhookSecret` is what its webhooks are signed with.
    fn credentials(&self) -> &'static [&'static str] {
        &[WEBHOOK_SECRET]
    }

    /// Takes the money, once per key.
    async fn charge(&self, ctx: &Ctx, order: &ChargeOrder) -> Outcome;

    /// What became of the charge that was, or would have been, asked for by `order`; `provider_ref` is its name, if it
    /// was told.
    async fn find(&self, ctx: &Ctx, order: &ChargeOrder, provider_ref: Option<&str>) -> Found;

    /// Gives that charge up, if the money has not been taken yet. Where it never arrived, it is made sure as far as the
    /// provider allows that it takes nothing when it still does.
    async fn cancel(&self, ctx: &Ctx, order: &ChargeOrder, provider_ref: Option<&str>) -> Cancelled;

    /// Gives money back, once per key.
    async fn refund(&self, ctx: &Ctx, order: &RefundOrder) -> RefundOutcome;

    /// Reads and believes what the provider sends, signed with the merchant's `secret`.
    ///
    /// # Errors
    /// [`WebhookError`].
    fn parse_webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        secret: &SecretString,
        now: Timestamp,
    ) -> Result<WebhookEvent, WebhookError>;
}
