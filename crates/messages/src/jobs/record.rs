//! The jobs' rows in the control database.

use std::time::Duration;

use db::{Db, DbError, Row};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Job, schedule::CLOCKS_APART};
use crate::retry::later;

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobRecord {
    /// The job.
    pub name: String,
    /// When it runs, in words.
    pub schedule: String,
    /// When it runs next.
    #[schema(value_type = String, format = DateTime)]
    pub next_run_at: Timestamp,
    /// Asked for by hand and not started yet.
    pub requested: bool,
    /// A process is at it now.
    pub running: bool,
    /// The process that runs it or ran it last, as it calls itself.
    pub host: Option<String>,
    /// When the last run that has ended began.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_run_at: Option<Timestamp>,
    /// How long it took.
    pub last_duration_ms: Option<i64>,
    /// Why it failed; nothing when it did not.
    pub last_error: Option<String>,
    /// How often it has run to an end.
    pub runs: i64,
    /// Of these, how often it failed.
    pub failures: i64,
}

pub(super) struct Claimed {
    pub(super) name: String,
    pub(super) due: Timestamp,
    pub(super) run_id: Uuid,
}

pub(super) async fn register(db: &Db, jobs: &[Job], now: Timestamp) -> Result<(), DbError> {
    let names: Vec<&str> = jobs.iter().map(|job| job.name).collect();
    let schedules: Vec<String> = jobs.iter().map(|job| job.schedule.to_string()).collect();
    let next: Vec<Timestamp> = jobs.iter().map(|job| job.schedule.first_run(now)).collect();
    let tx = db.control().await?;
    tx.execute(include_str!("register.sql"), &[&names, &schedules, &next]).await?;
    tx.commit().await
}

/// Takes the job that has been due longest, if any, for `lease`.
pub(super) async fn claim(
    db: &Db,
    jobs: &[Job],
    now: Timestamp,
    lease: Duration,
    host: &str,
) -> Result<Option<Claimed>, DbError> {
    let run_id = Uuid::now_v7();
    let names: Vec<&str> = jobs.iter().map(|job| job.name).collect();
    let latest: Vec<Timestamp> = jobs.iter().map(|job| job.schedule.latest_run(now)).collect();
    let (until, latest_until) = (later(now, lease), later(now, lease * 2 + CLOCKS_APART));
    let tx = db.control().await?;
    let found = tx
        .query_opt(include_str!("claim.sql"), &[&names, &now, &run_id, &until, &host, &latest, &latest_until])
        .await?;
    tx.commit().await?;
    found
        .map(|row| Ok(Claimed { name: row.try_get("name")?, due: row.try_get("next_run_at")?, run_id }))
        .transpose()
}

/// Says that the run is alive; false when the job was taken from it.
pub(super) async fn extend(db: &Db, run_id: Uuid, leased_until: Timestamp) -> Result<bool, DbError> {
    let tx = db.control().await?;
    let found = tx.query_opt(include_str!("extend.sql"), &[&run_id, &leased_until]).await?;
    tx.commit().await?;
    Ok(found.is_some())
}

/// Ends the run; false when the job was taken from it.
pub(super) async fn finish(
    db: &Db,
    run_id: Uuid,
    took: Duration,
    error: Option<&str>,
    next: Timestamp,
) -> Result<bool, DbError> {
    let took = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    let tx = db.control().await?;
    let found = tx.query_opt(include_str!("finish.sql"), &[&run_id, &took, &error, &next]).await?;
    tx.commit().await?;
    Ok(found.is_some())
}

pub(super) async fn trigger(db: &Db, name: &str, now: Timestamp) -> Result<bool, DbError> {
    let tx = db.control().await?;
    let found = tx.query_opt(include_str!("trigger.sql"), &[&name, &now]).await?;
    tx.commit().await?;
    Ok(found.is_some())
}

pub(super) async fn list(db: &Db, now: Timestamp) -> Result<Vec<JobRecord>, DbError> {
    let tx = db.control().await?;
    let rows = tx.query(include_str!("list.sql"), &[&now]).await?;
    tx.commit().await?;
    rows.iter().map(record).collect()
}

fn record(row: &Row) -> Result<JobRecord, DbError> {
    Ok(JobRecord {
        name: row.try_get("name")?,
        schedule: row.try_get("schedule")?,
        next_run_at: row.try_get("next_run_at")?,
        requested: row.try_get::<_, Option<Timestamp>>("requested_at")?.is_some(),
        running: row.try_get::<_, Option<bool>>("running")?.unwrap_or_default(),
        host: row.try_get("host")?,
        last_run_at: row.try_get("last_run_at")?,
        last_duration_ms: row.try_get("last_duration_ms")?,
        last_error: row.try_get("last_error")?,
        runs: row.try_get("runs")?,
        failures: row.try_get("failures")?,
    })
}
