//! Use case: find out what became of payments that nobody settled.

use db::{DbError, Row};
use futures::{StreamExt as _, stream};
use jiff::SignedDuration;
use kernel::{Ctx, Timestamp};

use crate::{
    find_payment::find_payment,
    model::{ChargeOrder, Outcome, Payment, PaymentId, PaymentState, Source},
    payments::Payments,
    provider::{Cancelled, Found},
    settle_payments::{Settlement, read_money, read_state},
};

/// Payments taken from the table at once.
const BATCH: usize = 100;
/// Batches per run; what is left is done by the next run.
const MOST_BATCHES: usize = 20;
/// Providers asked at once.
const AT_ONCE: usize = 8;
/// After so long a payer who still has to do something is not waited for any more.
const ABANDONED_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What the provider is asked about.
struct Due {
    order: ChargeOrder,
    provider_ref: Option<String>,
    state: PaymentState,
    opened_at: Timestamp,
}

impl Payments {
    /// Asks providers about every payment that is due and settles what they know; returns how many were asked about.
    ///
    /// # Errors
    /// [`DbError`]; what was settled before stays so.
    pub async fn reconcile_due(&self, ctx: &Ctx) -> Result<usize, DbError> {
        let mut asked = 0;
        for _ in 0..MOST_BATCHES {
            let due = self.claim_due(ctx).await?;
            let count = due.len();
            asked += count;
            let settlements: Vec<Settlement> = stream::iter(due)
                .map(|due| self.find_out(ctx, due))
                .buffer_unordered(AT_ONCE)
                .filter_map(|settlement| async { settlement })
                .collect()
                .await;
            self.settle_and_tell(ctx, &settlements).await?;
            if count < BATCH {
                break;
            }
        }
        Ok(asked)
    }

    /// Asks the provider about one payment at once, however long ago it was given up; returns it as it stands then.
    /// `None` when the tenant has no such payment.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn check(&self, ctx: &Ctx, id: PaymentId, source: Source) -> Result<Option<Payment>, DbError> {
        let Some(payment) = self.read(ctx, id).await? else { return Ok(None) };
        let found = self.find(ctx, &payment.order(), payment.provider_ref.as_deref()).await;
        let Found::Outcome(outcome) = found else { return Ok(Some(payment)) };
        self.settle_and_tell(ctx, &[Settlement { payment: id, outcome, source }]).await?;
        self.read(ctx, id).await
    }

    pub(crate) async fn read(&self, ctx: &Ctx, id: PaymentId) -> Result<Option<Payment>, DbError> {
        let tx = self.db().begin_read(ctx).await?;
        let payment = find_payment(&tx, id).await?;
        tx.commit().await?;
        Ok(payment)
    }

    async fn claim_due(&self, ctx: &Ctx) -> Result<Vec<Due>, DbError> {
        let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let tx = self.db().begin(ctx).await?;
        let now = ctx.now();
        let sql = include_str!("claim_due_payments.sql");
        let rows = tx.query(sql, &[&ctx.tenant_id(), &now, &limit]).await?;
        let due = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
        tx.commit().await?;
        Ok(due)
    }

    async fn find_out(&self, ctx: &Ctx, due: Due) -> Option<Settlement> {
        let outcome = match self.find(ctx, &due.order, due.provider_ref.as_deref()).await {
            Found::Outcome(Outcome::RequiresAction { .. }) if is_abandoned(ctx, &due) => {
                self.give_up(ctx, &due).await
            }
            // The first minute is over: no request is on its way any more, and giving up refuses one that were.
            Found::NotFound => self.give_up(ctx, &due).await,
            Found::Outcome(outcome) => outcome,
            Found::Unknown => Outcome::unknown("The provider did not say what became of it."),
        };
        let payment = due.order.payment;
        if matches!(outcome, Outcome::Unknown { .. }) {
            tracing::warn!(payment.id = %payment, state = due.state.as_str(), "the outcome of a payment is unknown");
        }
        Some(Settlement { payment, outcome, source: Source::Reconcile })
    }

    async fn give_up(&self, ctx: &Ctx, due: &Due) -> Outcome {
        match self.cancel(ctx, &due.order, due.provider_ref.as_deref()).await {
            Cancelled::Cancelled => Outcome::Cancelled,
            Cancelled::AlreadySucceeded { provider_ref } => Outcome::Succeeded { provider_ref },
            Cancelled::Unknown => Outcome::unknown("The provider did not say whether it was given up."),
        }
    }
}

fn is_abandoned(ctx: &Ctx, due: &Due) -> bool {
    due.opened_at.checked_add(ABANDONED_AFTER).is_ok_and(|end| end <= ctx.now())
}

fn decode(row: &Row) -> Result<Due, DbError> {
    let order = ChargeOrder {
        payment: row.try_get(0)?,
        provider: row.try_get(1)?,
        method: row.try_get(2)?,
        amount: read_money(row.try_get(3)?, row.try_get(4)?)?,
    };
    let state = read_state(row.try_get(6)?)?;
    Ok(Due { order, provider_ref: row.try_get(5)?, state, opened_at: row.try_get(7)? })
}
