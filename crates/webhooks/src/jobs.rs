//! What webhooks do by themselves: forgetting.

use std::time::Duration;

use db::{Db, DbError};
use jiff::{SignedDuration, Timestamp};
use kernel::Ctx;
use messages::{Job, JobCtx, JobError, Schedule};

/// How long the log of deliveries is kept.
pub const KEEP_LOG: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Rows removed in one transaction.
const BATCH: i64 = 5000;
/// Transactions per tenant and run; what is left is done by the next run.
const BATCHES_MAX: usize = 1000;
/// Tenants worked on at once.
const TENANTS_AT_ONCE: usize = 2;

/// The jobs of this domain.
#[must_use]
pub fn jobs() -> Vec<Job> {
    vec![Job::new(
        "webhooks.purge",
        Schedule::Every(Duration::from_secs(3600)),
        "Removes deliveries of webhooks after 30 days, and what belongs to deleted webhooks.",
        |job| Box::pin(purge_everywhere(job)),
    )]
}

async fn purge_everywhere(job: JobCtx) -> Result<(), JobError> {
    let db = &job.db;
    job.for_each_tenant(TENANTS_AT_ONCE, |ctx| async move { Ok(purge(db, &ctx).await.map(drop)?) }).await
}

/// Removes one tenant's deliveries that are too old or belong to deleted webhooks, then what they sent, then those
/// webhooks, in transactions of bounded size; returns rows gone.
///
/// # Errors
/// [`DbError`]; what was done before stays done.
pub async fn purge(db: &Db, ctx: &Ctx) -> Result<u64, DbError> {
    let before = ctx.now().checked_sub(KEEP_LOG).unwrap_or(Timestamp::MIN);
    let mut gone = 0;
    for _ in 0..BATCHES_MAX {
        let tx = db.begin(ctx).await?;
        let row = tx.query_one(include_str!("purge.sql"), &[&ctx.tenant_id(), &before, &BATCH]).await?;
        let (removed, more): (i64, bool) = (row.try_get("removed")?, row.try_get("more")?);
        tx.commit().await?;
        gone += removed.unsigned_abs();
        if !more {
            break;
        }
    }
    Ok(gone)
}
