//! Use case: count facts by day, again and again until nothing can be added to a day any more.

use std::{sync::Arc, time::Duration};

use db::{DbError, Row};
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, ToSpan as _, civil::Date, tz::TimeZone};
use kernel::{Ctx, Tenant, Timestamp};
use messages::{Job, Schedule};

use crate::{Control, tenants::decode_tenant, usage::range::moments};

/// A day is settled so many days after it ended. What is written into the books carries the time of its request, which no
/// transaction outlives by so much.
const SETTLING_DAYS: i32 = 2;
/// Days counted by one statement, and how often it goes on for a tenant that has not been counted for long.
const DAYS_AT_ONCE: i32 = 31;
const MOST_STRETCHES: u32 = 12;
/// Tenants counted by one run, and how many at once.
const MOST: i64 = 500;
const AT_ONCE: usize = 4;
/// How long one tenant may take, and all of them.
const PATIENCE: Duration = Duration::from_secs(60);
const LIMIT: Duration = Duration::from_secs(200);
/// Who was counted so recently is not counted again.
const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// Counts the facts of those tenants that have not been counted for longest; returns how many were. One that fails keeps none of
/// the others from its turn.
///
/// # Errors
/// [`DbError`] when the control database fails.
pub async fn count_facts(control: &Control, now: Timestamp) -> Result<usize, DbError> {
    let tx = control.db().control().await?;
    let rows = tx.query(include_str!("pick_tenants.sql"), &[&(now - RECENT), &MOST]).await?;
    tx.commit().await?;
    let due = rows.iter().map(|row| decode_tenant(row, control.flags()).map(Arc::new));
    let due = due.collect::<Result<Vec<_>, _>>()?;
    let counting = stream::iter(due).map(|tenant| count_one(control, tenant, now));
    let end = tokio::time::sleep(LIMIT);
    let counted: Vec<bool> = counting.buffer_unordered(AT_ONCE).take_until(end).collect().await;
    Ok(counted.into_iter().filter(|done| *done).count())
}

/// Whether it could be counted. One that could not has had its turn all the same.
async fn count_one(control: &Control, tenant: Arc<Tenant>, now: Timestamp) -> bool {
    let work = tokio::time::timeout(PATIENCE, count_facts_of(control, &tenant, now));
    let error = match work.await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    tracing::warn!(tenant = %tenant.slug, error, "the billable facts of a tenant cannot be counted");
    if let Err(error) = skip(control, &tenant, now).await {
        tracing::debug!(%error, "a tenant's turn cannot be noted");
    }
    false
}

async fn skip(control: &Control, tenant: &Tenant, now: Timestamp) -> Result<(), DbError> {
    let tx = control.db().control().await?;
    tx.execute(include_str!("note_turn.sql"), &[&tenant.id, &now]).await?;
    tx.commit().await
}

/// Counts the facts of one tenant on all days that are not settled yet.
///
/// # Errors
/// [`DbError`] of the tenant's database or the control database; what was counted before stays.
pub async fn count_facts_of(control: &Control, tenant: &Arc<Tenant>, now: Timestamp) -> Result<(), DbError> {
    let today = now.to_zoned(TimeZone::UTC).date();
    for _ in 0..MOST_STRETCHES {
        let since = find_unsettled(control, tenant).await?.min(today);
        let through = since.saturating_add(DAYS_AT_ONCE.days()).min(today);
        count_stretch(control, tenant, since, through, now).await?;
        if through == today {
            break;
        }
    }
    Ok(())
}

/// The first day that is not settled: the one on which the tenant came, when nothing was counted yet.
async fn find_unsettled(control: &Control, tenant: &Tenant) -> Result<Date, DbError> {
    let tx = control.db().control().await?;
    let row = tx.query_one(include_str!("find_unsettled.sql"), &[&tenant.id]).await?;
    tx.commit().await?;
    read_day(&row, 0)
}

pub(crate) fn read_day(row: &Row, at: usize) -> Result<Date, DbError> {
    let text: &str = row.try_get(at)?;
    text.parse().map_err(|error| DbError::Other(format!("a day: {error}")))
}

async fn count_stretch(
    control: &Control,
    tenant: &Arc<Tenant>,
    since: Date,
    through: Date,
    now: Timestamp,
) -> Result<(), DbError> {
    let (from, until) = moments(since, through)?;
    let ctx = Ctx::system(tenant.clone(), "billable-facts", now);
    let (mut kinds, mut days, mut amounts) = (Vec::new(), Vec::new(), Vec::new());
    let tx = control.db().begin_report(&ctx).await?;
    for facts in control.facts() {
        for (day, amount) in facts.count(&tx, from, until).await? {
            kinds.push(facts.kind());
            days.push(day);
            amounts.push(amount);
        }
    }
    tx.commit().await?;
    let settling = now.to_zoned(TimeZone::UTC).date().saturating_sub(SETTLING_DAYS.days());
    let settled = through.saturating_add(1.day()).min(settling).max(since).to_string();
    let tx = control.db().control().await?;
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tenant.id, &settled, &now, &days, &kinds, &amounts];
    tx.execute(include_str!("save_facts.sql"), params).await?;
    tx.commit().await
}

/// Counts every five minutes, in one process.
pub(crate) fn count_facts_job(control: &Control) -> Job {
    let control = control.clone();
    Job::new(
        "control.count_facts",
        Schedule::Every(Duration::from_secs(300)),
        "Counts the billable facts of those tenants that have not been counted for longest.",
        move |job| {
            let control = control.clone();
            Box::pin(async move { Ok(count_facts(&control, job.now).await.map(drop)?) })
        },
    )
}
