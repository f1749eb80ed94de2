//! What checkouts do by themselves: go on after a process died, and be forgotten when they are old.

use std::time::Duration;

use db::DbError;
use futures::future::join_all;
use jiff::SignedDuration;
use kernel::Ctx;
use messages::{Job, JobCtx, JobError, Schedule};

use crate::{checkouts::Checkouts, store::claim_overdue};

/// Checkouts taken over in one transaction.
const BATCH: i64 = 32;
/// Transactions per tenant and run; what is left is done by the next run.
const MOST_BATCHES: usize = 32;
/// How long a finished checkout is kept: its order, sale and payment stay.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// The jobs of this domain.
#[must_use]
pub fn jobs(checkouts: &Checkouts) -> Vec<Job> {
    let resuming = checkouts.clone();
    vec![
        Job::new(
            "checkout.resume",
            Schedule::Every(Duration::from_secs(30)),
            "Goes on with checkouts that nobody works on any more.",
            move |job| Box::pin(resume_everywhere(resuming.clone(), job)),
        ),
        Job::new(
            "checkout.purge",
            Schedule::Every(Duration::from_secs(24 * 3600)),
            "Removes checkouts that ended 90 days ago.",
            |job| Box::pin(purge_everywhere(job)),
        ),
    ]
}

async fn resume_everywhere(checkouts: Checkouts, job: JobCtx) -> Result<(), JobError> {
    job.for_each_tenant(2, |ctx| {
        let checkouts = checkouts.clone();
        async move { Ok(checkouts.resume_overdue(&ctx).await.map(drop)?) }
    })
    .await
}

impl Checkouts {
    /// Goes on with every checkout of the tenant that nobody works on any more, and waits for them; returns how many.
    ///
    /// # Errors
    /// [`DbError`]; what was done before stays done.
    pub async fn resume_overdue(&self, ctx: &Ctx) -> Result<usize, DbError> {
        let ctx = self.now(ctx);
        let mut resumed = 0;
        for _ in 0..MOST_BATCHES {
            let tx = self.0.db.begin(&ctx).await?;
            let overdue = claim_overdue(&tx, self.lease(), BATCH).await?;
            tx.commit().await?;
            let count = overdue.len();
            resumed += count;
            let driven =
                join_all(overdue.into_iter().map(|checkout| self.go_on(ctx.clone(), checkout, None))).await;
            if count < BATCH as usize || driven.iter().any(|end| !matches!(end, Ok(Ok(_)))) {
                break;
            }
        }
        Ok(resumed)
    }
}

async fn purge_everywhere(job: JobCtx) -> Result<(), JobError> {
    let db = &job.db;
    job.for_each_tenant(2, |ctx| async move {
        let before = ctx.now().checked_sub(KEPT).unwrap_or(ctx.now());
        loop {
            let tx = db.begin(&ctx).await?;
            let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &before];
            let deleted = tx.execute(include_str!("purge.sql"), params).await?;
            tx.commit().await?;
            if deleted == 0 {
                return Ok(());
            }
        }
    })
    .await
}
