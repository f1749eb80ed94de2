//! One run: the job's work beside the heartbeat of its lease.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use db::DbError;
use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval, sleep};
use traces::{Kind, Span};

use super::{
    Inner, Job, JobCtx, JobError,
    record::{self, Claimed},
};
use crate::{relay::clip, retry::later};

/// The heart beats so often per lease.
const BEATS: u32 = 3;
/// Tries to note the end of a run before it is left to the lease.
const FINISH_TRIES: u32 = 5;

// Their label is not called `job`: Prometheus keeps that name for what it asks.
const RUNS: &str = "markethall_job_runs_total";
const DURATION: &str = "markethall_job_duration_seconds";

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// Well.
    Done,
    /// With this error.
    Failed(JobError),
    /// The lease was lost (the control database was away too long, or this process stood still): another run may
    /// have begun, this one was broken off.
    Lost,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRun {
    /// The job.
    pub name: &'static str,
    /// How.
    pub end: JobEnd,
}

/// Makes the counters of these jobs, with zero: alerts need a beginning.
pub(super) fn register_metrics(jobs: &[Job]) {
    metrics::describe_counter!(RUNS, "Runs of jobs that ended, by job and how.");
    metrics::describe_histogram!(DURATION, metrics::Unit::Seconds, "How long runs of jobs took.");
    for job in jobs {
        for end in ["done", "failed", "lost"] {
            runs(job.name, end).increment(0);
        }
    }
}

fn runs(job: &'static str, end: &'static str) -> metrics::Counter {
    metrics::counter!(RUNS, "job_name" => job, "end" => end)
}

pub(super) async fn run(inner: &Inner, job: &Job, claimed: Claimed, now: Timestamp) -> JobRun {
    let begun = Instant::now();
    let mut span = Span::root(Kind::Internal, || format!("job {}", job.name).into());
    span.set("markethall.job", job.name);
    let ctx = JobCtx {
        name: job.name,
        now,
        correlation_id: format!("job-{}", claimed.run_id.simple()).into(),
        trace: span.context(),
        db: inner.db.clone(),
        lookup: inner.lookup.clone(),
    };
    let work = AssertUnwindSafe((job.run)(ctx)).catch_unwind();
    let result = tokio::select! {
        result = work => match result {
            Ok(result) => result,
            Err(_) => Err(JobError("the job panicked".to_owned())),
        },
        () = keep_lease(inner, &claimed) => {
            tracing::warn!(job = job.name, "a job lost its lease and was broken off");
            runs(job.name, "lost").increment(1);
            span.fail("lost");
            return JobRun { name: job.name, end: JobEnd::Lost };
        }
    };
    let took = begun.elapsed();
    let error = result.as_ref().err().map(|error| clip(&error.0));
    match &error {
        None => tracing::debug!(job = job.name, duration_ms = took.as_millis(), "job done"),
        Some(error) => tracing::error!(job = job.name, duration_ms = took.as_millis(), error, "job failed"),
    }
    let label = if error.is_none() { "done" } else { "failed" };
    if error.is_some() {
        span.fail(label);
    }
    drop(span);
    runs(job.name, label).increment(1);
    metrics::histogram!(DURATION, "job_name" => job.name).record(took.as_secs_f64());
    let next = job.schedule.next_run(claimed.due, inner.clock.now().max(now));
    let end = match (finish(inner, &claimed, took, error.as_deref(), next).await, result) {
        (false, _) => JobEnd::Lost,
        (true, Ok(())) => JobEnd::Done,
        (true, Err(error)) => JobEnd::Failed(error),
    };
    JobRun { name: job.name, end }
}

/// Ends when the lease is lost.
async fn keep_lease(inner: &Inner, claimed: &Claimed) {
    let lease = inner.config.lease;
    let mut until = later(inner.clock.now(), lease);
    let mut beat = interval(lease / BEATS);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, the lease is fresh.
    beat.tick().await;
    loop {
        beat.tick().await;
        let extended = later(inner.clock.now(), lease);
        match record::extend(&inner.db, claimed.run_id, extended).await {
            Ok(true) => until = extended,
            Ok(false) => return,
            Err(_) if inner.clock.now() >= until => return,
            Err(error) => {
                tracing::debug!(job = claimed.name, error = %error, "a job's lease was not extended")
            }
        }
    }
}

/// Notes the end; false when the job was taken from this run or the end could not be noted.
async fn finish(
    inner: &Inner,
    claimed: &Claimed,
    took: Duration,
    error: Option<&str>,
    next: Timestamp,
) -> bool {
    let mut pause = Duration::from_millis(100);
    for _ in 0..FINISH_TRIES {
        match record::finish(&inner.db, claimed.run_id, took, error, next).await {
            Ok(ours) => return ours,
            Err(DbError::Unavailable(_) | DbError::Conflict(_)) => {
                sleep(pause).await;
                pause *= 2;
            }
            Err(error) => {
                tracing::error!(job = claimed.name, error = %error, "the end of a job was not noted");
                return false;
            }
        }
    }
    false
}
