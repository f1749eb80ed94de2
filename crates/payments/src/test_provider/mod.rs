//! The built-in test provider: cards that approve, decline, want a confirmation, never answer, or lose the answer.

mod ledger;

use std::fmt;

use async_trait::async_trait;
use db::{CombinerLimits, Db, DbError};
use http::HeaderMap;
use kernel::{Ctx, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use self::ledger::{Charge, ChargeState, Ledger};
use crate::{
    model::{ChargeOrder, Outcome, PaymentId, RefundId, RefundOrder, RefundOutcome},
    provider::{Cancelled, Found, Provider, WebhookError, WebhookEvent},
    signature,
};

/// The name of the test provider.
pub const TEST_PROVIDER: &str = "test";
/// The header that its webhooks are signed in.
pub const TEST_SIGNATURE: &str = "test-signature";

/// Taken at once.
const APPROVED: &str = "card_approved";
/// Refused at once.
const DECLINED: &str = "card_declined";
/// Taken or refused when the payer says so.
const CONFIRM: &str = "card_confirm";
/// No answer, and nothing taken.
const TIMEOUT: &str = "card_timeout";
/// Taken, but the answer never arrives.
const LOST_REPLY: &str = "card_lost_reply";

/// Charges nobody. What it has "charged" stands in a ledger of its own, so that it can be compared with the books.
#[derive(Clone)]
pub struct TestProvider {
    ledger: Ledger,
}

impl fmt::Debug for TestProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestProvider").finish_non_exhaustive()
    }
}

impl TestProvider {
    pub(crate) fn new(db: Db, limits: CombinerLimits) -> Self {
        Self { ledger: Ledger::new(db, limits) }
    }

    /// The payer's answer to a `card_confirm`; whether one was awaited.
    pub(crate) async fn confirm(&self, ctx: &Ctx, key: PaymentId, approve: bool) -> Result<bool, DbError> {
        self.ledger.confirm(ctx, key, approve).await
    }
}

/// What a charge by this method comes to; `None` when it never reaches the ledger.
fn decide(method: &str) -> Option<ChargeState> {
    match method {
        APPROVED | LOST_REPLY => Some(ChargeState::Charged),
        CONFIRM => Some(ChargeState::Awaiting),
        TIMEOUT => None,
        _ => Some(ChargeState::Declined),
    }
}

fn outcome(charge: &Charge) -> Outcome {
    let provider_ref = charge.id.test_ref();
    match charge.state {
        ChargeState::Charged => Outcome::Succeeded { provider_ref },
        ChargeState::Awaiting => {
            let url = format!("{}/payments/{}/confirm", edge::API_PREFIX, charge.id);
            Outcome::RequiresAction { provider_ref, action: json!({ "type": "confirm", "url": url }) }
        }
        ChargeState::Declined => Outcome::Declined {
            code: "card_declined".to_owned(),
            detail: "The card was declined.".to_owned(),
        },
        ChargeState::Cancelled => Outcome::Cancelled,
    }
}

#[async_trait]
impl Provider for TestProvider {
    fn name(&self) -> &'static str {
        TEST_PROVIDER
    }

    fn methods(&self) -> &'static [&'static str] {
        &[APPROVED, DECLINED, CONFIRM, TIMEOUT, LOST_REPLY]
    }

    async fn charge(&self, ctx: &Ctx, order: &ChargeOrder) -> Outcome {
        let Some(state) = decide(&order.method) else {
            return std::future::pending().await;
        };
        let (method, amount) = (order.method.clone(), order.amount);
        let wanted = Charge { id: order.payment, method, amount, state };
        match self.ledger.write(ctx, wanted).await {
            Ok(charge) if charge.state != ChargeState::Cancelled && charge.amount != order.amount => {
                Outcome::unknown("another amount was charged under this key")
            }
            Ok(_) if order.method == LOST_REPLY => std::future::pending().await,
            Ok(charge) => outcome(&charge),
            Err(error) => Outcome::unknown(error),
        }
    }

    async fn find(&self, ctx: &Ctx, order: &ChargeOrder, _: Option<&str>) -> Found {
        match self.ledger.find(ctx, order.payment).await {
            Ok(Some(charge)) => Found::Outcome(outcome(&charge)),
            Ok(None) => Found::NotFound,
            Err(_) => Found::Unknown,
        }
    }

    async fn cancel(&self, ctx: &Ctx, order: &ChargeOrder, _: Option<&str>) -> Cancelled {
        match self.give_up(ctx, order.payment).await {
            Ok(Charge { state: ChargeState::Charged, id, .. }) => {
                Cancelled::AlreadySucceeded { provider_ref: id.test_ref() }
            }
            Ok(Charge { state: ChargeState::Declined | ChargeState::Cancelled, .. }) => Cancelled::Cancelled,
            Ok(Charge { state: ChargeState::Awaiting, .. }) | Err(_) => Cancelled::Unknown,
        }
    }

    async fn refund(&self, ctx: &Ctx, order: &RefundOrder) -> RefundOutcome {
        match self.ledger.refund(ctx, order).await {
            Ok(true) => RefundOutcome::Succeeded { provider_ref: order.refund.test_ref() },
            Ok(false) => RefundOutcome::Failed { code: "exceeds_charge".to_owned() },
            Err(error) => RefundOutcome::Unknown { detail: error.to_string() },
        }
    }

    fn parse_webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        secret: &SecretString,
        now: Timestamp,
    ) -> Result<WebhookEvent, WebhookError> {
        signature::verify(headers, TEST_SIGNATURE, body, secret, now)?;
        let event: Event = serde_json::from_slice(body).map_err(|_| WebhookError::Malformed)?;
        Ok(WebhookEvent { id: event.id, payment: event.payment_id, refund: event.refund_id })
    }
}

impl TestProvider {
    /// Ends an awaiting charge; what never came gets a line that refuses a charge which is still on its way.
    async fn give_up(&self, ctx: &Ctx, key: PaymentId) -> Result<Charge, DbError> {
        let amount = kernel::Money::zero(ctx.tenant.currency);
        let stone = Charge { id: key, method: "none".to_owned(), amount, state: ChargeState::Cancelled };
        let found = self.ledger.write(ctx, stone).await?;
        if found.state != ChargeState::Awaiting {
            return Ok(found);
        }
        self.ledger.cancel(ctx, key).await?;
        Ok(self.ledger.find(ctx, key).await?.unwrap_or(found))
    }
}

/// A webhook's body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    id: String,
    payment_id: Option<PaymentId>,
    refund_id: Option<RefundId>,
}
