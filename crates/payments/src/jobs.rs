//! What payments do by themselves.

use std::time::Duration;

use db::DbError;
use kernel::Ctx;
use messages::{Job, JobCtx, JobError, Schedule};

use crate::payments::Payments;

/// Tenants worked on at once.
const TENANTS_AT_ONCE: usize = 4;

/// The jobs of this domain.
#[must_use]
pub fn jobs(payments: &Payments) -> Vec<Job> {
    let (reconciling, purging) = (payments.clone(), payments.clone());
    vec![
        Job::new(
            "payments.reconcile",
            Schedule::Every(Duration::from_secs(30)),
            "Asks providers what became of payments and refunds that are not settled.",
            move |job| Box::pin(reconcile(job, reconciling.clone())),
        ),
        Job::new(
            "payments.purge_webhook_events",
            Schedule::Every(Duration::from_secs(24 * 3600)),
            "Forgets webhooks that are older than 30 days.",
            move |job| Box::pin(purge(job, purging.clone())),
        ),
    ]
}

async fn reconcile(job: JobCtx, payments: Payments) -> Result<(), JobError> {
    job.for_each_tenant(TENANTS_AT_ONCE, |ctx| {
        let payments = payments.clone();
        async move {
            // A refund is not kept waiting by a payment that cannot be looked after.
            let refunds = payments.run_due_refunds(&ctx).await;
            payments.reconcile_due(&ctx).await?;
            refunds?;
            Ok(())
        }
    })
    .await
}

async fn purge(job: JobCtx, payments: Payments) -> Result<(), JobError> {
    job.for_each_tenant(TENANTS_AT_ONCE, |ctx| {
        let payments = payments.clone();
        async move { Ok(purge_webhook_events(&payments, &ctx).await?) }
    })
    .await
}

/// Forgets what is older than it is kept, in steps of bounded size.
async fn purge_webhook_events(payments: &Payments, ctx: &Ctx) -> Result<(), DbError> {
    loop {
        let tx = payments.db().begin(ctx).await?;
        let now = ctx.now();
        let gone = tx.execute(include_str!("purge_webhook_events.sql"), &[&ctx.tenant_id(), &now]).await?;
        tx.commit().await?;
        if gone == 0 {
            return Ok(());
        }
    }
}
