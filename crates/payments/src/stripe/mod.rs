//! Stripe's API, or one compatible with it: PaymentIntents, refunds, signed webhooks.
//!
//! A charge is two calls: an intent is made (which takes nothing) and then confirmed. Making it again under its key gives
//! the same intent, so that one whose answer was lost can be found, and be cancelled before a late confirmation takes
//! anything. Stripe keeps keys for a day; what is older and has no name yet stays unknown.

mod api;
mod read;

use async_trait::async_trait;
use http::HeaderMap;
use jiff::SignedDuration;
use kernel::{Ctx, Timestamp};
use secrecy::SecretString;
use serde_json::Value as Json;

use self::api::{Api, Failure};
use crate::{
    accounts::Accounts,
    model::{ChargeOrder, Outcome, PaymentId, RefundOrder, RefundOutcome},
    provider::{Cancelled, Found, Provider, WEBHOOK_SECRET, WebhookError, WebhookEvent},
    signature,
    web_call::{Site, path_name},
};

/// The name of the provider.
pub const STRIPE: &str = "stripe";
/// The header that its webhooks are signed in.
const SIGNATURE: &str = "stripe-signature";
/// The credential that calls are made with.
const SECRET_KEY: &str = "secretKey";
/// Keys are surely kept for so long.
const KEYS_LAST: SignedDuration = SignedDuration::from_hours(23);

/// Charges through Stripe with each merchant's own account.
#[derive(Debug, Clone)]
pub(crate) struct Stripe {
    site: Site,
    accounts: Accounts,
}

impl Stripe {
    /// Stripe at `site`.
    pub(crate) fn new(site: Site, accounts: Accounts) -> Self {
        Self { site, accounts }
    }

    async fn api(&self, ctx: &Ctx) -> Result<Api<'_>, Failure> {
        let account = self.accounts.find(ctx, STRIPE).await;
        let account = account.map_err(|error| Failure::Unknown(error.to_string()))?;
        match account.and_then(|account| account.get(SECRET_KEY).cloned()) {
            Some(key) => Ok(Api { site: &self.site, key, trace: ctx.caller.trace.clone() }),
            None => Err(Failure::Account { code: "provider_not_set_up" }),
        }
    }

    async fn try_charge(&self, ctx: &Ctx, order: &ChargeOrder) -> Result<Outcome, Failure> {
        let api = self.api(ctx).await?;
        let intent = api.make_intent(order).await?;
        if read::status(&intent) != "requires_confirmation" {
            return Ok(read::outcome(&intent));
        }
        let id = read::id(&intent)?;
        match api.confirm(id, order.payment).await {
            Ok(intent) => Ok(read::outcome(&intent)),
            // Refused as a whole is one thing, refused because it was confirmed already another.
            Err(Failure::Refused { code, detail }) => match read::outcome(&api.get_intent(id).await?) {
                Outcome::Unknown { .. } => Ok(Outcome::Declined { code, detail }),
                known => Ok(known),
            },
            Err(unknown) => Err(unknown),
        }
    }

    /// The intent as it is now; `None` when nobody can say any more whether there is one.
    async fn now(
        &self,
        ctx: &Ctx,
        order: &ChargeOrder,
        provider_ref: Option<&str>,
    ) -> Result<Option<Json>, Failure> {
        let api = self.api(ctx).await?;
        if let Some(id) = provider_ref.and_then(path_name) {
            return api.get_intent(id).await.map(Some);
        }
        if !order.payment.is_younger(KEYS_LAST, ctx.now()) {
            return Ok(None);
        }
        let made = api.make_intent(order).await?;
        api.get_intent(read::id(&made)?).await.map(Some)
    }

    async fn try_cancel(
        &self,
        ctx: &Ctx,
        order: &ChargeOrder,
        provider_ref: Option<&str>,
    ) -> Result<Cancelled, Failure> {
        let Some(intent) = self.now(ctx, order, provider_ref).await? else { return Ok(Cancelled::Unknown) };
        if read::is_over(&intent) {
            return Ok(read::cancelled(&intent));
        }
        let (api, id) = (self.api(ctx).await?, read::id(&intent)?);
        match api.cancel(id).await {
            Ok(intent) => Ok(read::cancelled(&intent)),
            // Something was faster: what became of it counts.
            Err(_) => Ok(read::cancelled(&api.get_intent(id).await?)),
        }
    }

    async fn try_refund(&self, ctx: &Ctx, order: &RefundOrder) -> Result<RefundOutcome, Failure> {
        let api = self.api(ctx).await?;
        if let Some(id) = order.refund_ref.as_deref().and_then(path_name) {
            return Ok(read::refund(&api.get_refund(id).await?));
        }
        let Some(charge) = order.charge_ref.as_deref().and_then(path_name) else {
            return Err(Failure::refused("no_charge", "There is no intent to refund."));
        };
        // A refund whose answer was lost is found even when its key has been forgotten.
        let made = api.list_refunds(charge).await?;
        match read::refund_of(&made, order.refund) {
            Some(refund) => Ok(read::refund(refund)),
            None => Ok(read::refund(&api.make_refund(charge, order).await?)),
        }
    }
}

impl PaymentId {
    /// Whether it was made less than `age` ago, as far as it tells itself.
    pub(crate) fn is_younger(self, age: SignedDuration, now: Timestamp) -> bool {
        let millis = i64::try_from(self.0.as_u128() >> 80).unwrap_or(0);
        let made = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
        now.duration_since(made) < age
    }
}

#[async_trait]
impl Provider for Stripe {
    fn name(&self) -> &'static str {
        STRIPE
    }

    fn methods(&self) -> &'static [&'static str] {
        &["pm_card_visa"]
    }

    /// Any payment method that Stripe's own form has made.
    fn takes(&self, method: &str) -> bool {
        method.starts_with("pm_") && path_name(method).is_some()
    }

    fn credentials(&self) -> &'static [&'static str] {
        &[SECRET_KEY, WEBHOOK_SECRET]
    }

    async fn charge(&self, ctx: &Ctx, order: &ChargeOrder) -> Outcome {
        match self.try_charge(ctx, order).await {
            Ok(outcome) => outcome,
            Err(Failure::Refused { code, detail }) => Outcome::Declined { code, detail },
            Err(Failure::Account { code }) => {
                let detail = "Stripe does not know this merchant's account.".to_owned();
                Outcome::Declined { code: code.to_owned(), detail }
            }
            Err(Failure::Unknown(detail)) => Outcome::Unknown { detail },
        }
    }

    async fn find(&self, ctx: &Ctx, order: &ChargeOrder, provider_ref: Option<&str>) -> Found {
        match self.now(ctx, order, provider_ref).await {
            // Nothing was confirmed: for the books it never arrived.
            Ok(Some(intent)) if read::is_untouched(&intent) => Found::NotFound,
            Ok(Some(intent)) => Found::Outcome(read::outcome(&intent)),
            // Refused to make it, now as then; what cannot be made cannot have taken anything.
            Err(Failure::Refused { code, detail }) if provider_ref.is_none() => {
                Found::Outcome(Outcome::Declined { code, detail })
            }
            Ok(None) | Err(_) => Found::Unknown,
        }
    }

    async fn cancel(&self, ctx: &Ctx, order: &ChargeOrder, provider_ref: Option<&str>) -> Cancelled {
        self.try_cancel(ctx, order, provider_ref).await.unwrap_or(Cancelled::Unknown)
    }

    async fn refund(&self, ctx: &Ctx, order: &RefundOrder) -> RefundOutcome {
        match self.try_refund(ctx, order).await {
            Ok(outcome) => outcome,
            Err(Failure::Refused { code, .. }) => RefundOutcome::Failed { code },
            // Once the account is right again it goes back.
            Err(Failure::Account { code }) => RefundOutcome::Unknown { detail: code.to_owned() },
            Err(Failure::Unknown(detail)) => RefundOutcome::Unknown { detail },
        }
    }

    fn parse_webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        secret: &SecretString,
        now: Timestamp,
    ) -> Result<WebhookEvent, WebhookError> {
        signature::verify(headers, SIGNATURE, body, secret, now)?;
        let event: Json = serde_json::from_slice(body).map_err(|_| WebhookError::Malformed)?;
        read::event(&event).ok_or(WebhookError::Malformed)
    }
}
