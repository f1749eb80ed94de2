//! Entries are kept for a while, then forgotten from the beginning of the chain, in small pieces.

use std::time::Duration;

use db::{Db, DbError};
use jiff::SignedDuration;
use kernel::{Ctx, Timestamp};
use messages::{Job, JobCtx, JobError, Schedule};

use crate::KeepDays;

/// Entries forgotten in one transaction.
const PIECE: i64 = 5_000;
/// Pieces per call; the rest waits for the next.
const MOST_PIECES: u32 = 1_000;
/// Tenants worked on at once.
const TENANTS_AT_ONCE: usize = 4;

/// The jobs of this domain.
#[must_use]
pub fn jobs(keep: KeepDays) -> Vec<Job> {
    vec![Job::new(
        "audit.forget",
        Schedule::Every(Duration::from_secs(6 * 3600)),
        "Forgets entries of the audit log that are older than they are kept.",
        move |job| Box::pin(forget_all(job, keep)),
    )]
}

async fn forget_all(job: JobCtx, keep: KeepDays) -> Result<(), JobError> {
    let db = job.db.clone();
    job.for_each_tenant(TENANTS_AT_ONCE, |ctx| {
        let db = db.clone();
        async move {
            forget_expired(&db, &ctx, keep.of(ctx.tenant.tier)).await?;
            Ok(())
        }
    })
    .await
}

/// Forgets the tenant's entries that are older than `keep_days` before `ctx.now()`; returns how many. The chain begins
/// with what is left.
///
/// # Errors
/// [`DbError`]; what was forgotten before stays forgotten.
pub async fn forget_expired(db: &Db, ctx: &Ctx, keep_days: u32) -> Result<u64, DbError> {
    let age = SignedDuration::from_hours(i64::from(keep_days) * 24);
    let before = ctx.now().checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut forgotten = 0;
    for _ in 0..MOST_PIECES {
        let tx = db.begin(ctx).await?;
        let row = tx.query_one(include_str!("forget.sql"), &[&ctx.tenant_id(), &before, &PIECE]).await?;
        let piece = u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0);
        tx.execute(include_str!("forget_spooled.sql"), &[&ctx.tenant_id(), &before]).await?;
        tx.commit().await?;
        forgotten += piece;
        if piece < PIECE.unsigned_abs() {
            break;
        }
    }
    Ok(forgotten)
}
