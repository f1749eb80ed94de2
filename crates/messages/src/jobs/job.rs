//! What a job is and what it gets to work with.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex},
};

use db::Db;
use futures::{StreamExt as _, future::BoxFuture, stream};
use jiff::Timestamp;
use kernel::{Ctx, Placement, TraceParent};

use super::Schedule;
use crate::TenantLookup;

/// Tenants looked up at once.
const TENANTS_PAGE: usize = 200;
/// Errors kept of a job that fails for several databases or tenants.
const ERRORS_MAX: usize = 5;

/// Why a job failed; it runs again when it is next due.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JobError(pub String);

impl JobError {
    /// From whatever can be shown.
    pub fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl From<db::DbError> for JobError {
    fn from(error: db::DbError) -> Self {
        Self::new(error)
    }
}

type Run = dyn Fn(JobCtx) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync;

/// Work that comes back: a name, a schedule, and what to do.
///
/// It runs in one process at a time. A process that dies in the middle leaves the job to another one when its lease
/// ends, so that what it does must bear being done again.
#[derive(Clone)]
pub struct Job {
    /// `domain.purpose`; never changed once deployed.
    pub name: &'static str,
    /// When it runs.
    pub schedule: Schedule,
    /// What it does, in one sentence.
    pub summary: &'static str,
    pub(super) run: Arc<Run>,
}

impl Job {
    /// A job: `Job::new("things.expire", Schedule::Every(minute), "Expires things.", |job| Box::pin(expire(job)))`.
    pub fn new<F>(name: &'static str, schedule: Schedule, summary: &'static str, run: F) -> Self
    where
        F: Fn(JobCtx) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync + 'static,
    {
        Self { name, schedule, summary, run: Arc::new(run) }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("name", &self.name)
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}

/// What one run of a job gets to work with.
#[derive(Clone)]
pub struct JobCtx {
    /// The job's name.
    pub name: &'static str,
    /// The time of the run; rules use it instead of a clock.
    pub now: Timestamp,
    /// Ties what the run does together.
    pub correlation_id: Arc<str>,
    /// What the run does belongs under this; none while nothing is traced.
    pub trace: Option<TraceParent>,
    /// The way to the data.
    pub db: Db,
    /// Tenants and databases.
    pub lookup: Arc<dyn TenantLookup>,
}

impl JobCtx {
    /// Does `work` for every database, `concurrent` at once; one that fails does not keep others from being done.
    ///
    /// # Errors
    /// The first few errors, each with its database.
    pub async fn for_each_database<F, W>(&self, concurrent: usize, work: F) -> Result<(), JobError>
    where
        F: Fn(Placement) -> W,
        W: Future<Output = Result<(), JobError>>,
    {
        let databases = self.lookup.list_databases().await.map_err(JobError::new)?;
        let errors = Errors::default();
        stream::iter(databases)
            .for_each_concurrent(concurrent.max(1), |placement| {
                let name = placement.database.clone();
                let work = work(placement);
                async { errors.note(name, work.await) }
            })
            .await;
        errors.into_result()
    }

    /// Does `work` for every tenant, `concurrent` at once; one that fails does not keep others from being done.
    ///
    /// # Errors
    /// The first few errors, each with its tenant.
    pub async fn for_each_tenant<F, W>(&self, concurrent: usize, work: F) -> Result<(), JobError>
    where
        F: Fn(Ctx) -> W,
        W: Future<Output = Result<(), JobError>>,
    {
        let (errors, mut after) = (Errors::default(), None);
        loop {
            let tenants = self.lookup.list_tenants(after, TENANTS_PAGE).await.map_err(JobError::new)?;
            let Some(last) = tenants.last() else { break };
            after = Some(last.id);
            stream::iter(tenants)
                .for_each_concurrent(concurrent.max(1), |tenant| {
                    let name = tenant.slug.clone();
                    let mut ctx = Ctx::system(tenant, &self.correlation_id, self.now);
                    ctx.caller.trace = self.trace.clone();
                    let work = work(ctx);
                    async { errors.note(name, work.await) }
                })
                .await;
        }
        errors.into_result()
    }
}

impl fmt::Debug for JobCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobCtx").field("name", &self.name).field("now", &self.now).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Errors(Mutex<(usize, Vec<String>)>);

impl Errors {
    fn note(&self, name: Arc<str>, result: Result<(), JobError>) {
        if let (Err(error), Ok(mut noted)) = (result, self.0.lock()) {
            noted.0 += 1;
            if noted.1.len() < ERRORS_MAX {
                noted.1.push(format!("{name}: {error}"));
            }
        }
    }

    fn into_result(self) -> Result<(), JobError> {
        let (count, texts) = self.0.into_inner().unwrap_or_default();
        if count == 0 {
            return Ok(());
        }
        Err(JobError(format!("{count} failed: {}", texts.join("; "))))
    }
}
