//! Use case: points for what was sold, merchant by merchant, many sales in one transaction.

use std::time::Duration;

use async_trait::async_trait;
use db::{Db, DbError, TenantTx};
use jiff::Timestamp;
use kernel::Ctx;
use uuid::Uuid;

use super::{
    LoyaltyError,
    earn::{earn, take_back},
    rule::first_id,
};
use crate::CustomerId;

/// Purchases read in one transaction.
const BATCH: usize = 200;
/// Transactions per merchant and run; what is left is done by the next run.
const MOST_BATCHES: usize = 50;
/// What is younger is left for the next run: by then every transaction that made an earlier identifier has ended.
const SETTLED: Duration = Duration::from_secs(120);

/// Something that was bought or came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// Its place in the order of reading; made when it was recorded.
    pub id: Uuid,
    /// By which it is known in the ledger.
    pub reference: String,
    /// Who bought.
    pub customer: CustomerId,
    /// With VAT, in minor units; below zero when it came back.
    pub gross: i64,
    /// What came back, if it did.
    pub original: Option<String>,
    /// When it happened.
    pub occurred_at: Timestamp,
}

/// Where purchases are read; this crate does not know who sells.
#[async_trait]
pub trait Purchases: Send + Sync {
    /// Purchases of known customers with `after < id < until`, in the order of `id`, at most `take`.
    ///
    /// # Errors
    /// Any [`DbError`].
    async fn list(
        &self,
        tx: &TenantTx,
        after: Uuid,
        until: Uuid,
        take: i64,
    ) -> Result<Vec<Purchase>, DbError>;
}

/// Gives and takes back points for what was bought and came back since the last time; a merchant without an active rule
/// costs one look. Returns how many purchases were read.
///
/// # Errors
/// [`DbError`]; what was done before stays done.
pub async fn earn_purchases(db: &Db, ctx: &Ctx, source: &dyn Purchases) -> Result<usize, DbError> {
    let mut read = 0;
    for _ in 0..MOST_BATCHES {
        let tx = db.begin(ctx).await?;
        let count = earn_batch(&tx, source).await?;
        tx.commit().await?;
        read += count;
        if count < BATCH {
            break;
        }
    }
    Ok(read)
}

async fn earn_batch(tx: &TenantTx, source: &dyn Purchases) -> Result<usize, DbError> {
    let row = tx.query_opt(include_str!("lock_reading.sql"), &[&tx.tenant_id()]).await?;
    let Some(row) = row else { return Ok(0) };
    let (after, since): (Uuid, Timestamp) = (row.try_get("read_to")?, row.try_get("active_since")?);
    let until = first_id(tx.ctx().now() - SETTLED);
    if until <= after {
        return Ok(0);
    }
    let mut found = source.list(tx, after, until, BATCH as i64).await?;
    let count = found.len();
    let reached = match found.last() {
        Some(last) if count >= BATCH => last.id,
        _ => until,
    };
    found.retain(|purchase| purchase.occurred_at >= since || purchase.original.is_some());
    // By customer, as merges lock them, so that none waits for the other; of one customer in the order of reading.
    found.sort_by_key(|purchase| purchase.customer);
    for purchase in &found {
        book(tx, purchase).await?;
    }
    tx.execute(include_str!("note_reading.sql"), &[&tx.tenant_id(), &reached]).await?;
    Ok(count)
}

async fn book(tx: &TenantTx, purchase: &Purchase) -> Result<(), DbError> {
    let Purchase { reference, customer, gross, original, .. } = purchase;
    let done = match original {
        Some(original) => take_back(tx, *customer, gross.saturating_neg(), original, reference).await,
        None => earn(tx, *customer, *gross, reference).await,
    };
    match done {
        // A customer whom nobody knows has no points; the sale stands.
        Ok(_) | Err(LoyaltyError::NotFound) => Ok(()),
        Err(LoyaltyError::Db(error)) => Err(error),
        Err(other) => Err(DbError::Other(other.to_string())),
    }
}
