//! Retention: what has been delivered is kept for a while, then deleted in small steps.

use std::time::Duration;

use db::{Db, DbError};
use jiff::{SignedDuration, Timestamp};
use kernel::Placement;

use crate::{Job, JobCtx, JobError, Schedule};

/// Rows deleted per statement.
const BATCH: i64 = 5000;
/// Statements per table and run; the rest waits for the next run.
const BATCHES_MAX: usize = 1000;

/// How long messages are kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Delivered messages in the outbox.
    pub outbox: Duration,
    /// Proofs of handling; longer than `outbox`, or a message could be handled twice.
    pub inbox: Duration,
}

impl Default for Retention {
    /// 7 and 14 days.
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        Self { outbox: day * 7, inbox: day * 14 }
    }
}

/// Deletes what is older than `retention` at `now` from one database; returns rows gone from (outbox, inbox).
///
/// # Errors
/// Any [`DbError`]; what is deleted so far stays deleted.
pub async fn purge(
    db: &Db,
    placement: &Placement,
    retention: Retention,
    now: Timestamp,
) -> Result<(u64, u64), DbError> {
    let conn = db.relay(placement).await?;
    let inbox = retention.inbox.max(retention.outbox);
    let mut gone = [0, 0];
    let tables =
        [(include_str!("purge_outbox.sql"), retention.outbox), (include_str!("purge_inbox.sql"), inbox)];
    for (count, (sql, age)) in gone.iter_mut().zip(tables) {
        let before = earlier(now, age);
        for _ in 0..BATCHES_MAX {
            let deleted: i64 = conn.query_one(sql, &[&before, &BATCH]).await?.try_get("gone")?;
            *count += deleted.unsigned_abs();
            if deleted < BATCH {
                break;
            }
        }
    }
    Ok(gone.into())
}

/// The job that purges every database once an hour.
#[must_use]
pub fn purge_job(retention: Retention) -> Job {
    let every = Schedule::Every(Duration::from_secs(3600));
    Job::new(
        "messages.purge",
        every,
        "Deletes delivered messages after their retention.",
        move |job: JobCtx| {
            Box::pin(async move {
                job.for_each_database(4, |placement| {
                let (db, now) = (job.db.clone(), job.now);
                async move { purge(&db, &placement, retention, now).await.map(drop).map_err(JobError::new) }
            })
            .await
            })
        },
    )
}

fn earlier(now: Timestamp, age: Duration) -> Timestamp {
    SignedDuration::try_from(age).ok().and_then(|age| now.checked_sub(age).ok()).unwrap_or(Timestamp::MIN)
}
