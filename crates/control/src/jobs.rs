//! Scheduled work of the control plane.

use std::time::Duration;

use db::DbError;
use kernel::Timestamp;
use messages::{Job, JobError, Schedule};

use crate::{
    Control,
    health::probe_job,
    tenants::resume_provisioning,
    tokens::rotate_signing_keys,
    usage::{self, purge_usage},
};

/// Security events are kept this long.
const EVENTS_KEPT: Duration = Duration::from_secs(90 * 86_400);
/// Stored answers are kept this long, as the edge keeps its own by default.
const KEYS_KEPT: Duration = Duration::from_secs(48 * 3600);
/// Ended sessions are kept this long, for whoever looks into an incident.
const SESSIONS_KEPT: Duration = Duration::from_secs(7 * 86_400);
/// Counted failures and revoked or ended API keys.
const ATTEMPTS_KEPT: Duration = Duration::from_secs(86_400);
/// Rows removed by one statement, so that none runs long.
const AT_ONCE: i64 = 5_000;

/// Every job of the control plane.
#[must_use]
pub fn jobs(control: &Control) -> Vec<Job> {
    let (resuming, rotating, purging) = (control.clone(), control.clone(), control.clone());
    let mut jobs = vec![
        Job::new(
            "control.resume_provisioning",
            Schedule::Every(Duration::from_secs(10)),
            "Goes on with tenants whose setting up was interrupted or failed.",
            move |job| {
                let control = resuming.clone();
                Box::pin(async move { Ok(resume_provisioning(&control, job.now).await.map(drop)?) })
            },
        ),
        Job::new(
            "control.rotate_signing_keys",
            Schedule::Every(Duration::from_secs(3600)),
            "Replaces the signing key of the built-in issuer when it is old.",
            move |job| {
                let control = rotating.clone();
                Box::pin(async move {
                    rotate_signing_keys(&control, job.now).await.map(drop).map_err(JobError::new)
                })
            },
        ),
        Job::new(
            "control.purge",
            Schedule::Every(Duration::from_secs(3600)),
            "Removes ended sessions, counted failures, old security events, old idempotency keys and old usage.",
            move |job| {
                let control = purging.clone();
                Box::pin(async move { Ok(purge(&control, job.now).await.map(drop)?) })
            },
        ),
        probe_job(control),
    ];
    jobs.extend(usage::jobs(control));
    jobs
}

/// Removes what is not needed any more; returns how many rows went.
///
/// # Errors
/// [`DbError`].
pub async fn purge(control: &Control, now: Timestamp) -> Result<u64, DbError> {
    let statements: [(&'static str, Duration); 4] = [
        (include_str!("purge_sessions.sql"), SESSIONS_KEPT),
        (include_str!("purge_attempts.sql"), ATTEMPTS_KEPT),
        (include_str!("purge_events.sql"), EVENTS_KEPT),
        (include_str!("purge_keys.sql"), KEYS_KEPT),
    ];
    let mut removed = 0;
    for (statement, kept) in statements.into_iter().chain(purge_usage()) {
        loop {
            let tx = control.db().control().await?;
            let count = tx.execute(statement, &[&(now - kept), &AT_ONCE]).await?;
            tx.commit().await?;
            removed += count;
            if count < AT_ONCE.unsigned_abs() {
                break;
            }
        }
    }
    Ok(removed)
}
