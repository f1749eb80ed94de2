//! Keys are kept for a while, then removed in small pieces.

use db::{Db, DbError, TenantTx};
use jiff::SignedDuration;
use kernel::{Ctx, Timestamp, Violation};

/// Keys removed in one transaction.
const PIECE: i64 = 5_000;
/// Pieces per call; the rest waits for the next.
const MOST_PIECES: u32 = 1000;
/// Kept at most 72 hours, and purged daily at worst: older ones mean that the purge does not run.
const OVERDUE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Removes the tenant's keys that are older than `keep_hours` before `ctx.now()`; returns how many.
///
/// # Errors
/// [`DbError`]; what was removed before stays removed.
pub async fn purge_expired(db: &Db, ctx: &Ctx, keep_hours: u32) -> Result<u64, DbError> {
    let before = earlier(ctx.now(), SignedDuration::from_hours(i64::from(keep_hours)));
    let mut removed = 0;
    for _ in 0..MOST_PIECES {
        let tx = db.begin(ctx).await?;
        let piece = tx.execute(include_str!("purge.sql"), &[&ctx.tenant_id(), &before, &PIECE]).await?;
        tx.commit().await?;
        removed += piece;
        if piece < PIECE.unsigned_abs() {
            break;
        }
    }
    Ok(removed)
}

/// For `markethall check`: keys do not outlive their time.
///
/// # Errors
/// [`DbError`].
pub async fn invariants(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let before = earlier(tx.ctx().now(), OVERDUE);
    let row = tx.query_one(include_str!("overdue.sql"), &[&tx.tenant_id(), &before]).await?;
    let overdue: i64 = super::store::get(&row, "overdue")?;
    if overdue == 0 {
        return Ok(Vec::new());
    }
    Ok(vec![Violation {
        invariant: "idempotency_keys_expire",
        subject: tx.tenant_id().to_string(),
        detail: format!("{overdue} keys are older than seven days; the purge does not run"),
    }])
}

fn earlier(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_sub(by).unwrap_or(Timestamp::UNIX_EPOCH)
}
