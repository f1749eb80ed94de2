//! What inventory does by itself.

use std::time::Duration;

use db::{Db, DbError};
use kernel::Ctx;
use messages::{Consumer, Job, JobCtx, Schedule};

use crate::expire_reservations::expire_reservations;

/// Reservations expired in one transaction.
const BATCH: usize = 200;
/// Transactions per tenant and run; what is left is done by the next run.
const MOST_BATCHES: usize = 100;

/// The jobs of this domain.
#[must_use]
pub fn jobs() -> Vec<Job> {
    vec![Job::new(
        "inventory.expire_reservations",
        Schedule::Every(Duration::from_secs(30)),
        "Gives back the units of reservations whose time is up.",
        |job| Box::pin(expire_everywhere(job)),
    )]
}

/// The messages that this domain handles: none.
#[must_use]
pub fn consumers() -> Vec<Consumer> {
    Vec::new()
}

async fn expire_everywhere(job: JobCtx) -> Result<(), messages::JobError> {
    let db = &job.db;
    job.for_each_tenant(1, |ctx| async move { Ok(expire_due(db, &ctx).await.map(drop)?) }).await
}

/// Expires every due reservation of one tenant, in transactions of bounded size; returns how many.
///
/// # Errors
/// [`DbError`]; what was done before stays done.
pub async fn expire_due(db: &Db, ctx: &Ctx) -> Result<usize, DbError> {
    let mut expired = 0;
    for _ in 0..MOST_BATCHES {
        let tx = db.begin(ctx).await?;
        let count = expire_reservations(&tx, i64::try_from(BATCH).unwrap_or(i64::MAX)).await?;
        tx.commit().await?;
        expired += count;
        if count < BATCH {
            break;
        }
    }
    Ok(expired)
}
