//! Use case: carry out what was promised back, with the provider.

use db::DbError;
use futures::{StreamExt as _, stream};
use kernel::Ctx;

use crate::{
    find_payment::{Refund, find_payment, find_refund},
    model::{RefundId, RefundOrder, RefundOutcome, RefundState, Source},
    payments::Payments,
    settle_refunds::settle_refunds,
};

/// Refunds taken from the table at once.
const BATCH: usize = 50;
/// Batches per run; what is left is done by the next run.
const MOST_BATCHES: usize = 40;
/// Providers asked at once.
const AT_ONCE: usize = 8;

impl Payments {
    /// Carries one refund out and returns it as it stands then: still `pending` when the provider did not answer, and
    /// then the job asks again. `None` when the tenant has no such refund.
    ///
    /// # Errors
    /// [`DbError`]; the refund then stays promised, and may be run again.
    pub async fn run_refund(&self, ctx: &Ctx, id: RefundId) -> Result<Option<Refund>, DbError> {
        self.carry_out(ctx, id, Source::Api).await?;
        let tx = self.db().begin_read(ctx).await?;
        let refund = find_refund(&tx, id).await?;
        tx.commit().await?;
        Ok(refund)
    }

    pub(crate) async fn carry_out(&self, ctx: &Ctx, id: RefundId, source: Source) -> Result<(), DbError> {
        let Some((order, state)) = self.find_order(ctx, id).await? else { return Ok(()) };
        if state != RefundState::Pending {
            return Ok(());
        }
        let outcome = self.refund(ctx, &order).await;
        if let RefundOutcome::Unknown { detail } = &outcome {
            tracing::warn!(refund.id = %id, detail, "the outcome of a refund is unknown");
        }
        let tx = self.db().begin(ctx).await?;
        settle_refunds(&tx, &[(id, outcome)], source).await?;
        tx.commit().await
    }

    async fn find_order(
        &self,
        ctx: &Ctx,
        id: RefundId,
    ) -> Result<Option<(RefundOrder, RefundState)>, DbError> {
        let tx = self.db().begin_read(ctx).await?;
        let Some(refund) = find_refund(&tx, id).await? else { return Ok(None) };
        let Some(payment) = find_payment(&tx, refund.payment).await? else { return Ok(None) };
        tx.commit().await?;
        let order = RefundOrder {
            refund: id,
            payment: payment.id,
            provider: payment.provider,
            charge_ref: payment.provider_ref,
            refund_ref: refund.provider_ref,
            amount: refund.amount,
        };
        Ok(Some((order, refund.state)))
    }

    /// Carries out every refund that is due, and returns how many were tried.
    ///
    /// # Errors
    /// The first [`DbError`]; the others were tried all the same.
    pub async fn run_due_refunds(&self, ctx: &Ctx) -> Result<usize, DbError> {
        let mut tried = 0;
        for _ in 0..MOST_BATCHES {
            let due = self.claim_due_refunds(ctx).await?;
            let count = due.len();
            tried += count;
            let work = due.into_iter().map(|id| self.carry_out(ctx, id, Source::Reconcile));
            let results: Vec<_> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
            results.into_iter().collect::<Result<Vec<()>, _>>()?;
            if count < BATCH {
                break;
            }
        }
        Ok(tried)
    }

    async fn claim_due_refunds(&self, ctx: &Ctx) -> Result<Vec<RefundId>, DbError> {
        let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let tx = self.db().begin(ctx).await?;
        let now = ctx.now();
        let rows = tx.query(include_str!("claim_due_refunds.sql"), &[&ctx.tenant_id(), &now, &limit]).await?;
        let ids = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<_>, DbError>>()?;
        tx.commit().await?;
        Ok(ids)
    }
}
