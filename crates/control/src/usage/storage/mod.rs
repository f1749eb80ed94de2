//! What tenants hold: sampled every hour, database by database.

use std::time::Duration;

use db::{DbError, Held};
use futures::{StreamExt as _, stream};
use kernel::{Placement, TenantId, Timestamp};
use messages::{Job, Schedule};

use super::meter::start_of_hour;
use crate::Control;

/// Databases sampled by one run, and how many at once.
const MOST: i64 = 50;
const AT_ONCE: usize = 2;
/// How long one database may take, and all of them; who is not done by then has its turn in the next run.
const PATIENCE: Duration = Duration::from_secs(60);
const LIMIT: Duration = Duration::from_secs(200);

/// Samples what the tenants of those databases hold that have not been sampled in this hour, some of them in any order; returns
/// how many databases were sampled. One that fails keeps none of the others from its turn.
///
/// # Errors
/// [`DbError`] when the control database fails.
pub async fn sample_storage(control: &Control, now: Timestamp) -> Result<usize, DbError> {
    let hour = start_of_hour(now);
    let tx = control.db().control().await?;
    let rows = tx.query(include_str!("pick_databases.sql"), &[&hour, &MOST]).await?;
    tx.commit().await?;
    let read = |row: &db::Row| -> Result<Placement, DbError> {
        Ok(Placement {
            shard: row.try_get::<_, &str>(0)?.into(),
            database: row.try_get::<_, &str>(1)?.into(),
            dedicated: row.try_get(2)?,
        })
    };
    let databases = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let sampling = stream::iter(databases).map(|placement| sample(control, placement, hour));
    let end = tokio::time::sleep(LIMIT);
    let sampled: Vec<bool> = sampling.buffer_unordered(AT_ONCE).take_until(end).collect().await;
    Ok(sampled.into_iter().filter(|done| *done).count())
}

/// Whether the database could be sampled.
async fn sample(control: &Control, placement: Placement, hour: Timestamp) -> bool {
    let work = async {
        let held = control.db().measure(&placement).await?;
        save(control, &placement, hour, &held).await
    };
    let failed = match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    tracing::warn!(database = %placement.database, error = failed, "what tenants hold cannot be sampled");
    false
}

async fn save(
    control: &Control,
    placement: &Placement,
    hour: Timestamp,
    held: &[Held],
) -> Result<(), DbError> {
    let tenants: Vec<TenantId> = held.iter().map(|held| held.tenant).collect();
    let rows: Vec<i64> = held.iter().map(|held| held.rows).collect();
    let bytes: Vec<i64> = held.iter().map(|held| held.bytes).collect();
    let tx = control.db().control().await?;
    let (shard, database) = (&*placement.shard, &*placement.database);
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&shard, &database, &hour, &tenants, &rows, &bytes];
    tx.execute(include_str!("save_storage.sql"), params).await?;
    tx.commit().await
}

/// Samples every five minutes those databases that are not sampled in the hour yet, in one process.
pub(crate) fn sample_storage_job(control: &Control) -> Job {
    let control = control.clone();
    Job::new(
        "control.sample_storage",
        Schedule::Every(Duration::from_secs(300)),
        "Samples once an hour what tenants hold in each database.",
        move |job| {
            let control = control.clone();
            Box::pin(async move { Ok(sample_storage(&control, job.now).await.map(drop)?) })
        },
    )
}
