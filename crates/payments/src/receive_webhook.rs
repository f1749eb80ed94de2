//! Use case: a provider tells that something happened. What happened is asked of the provider itself, so that the order
//! of events does not matter, nor what they claim.

use db::DbError;
use kernel::Ctx;

use crate::{
    model::{Outcome, Payment, PaymentId, PaymentState, Source, clip},
    payments::Payments,
    provider::{Found, WebhookEvent},
    settle_payments::{Settled, Settlement, settle},
};

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// It was heard for the first time.
    New,
    /// It is a replay and had no effect.
    Replayed,
    /// It is about a payment that is not known here.
    Foreign,
}

impl Payments {
    /// Takes in an event that is proven to be by `provider`.
    ///
    /// # Errors
    /// [`DbError`]; nothing is noted then, and the provider will tell again.
    pub(crate) async fn receive(
        &self,
        ctx: &Ctx,
        provider: &str,
        event: &WebhookEvent,
    ) -> Result<Received, DbError> {
        let id = clip(&event.id, 255);
        if self.is_known(ctx, provider, &id).await? {
            return Ok(Received::Replayed);
        }
        let payment = match event.payment {
            Some(payment) => self.read(ctx, payment).await?.filter(|payment| payment.provider == provider),
            None => None,
        };
        let settlement = match &payment {
            Some(payment) => self.ask(ctx, payment).await,
            None => None,
        };
        if let (Some(_), Some(refund)) = (&payment, event.refund) {
            self.carry_out(ctx, refund, Source::Webhook).await?;
        }
        let about = payment.as_ref().map(|payment| payment.id);
        let Some(settled) = self.note(ctx, (provider, &id), about, settlement).await? else {
            return Ok(Received::Replayed);
        };
        self.tell(ctx, &settled).await;
        match about {
            Some(_) => Ok(Received::New),
            None => {
                tracing::info!(provider, "a webhook is about no payment of this merchant");
                Ok(Received::Foreign)
            }
        }
    }

    async fn is_known(&self, ctx: &Ctx, provider: &str, id: &str) -> Result<bool, DbError> {
        let tx = self.db().begin_read(ctx).await?;
        let sql = include_str!("find_event.sql");
        let known = tx.query_opt(sql, &[&ctx.tenant_id(), &provider, &id]).await?;
        tx.commit().await?;
        Ok(known.is_some())
    }

    /// What became of the payment; `None` when that is certain already.
    async fn ask(&self, ctx: &Ctx, payment: &Payment) -> Option<Settlement> {
        if payment.state == PaymentState::Succeeded {
            return None;
        }
        let outcome = match self.find(ctx, &payment.order(), payment.provider_ref.as_deref()).await {
            Found::Outcome(outcome) => outcome,
            Found::NotFound | Found::Unknown => {
                Outcome::unknown("The provider did not say what became of it.")
            }
        };
        Some(Settlement { payment: payment.id, outcome, source: Source::Webhook })
    }

    /// Notes the event together with its effect; `None` when somebody else noted it meanwhile.
    async fn note(
        &self,
        ctx: &Ctx,
        (provider, id): (&str, &str),
        about: Option<PaymentId>,
        settlement: Option<Settlement>,
    ) -> Result<Option<Vec<Settled>>, DbError> {
        let tx = self.db().begin(ctx).await?;
        let (tenant, now) = (ctx.tenant_id(), ctx.now());
        let sql = include_str!("note_event.sql");
        if tx.query_opt(sql, &[&tenant, &provider, &id, &about, &now]).await?.is_none() {
            return Ok(None);
        }
        let settled = settle(&tx, settlement.as_slice()).await?;
        if let Some(Settlement { payment, outcome: Outcome::Unknown { .. }, .. }) = settlement {
            tx.execute(include_str!("check_soon.sql"), &[&tenant, &payment, &now]).await?;
        }
        tx.commit().await?;
        Ok(Some(settled))
    }
}
