//! Scheduled work: hours are added up to days; what is old goes.

use std::time::Duration;

use db::DbError;
use jiff::{SignedDuration, tz::TimeZone};
use kernel::Timestamp;
use messages::{Job, Schedule};

use crate::Control;

/// Days are made anew for so long after they ended: a process hands in what it counted when it reaches the control
/// database again, which may be a day later.
const LATE: SignedDuration = SignedDuration::from_hours(48);
const DAY: u64 = 86_400;

/// What is removed, and how long it is kept: hours a quarter, days and facts three years and a bit, the names of batches as long
/// as a process may repeat one.
pub(crate) const fn purge_usage() -> [(&'static str, Duration); 4] {
    [
        (include_str!("purge_facts.sql"), Duration::from_secs(1100 * DAY)),
        (include_str!("purge_hours.sql"), Duration::from_secs(92 * DAY)),
        (include_str!("purge_days.sql"), Duration::from_secs(1100 * DAY)),
        (include_str!("purge_batches.sql"), Duration::from_secs(7 * DAY)),
    ]
}

/// Makes the days that are not settled yet anew from their hours.
///
/// # Errors
/// [`DbError`].
pub async fn add_up(control: &Control, now: Timestamp) -> Result<(), DbError> {
    let first = (now - LATE).to_zoned(TimeZone::UTC).start_of_day();
    let first = first.map_err(|error| DbError::Other(error.to_string()))?.timestamp();
    let tx = control.db().control().await?;
    tx.execute(include_str!("add_up_days.sql"), &[&first]).await?;
    tx.commit().await
}

/// Adds up every five minutes, in one process.
pub(crate) fn add_up_job(control: &Control) -> Job {
    let control = control.clone();
    Job::new(
        "control.add_up_usage",
        Schedule::Every(Duration::from_secs(300)),
        "Adds up what tenants used by hour to days.",
        move |job| {
            let control = control.clone();
            Box::pin(async move { Ok(add_up(&control, job.now).await?) })
        },
    )
}
