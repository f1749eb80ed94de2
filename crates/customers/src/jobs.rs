//! What this domain does by itself.

use std::{sync::Arc, time::Duration};

use db::{Db, DbError};
use kernel::Ctx;
use messages::{Job, Schedule};

use crate::{
    accounts::{purge_attempts, purge_sessions},
    loyalty::{Purchases, earn_purchases, expire_points},
};

/// Rows removed by one statement, so that none runs long.
const AT_ONCE: i64 = 5_000;

/// The jobs of this domain; `purchases` is where points come from.
#[must_use]
pub fn jobs(purchases: &Arc<dyn Purchases>) -> Vec<Job> {
    let purchases = purchases.clone();
    vec![
        Job::new(
            "customers.earn_points",
            Schedule::Every(Duration::from_secs(60)),
            "Gives points for what known customers have bought, and takes back those for what came back.",
            move |job| {
                let purchases = purchases.clone();
                Box::pin(async move {
                    let (db, purchases) = (&job.db, &*purchases);
                    job.for_each_tenant(1, |ctx| async move {
                        Ok(earn_purchases(db, &ctx, purchases).await.map(drop)?)
                    })
                    .await
                })
            },
        ),
        Job::new(
            "customers.expire_points",
            Schedule::Every(Duration::from_secs(86_400)),
            "Takes points that were not spent in time.",
            |job| {
                Box::pin(async move {
                    let db = &job.db;
                    job.for_each_tenant(1, |ctx| async move { Ok(expire_points(db, &ctx).await.map(drop)?) })
                        .await
                })
            },
        ),
        Job::new(
            "customers.purge",
            Schedule::Every(Duration::from_secs(3600)),
            "Removes ended sign-ins of customers and counted failures.",
            |job| {
                Box::pin(async move {
                    let db = &job.db;
                    job.for_each_tenant(1, |ctx| async move { Ok(purge(db, &ctx).await.map(drop)?) }).await
                })
            },
        ),
    ]
}

/// Removes what is not needed any more of one merchant; returns how many rows went.
///
/// # Errors
/// [`DbError`]; what was done before stays done.
pub async fn purge(db: &Db, ctx: &Ctx) -> Result<u64, DbError> {
    let mut removed = 0;
    loop {
        let tx = db.begin(ctx).await?;
        let counts = [purge_sessions(&tx, AT_ONCE).await?, purge_attempts(&tx, AT_ONCE).await?];
        tx.commit().await?;
        removed += counts.iter().sum::<u64>();
        if counts.iter().all(|count| *count < AT_ONCE.unsigned_abs()) {
            return Ok(removed);
        }
    }
}
