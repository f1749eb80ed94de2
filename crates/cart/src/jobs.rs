//! What carts do by themselves: go away.

use std::time::Duration;

use messages::{Job, JobCtx, JobError, Schedule};

use crate::store::delete_expired;

/// The jobs of this domain.
#[must_use]
pub fn jobs() -> Vec<Job> {
    vec![Job::new(
        "cart.delete_expired",
        Schedule::Every(Duration::from_secs(3600)),
        "Removes carts that nobody touched for a day.",
        |job| Box::pin(delete_everywhere(job)),
    )]
}

async fn delete_everywhere(job: JobCtx) -> Result<(), JobError> {
    let db = &job.db;
    job.for_each_tenant(2, |ctx| async move {
        let tx = db.begin(&ctx).await?;
        delete_expired(&tx).await?;
        Ok(tx.commit().await?)
    })
    .await
}
