//! The test provider's ledger, written in transactions of its own: many charges at once through a combiner.

use std::collections::HashSet;

use db::{Batch, BatchTx, Combiner, CombinerLimits, Db, DbError, Row, Stmt};
use kernel::{Ctx, Money, TenantId};
use postgres_types::ToSql;

use crate::{
    model::{PaymentId, RefundOrder},
    settle_payments::read_money,
};

/// Where a charge stands with the test provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChargeState {
    Charged,
    Declined,
    Awaiting,
    Cancelled,
}

impl ChargeState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Charged => "charged",
            Self::Declined => "declined",
            Self::Awaiting => "awaiting",
            Self::Cancelled => "cancelled",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Charged, Self::Declined, Self::Awaiting, Self::Cancelled]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Charge {
    pub(super) id: PaymentId,
    pub(super) method: String,
    pub(super) amount: Money,
    pub(super) state: ChargeState,
}

/// `payments.new_test_charge`.
#[derive(Debug, ToSql)]
#[postgres(name = "new_test_charge")]
struct NewTestCharge {
    id: PaymentId,
    method: String,
    amount: i64,
    currency: String,
    state: &'static str,
}

impl NewTestCharge {
    fn new(charge: &Charge) -> Self {
        Self {
            id: charge.id,
            method: charge.method.clone(),
            amount: charge.amount.amount,
            currency: charge.amount.currency.to_string(),
            state: charge.state.as_str(),
        }
    }
}

/// Writes charges and reads what is there under their keys, in one round trip for many.
#[derive(Debug)]
struct Write;

impl Batch for Write {
    type Input = Charge;
    /// What the ledger has under the key: this charge, or the one that came first.
    type Output = Option<Charge>;

    async fn run(&self, tx: &BatchTx, jobs: &[(Ctx, Charge)]) -> Result<Vec<Option<Charge>>, DbError> {
        let groups: Vec<_> = jobs.chunk_by(|a, b| a.0.tenant_id() == b.0.tenant_id()).collect();
        let work: Vec<_> = groups.iter().filter_map(|group| statements(group)).collect();
        let answers = tx.run(&work).await?;
        let mut written = Vec::with_capacity(jobs.len());
        for (group, rows) in groups.iter().zip(&answers) {
            let found = rows.first().map_or(Ok(Vec::new()), |rows| decode(rows))?;
            let of = |charge: &Charge| found.iter().find(|found| found.id == charge.id).cloned();
            written.extend(group.iter().map(|(_, charge)| of(charge)));
        }
        Ok(written)
    }
}

fn statements(group: &[(Ctx, Charge)]) -> Option<(TenantId, Vec<Stmt>)> {
    let (ctx, _) = group.first()?;
    let tenant = ctx.tenant_id();
    // No key twice in one statement.
    let mut seen = HashSet::new();
    let first = group.iter().map(|(_, charge)| charge).filter(|charge| seen.insert(charge.id));
    let rows: Vec<_> = first.map(NewTestCharge::new).collect();
    let write = Stmt::new(include_str!("write_charges.sql")).bind(tenant).bind(rows).bind(ctx.now());
    Some((tenant, vec![write]))
}

fn decode(rows: &[Row]) -> Result<Vec<Charge>, DbError> {
    let read = |row: &Row| {
        let state: &str = row.try_get(4)?;
        Ok(Charge {
            id: row.try_get(0)?,
            method: row.try_get(1)?,
            amount: read_money(row.try_get(2)?, row.try_get(3)?)?,
            state: ChargeState::parse(state)
                .ok_or_else(|| DbError::Other(format!("a test charge is in the unknown state {state}")))?,
        })
    };
    rows.iter().map(read).collect()
}

/// The ledger of every tenant. Cheap to clone.
#[derive(Clone)]
pub(super) struct Ledger {
    db: Db,
    writes: Combiner<Write>,
}

impl Ledger {
    pub(super) fn new(db: Db, limits: CombinerLimits) -> Self {
        Self { writes: Combiner::new(db.clone(), Write, limits), db }
    }

    /// Enters `charge`, unless there is one under its key already; returns what is there.
    pub(super) async fn write(&self, ctx: &Ctx, charge: Charge) -> Result<Charge, DbError> {
        let found = self.writes.submit(ctx.clone(), charge).await?;
        found.ok_or_else(|| DbError::Other("a charge that was written is not there".to_owned()))
    }

    pub(super) async fn find(&self, ctx: &Ctx, key: PaymentId) -> Result<Option<Charge>, DbError> {
        let tx = self.db.begin_read(ctx).await?;
        let keys = [key.0];
        let rows = tx.query(include_str!("find_charges.sql"), &[&ctx.tenant_id(), &keys.as_slice()]).await?;
        tx.commit().await?;
        Ok(decode(&rows)?.pop())
    }

    /// Gives an awaiting charge up; whether there was one.
    pub(super) async fn cancel(&self, ctx: &Ctx, key: PaymentId) -> Result<(), DbError> {
        let tx = self.db.begin(ctx).await?;
        let now = ctx.now();
        tx.execute(include_str!("cancel_charge.sql"), &[&ctx.tenant_id(), &key, &now]).await?;
        tx.commit().await
    }

    /// The payer's answer to an awaiting charge; whether one was waiting.
    pub(super) async fn confirm(&self, ctx: &Ctx, key: PaymentId, approve: bool) -> Result<bool, DbError> {
        let tx = self.db.begin(ctx).await?;
        let now = ctx.now();
        let sql = include_str!("confirm_charge.sql");
        let changed = tx.execute(sql, &[&ctx.tenant_id(), &key, &approve, &now]).await?;
        tx.commit().await?;
        Ok(changed > 0)
    }

    /// Gives money back; whether it is (or was, under this key) given.
    pub(super) async fn refund(&self, ctx: &Ctx, order: &RefundOrder) -> Result<bool, DbError> {
        let tx = self.db.begin(ctx).await?;
        let (tenant, now) = (ctx.tenant_id(), ctx.now());
        let (amount, currency) = (order.amount.amount, order.amount.currency.to_string());
        let sql = include_str!("write_refund.sql");
        tx.execute(sql, &[&tenant, &order.refund, &order.payment, &amount, &currency, &now]).await?;
        let found = tx.query_opt(include_str!("find_refund.sql"), &[&tenant, &order.refund]).await?;
        tx.commit().await?;
        Ok(found.is_some())
    }
}
