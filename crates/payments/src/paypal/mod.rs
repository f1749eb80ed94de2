//! PayPal's orders, or an API of their shape: the payer approves an order on PayPal's page, we capture it, once.
//!
//! An order that is made again under its key is the same order. It takes nothing by itself: only our capture does, so an
//! order is given up by marking it, and what is marked is never captured. PayPal keeps the keys of orders for six hours;
//! what is older and has no name yet stays unknown.

mod api;
mod read;

use async_trait::async_trait;
use http::HeaderMap;
use jiff::SignedDuration;
use kernel::{Ctx, TenantId, Timestamp};
use moka::sync::Cache;
use secrecy::SecretString;
use serde_json::Value as Json;

use self::api::{Api, Failure, Token};
use crate::{
    accounts::Accounts,
    model::{ChargeOrder, Outcome, RefundOrder, RefundOutcome},
    provider::{Cancelled, Found, Provider, WEBHOOK_SECRET, WebhookError, WebhookEvent},
    signature,
    web_call::{Site, path_name},
};

/// The name of the provider.
pub const PAYPAL: &str = "paypal";
/// The header that relayed webhooks are signed in.
const SIGNATURE: &str = "paypal-relay-signature";
const CLIENT_ID: &str = "clientId";
const CLIENT_SECRET: &str = "clientSecret";
/// Keys are surely kept for so long.
const KEYS_LAST: SignedDuration = SignedDuration::from_hours(5);
/// Merchants whose access tokens are kept.
const MOST_TOKENS: u64 = 10_000;

/// Charges through PayPal with each merchant's own account.
#[derive(Clone)]
pub(crate) struct PayPal {
    site: Site,
    accounts: Accounts,
    /// By merchant and client, so that another account never meets the token of the one before.
    tokens: Cache<(TenantId, String), Token>,
}

impl std::fmt::Debug for PayPal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PayPal").field("site", &self.site).finish_non_exhaustive()
    }
}

impl PayPal {
    /// PayPal at `site`.
    pub(crate) fn new(site: Site, accounts: Accounts) -> Self {
        Self { site, accounts, tokens: Cache::new(MOST_TOKENS) }
    }

    async fn api(&self, ctx: &Ctx) -> Result<Api<'_>, Failure> {
        let account = self.accounts.find(ctx, PAYPAL).await;
        let account = account.map_err(|error| Failure::Unknown(error.to_string()))?.unwrap_or_default();
        let (Some(id), Some(secret)) = (account.get(CLIENT_ID), account.get(CLIENT_SECRET)) else {
            return Err(Failure::Account { code: "provider_not_set_up" });
        };
        let key = (ctx.tenant_id(), secrecy::ExposeSecret::expose_secret(id).to_owned());
        let token = match self.tokens.get(&key).filter(|token| token.is_fresh(ctx.now())) {
            Some(token) => token,
            None => {
                let token = api::sign_in(&self.site, id, secret, ctx).await?;
                self.tokens.insert(key, token.clone());
                token
            }
        };
        Ok(Api { site: &self.site, token, trace: ctx.caller.trace.clone() })
    }

    /// Forgets tokens when one was not taken: the next call signs in again.
    fn mind<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(Failure::Account { .. }) = &result {
            self.tokens.invalidate_all();
        }
        result
    }

    /// The order as it is now, captured if the payer has approved it; `None` when nobody can say whether there is one.
    async fn now(
        &self,
        ctx: &Ctx,
        order: &ChargeOrder,
        provider_ref: Option<&str>,
    ) -> Result<Option<Json>, Failure> {
        let api = self.api(ctx).await?;
        if let Some(id) = provider_ref.and_then(path_name) {
            return api.get_order(id).await.map(Some);
        }
        if !order.payment.is_younger(KEYS_LAST, ctx.now()) {
            return Ok(None);
        }
        let made = api.make_order(order).await?;
        api.get_order(read::id(&made)?).await.map(Some)
    }

    async fn capture(&self, ctx: &Ctx, order: &ChargeOrder, found: Json) -> Result<Outcome, Failure> {
        if !read::is_approved(&found) || read::is_given_up(&found) {
            return Ok(read::outcome(&found));
        }
        let (api, id) = (self.api(ctx).await?, read::id(&found)?);
        match api.capture(id, order.payment).await {
            Ok(captured) => Ok(read::outcome(&captured)),
            // The payer's means were refused: PayPal lets them choose others on its page.
            Err(Failure::Refused { code, detail }) => match read::outcome(&api.get_order(id).await?) {
                done @ Outcome::Succeeded { .. } => Ok(done),
                _ => Ok(Outcome::Declined { code, detail }),
            },
            Err(unknown) => Err(unknown),
        }
    }

    async fn try_cancel(
        &self,
        ctx: &Ctx,
        order: &ChargeOrder,
        provider_ref: Option<&str>,
    ) -> Result<Cancelled, Failure> {
        let Some(found) = self.now(ctx, order, provider_ref).await? else { return Ok(Cancelled::Unknown) };
        if !read::is_given_up(&found) && !read::is_captured(&found) {
            let marked = self.api(ctx).await?.give_up(read::id(&found)?).await;
            // Refused: somebody captured it meanwhile; the order says so.
            if let Err(Failure::Unknown(detail)) = marked {
                return Err(Failure::Unknown(detail));
            }
        }
        let now = self.api(ctx).await?.get_order(read::id(&found)?).await?;
        Ok(match read::outcome(&now) {
            Outcome::Succeeded { provider_ref } => Cancelled::AlreadySucceeded { provider_ref },
            Outcome::Cancelled => Cancelled::Cancelled,
            _ => Cancelled::Unknown,
        })
    }

    async fn try_refund(&self, ctx: &Ctx, order: &RefundOrder) -> Result<RefundOutcome, Failure> {
        let api = self.api(ctx).await?;
        if let Some(id) = order.refund_ref.as_deref().and_then(path_name) {
            return Ok(read::refund(&api.get_refund(id).await?));
        }
        let no_charge = || Failure::refused("no_charge", "There is no order to refund.");
        let id = order.charge_ref.as_deref().and_then(path_name).ok_or_else(no_charge)?;
        let found = api.get_order(id).await?;
        let capture = read::capture_id(&found).ok_or_else(no_charge)?;
        Ok(read::refund(&api.make_refund(capture, order).await?))
    }
}

#[async_trait]
impl Provider for PayPal {
    fn name(&self) -> &'static str {
        PAYPAL
    }

    fn methods(&self) -> &'static [&'static str] {
        &["paypal"]
    }

    fn credentials(&self) -> &'static [&'static str] {
        &[CLIENT_ID, CLIENT_SECRET, WEBHOOK_SECRET]
    }

    async fn charge(&self, ctx: &Ctx, order: &ChargeOrder) -> Outcome {
        let done = async {
            let made = self.api(ctx).await?.make_order(order).await?;
            self.capture(ctx, order, made).await
        };
        match self.mind(done.await) {
            Ok(outcome) => outcome,
            Err(Failure::Refused { code, detail }) => Outcome::Declined { code, detail },
            Err(Failure::Account { code }) => {
                let detail = "PayPal does not know this merchant's account.".to_owned();
                Outcome::Declined { code: code.to_owned(), detail }
            }
            Err(Failure::Unknown(detail)) => Outcome::Unknown { detail },
        }
    }

    async fn find(&self, ctx: &Ctx, order: &ChargeOrder, provider_ref: Option<&str>) -> Found {
        let found = async {
            match self.now(ctx, order, provider_ref).await? {
                Some(found) => self.capture(ctx, order, found).await.map(Some),
                None => Ok(None),
            }
        };
        match self.mind(found.await) {
            Ok(Some(outcome)) => Found::Outcome(outcome),
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
        match self.mind(self.try_refund(ctx, order).await) {
            Ok(outcome) => outcome,
            Err(Failure::Refused { code, .. }) => RefundOutcome::Failed { code },
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
