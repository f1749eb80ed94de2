//! Scheduled work of all domains.

use std::{sync::Arc, time::Duration};

use catalog::Catalog;
use checkout::Checkouts;
use control::Control;
use customers::Purchases;
use messages::{Job, JobCtx, JobError, Retention, Schedule};
use payments::Payments;
use sales::RecordedPurchases;

use crate::config::Config;

/// Tenants worked on at once by one job.
const TENANTS_AT_ONCE: usize = 4;

/// Every job of the program.
#[must_use]
pub fn all(
    config: &Config,
    control: &Control,
    catalog: &Catalog,
    payments: &Payments,
    checkouts: &Checkouts,
) -> Vec<Job> {
    let keep_hours = config.edge.idempotency_keep_hours;
    let mut jobs = vec![
        messages::purge_job(Retention::default()),
        Job::new(
            "edge.purge_idempotency",
            Schedule::Every(Duration::from_secs(3600)),
            "Removes idempotency keys that are older than they are kept.",
            move |job| Box::pin(purge_idempotency(job, keep_hours)),
        ),
    ];
    jobs.extend(audit::jobs(config.audit.keep_days));
    jobs.extend(inventory::jobs());
    jobs.extend(cart::jobs());
    jobs.extend(checkout::jobs(checkouts));
    jobs.extend(webhooks::jobs());
    jobs.extend(control::jobs(control));
    jobs.extend(catalog::jobs(catalog));
    jobs.extend(payments::jobs(payments));
    let purchases: Arc<dyn Purchases> = Arc::new(RecordedPurchases);
    jobs.extend(customers::jobs(&purchases));
    jobs
}

async fn purge_idempotency(job: JobCtx, keep_hours: u32) -> Result<(), JobError> {
    let db = job.db.clone();
    job.for_each_tenant(TENANTS_AT_ONCE, |ctx| {
        let db = db.clone();
        async move {
            edge::idempotency::purge_expired(&db, &ctx, keep_hours).await?;
            Ok(())
        }
    })
    .await
}
