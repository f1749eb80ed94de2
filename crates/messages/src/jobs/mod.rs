//! Scheduled jobs: run once across processes, listed, triggered by hand.
//!
//! The control database holds a row per job. Whoever takes a due job writes a lease into its row and extends it while
//! it works; a lease that ends belongs to a process that died, and another one takes the job.

mod job;
mod record;
mod run;
mod schedule;

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use db::{Db, DbError};
use jiff::Timestamp;
use kernel::Clock;
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

pub use job::{Job, JobCtx, JobError};
pub use record::JobRecord;
pub use run::{JobEnd, JobRun};
pub use schedule::Schedule;

use crate::TenantLookup;

/// How jobs are run.
#[derive(Debug, Clone)]
pub struct JobsConfig {
    /// Jobs at work at once in this process.
    pub concurrent: usize,
    /// How often is looked for due jobs.
    pub tick: Duration,
    /// How long a silent process keeps a job.
    pub lease: Duration,
    /// How long running jobs get when the program stops.
    pub stop_grace: Duration,
    /// The name of this process among those that share the work.
    pub host: String,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self {
            concurrent: 4,
            tick: Duration::from_secs(1),
            lease: Duration::from_secs(60),
            stop_grace: Duration::from_secs(5),
            host: format!("pid {}", std::process::id()),
        }
    }
}

/// Two jobs have one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("two jobs are called {0}")]
pub struct DuplicateJob(pub &'static str);

struct Inner {
    db: Db,
    lookup: Arc<dyn TenantLookup>,
    clock: Clock,
    jobs: Vec<Job>,
    config: JobsConfig,
    permits: Arc<Semaphore>,
    triggered: Notify,
    stop: CancellationToken,
}

/// The jobs of this process. Cheap to clone; ends with [`Jobs::shutdown`].
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").field("jobs", &self.0.jobs).finish_non_exhaustive()
    }
}

impl Jobs {
    /// Jobs that nobody runs yet.
    ///
    /// # Errors
    /// [`DuplicateJob`].
    pub fn new(
        db: Db,
        lookup: Arc<dyn TenantLookup>,
        clock: Clock,
        jobs: Vec<Job>,
        config: JobsConfig,
    ) -> Result<Self, DuplicateJob> {
        let mut names = HashSet::new();
        if let Some(job) = jobs.iter().find(|job| !names.insert(job.name)) {
            return Err(DuplicateJob(job.name));
        }
        run::register_metrics(&jobs);
        let permits = Arc::new(Semaphore::new(config.concurrent.max(1)));
        let (triggered, stop) = (Notify::new(), CancellationToken::new());
        Ok(Self(Arc::new(Inner { db, lookup, clock, jobs, config, permits, triggered, stop })))
    }

    /// Makes the jobs known in the control database; needed once before they run, harmless again.
    ///
    /// # Errors
    /// Any [`DbError`].
    pub async fn register(&self) -> Result<(), DbError> {
        record::register(&self.0.db, &self.0.jobs, self.0.clock.now()).await
    }

    /// Runs jobs as they become due, in the background, also through an absence of the control database.
    pub fn start(&self) {
        let inner = self.0.clone();
        tokio::spawn(async move {
            let mut running = JoinSet::new();
            let mut registered = false;
            while !inner.stop.is_cancelled() {
                let tick = step(&inner, &mut running, &mut registered);
                if let Err(error) = tick.await {
                    tracing::debug!(error = %error, "jobs wait for the control database");
                }
                tokio::select! {
                    () = inner.stop.cancelled() => {}
                    () = inner.triggered.notified() => {}
                    Some(_) = running.join_next() => {}
                    () = sleep(inner.config.tick) => {}
                }
            }
            let ending = async { while running.join_next().await.is_some() {} };
            // What does not end in time is broken off and taken over when its lease ends.
            let _ = tokio::time::timeout(inner.config.stop_grace, ending).await;
            inner.permits.close();
        });
    }

    /// Runs every job that is due at `now` in this process and waits for them; returns how they ended.
    ///
    /// # Errors
    /// Any [`DbError`] of the control database; jobs that have begun are broken off.
    pub async fn run_due(&self, now: Timestamp) -> Result<Vec<JobRun>, DbError> {
        let (mut running, mut ended) = (JoinSet::new(), Vec::new());
        loop {
            let begun = begin(&self.0, now, &mut running).await?;
            match running.join_next().await {
                Some(Ok(run)) => ended.push(run),
                Some(Err(error)) => return Err(DbError::Other(error.to_string())),
                None if begun => {}
                None => return Ok(ended),
            }
        }
    }

    /// Has `name` run as soon as possible, in whichever process; false when there is no such job.
    ///
    /// # Errors
    /// Any [`DbError`].
    pub async fn trigger(&self, name: &str) -> Result<bool, DbError> {
        let known = record::trigger(&self.0.db, name, self.0.clock.now()).await?;
        self.0.triggered.notify_one();
        Ok(known)
    }

    /// All jobs, of whatever process, by name; at most 500.
    ///
    /// # Errors
    /// Any [`DbError`].
    pub async fn list(&self) -> Result<Vec<JobRecord>, DbError> {
        record::list(&self.0.db, self.0.clock.now()).await
    }

    /// Starts nothing more and waits until running jobs have ended or their grace is over.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        let all = u32::try_from(self.0.config.concurrent.max(1)).unwrap_or(u32::MAX);
        let idle = self.0.permits.acquire_many(all);
        // Both an error (closed: ended) and the end of time mean that there is nothing more to wait for.
        let _ = tokio::time::timeout(self.0.config.stop_grace, idle).await;
    }
}

async fn step(
    inner: &Arc<Inner>,
    running: &mut JoinSet<JobRun>,
    registered: &mut bool,
) -> Result<(), DbError> {
    if !*registered {
        record::register(&inner.db, &inner.jobs, inner.clock.now()).await?;
        *registered = true;
    }
    while begin(inner, inner.clock.now(), running).await? {}
    Ok(())
}

/// Begins one due job if there is one and room for it.
async fn begin(inner: &Arc<Inner>, now: Timestamp, running: &mut JoinSet<JobRun>) -> Result<bool, DbError> {
    let Ok(permit) = inner.permits.clone().try_acquire_owned() else { return Ok(false) };
    let claimed = record::claim(&inner.db, &inner.jobs, now, inner.config.lease, &inner.config.host).await?;
    let Some(claimed) = claimed else { return Ok(false) };
    let Some(job) = inner.jobs.iter().find(|job| job.name == claimed.name).cloned() else { return Ok(false) };
    let inner = inner.clone();
    running.spawn(async move {
        let ended = run::run(&inner, &job, claimed, now).await;
        drop(permit);
        ended
    });
    Ok(true)
}
