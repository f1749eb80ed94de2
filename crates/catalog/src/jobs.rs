//! What the catalog does by itself.

use std::time::Duration;

use messages::{Consumer, Job, JobCtx, JobError, Schedule};

use crate::{Catalog, import::resume_imports};

/// Tenants worked on at once.
const TENANTS_AT_ONCE: usize = 2;

/// The jobs of this domain.
#[must_use]
pub fn jobs(catalog: &Catalog) -> Vec<Job> {
    let catalog = catalog.clone();
    vec![Job::new(
        "catalog.resume_imports",
        Schedule::Every(Duration::from_secs(60)),
        "Takes up imports that were stopped, and forgets those over for 30 days.",
        move |job| Box::pin(resume(job, catalog.clone())),
    )]
}

/// The messages that this domain handles: none.
#[must_use]
pub fn consumers() -> Vec<Consumer> {
    Vec::new()
}

async fn resume(job: JobCtx, catalog: Catalog) -> Result<(), JobError> {
    job.for_each_tenant(TENANTS_AT_ONCE, |ctx| {
        let catalog = catalog.clone();
        async move { resume_imports(&catalog, &ctx).await.map_err(JobError::new) }
    })
    .await
}
