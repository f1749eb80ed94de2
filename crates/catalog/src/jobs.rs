//! What the catalog does by itself.

use std::{sync::Arc, time::Duration};

use messages::{Consumer, Job, JobCtx, JobError, Schedule};

use crate::{
    Catalog,
    images::sweep_images,
    import::{OldUploads, resume_imports},
};

/// Tenants worked on at once.
const TENANTS_AT_ONCE: usize = 2;

/// The jobs of this domain.
#[must_use]
pub fn jobs(catalog: &Catalog) -> Vec<Job> {
    let catalog = catalog.clone();
    let (sweeper, catalog) = (catalog.clone(), catalog);
    let sweep = Job::new(
        "catalog.sweep_images",
        Schedule::Every(Duration::from_secs(3600)),
        "Removes files of images that no product shows, a day after they came.",
        move |job| Box::pin(sweep(job, sweeper.clone())),
    );
    let resume = Job::new(
        "catalog.resume_imports",
        Schedule::Every(Duration::from_secs(60)),
        "Takes up imports that were stopped, forgets old ones, and removes uploads that no import names.",
        move |job| Box::pin(resume(job, catalog.clone())),
    );
    vec![resume, sweep]
}

async fn sweep(job: JobCtx, catalog: Catalog) -> Result<(), JobError> {
    job.for_each_tenant(TENANTS_AT_ONCE, |ctx| {
        let catalog = catalog.clone();
        async move { sweep_images(&catalog, &ctx).await.map(drop).map_err(JobError::new) }
    })
    .await
}

/// The messages that this domain handles: none.
#[must_use]
pub fn consumers() -> Vec<Consumer> {
    Vec::new()
}

async fn resume(job: JobCtx, catalog: Catalog) -> Result<(), JobError> {
    let old = Arc::new(OldUploads::find(&catalog).await.map_err(JobError::new)?);
    job.for_each_tenant(TENANTS_AT_ONCE, |ctx| {
        let (catalog, old) = (catalog.clone(), old.clone());
        async move {
            old.remove_strays(&catalog, &ctx).await.map_err(JobError::new)?;
            resume_imports(&catalog, &ctx).await.map_err(JobError::new)
        }
    })
    .await
}
