//! Hot work is set-based: what queued while the last batch was in flight runs as one transaction.
//!
//! Each tenant's statements run under its own `app.tenant_id`, many tenants share one commit, and every request is
//! answered after that commit with its own result. A batch that fails as a whole is taken apart: by tenant, then one
//! by one, so that one bad request never costs another its answer. Idle latency is that of a batch of one.

mod waiting;

use std::{
    collections::HashMap,
    future::Future,
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use deadpool_postgres::Object;
use kernel::{Ctx, Placement, TenantId};
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::{Row, Statement, types::ToSql};

use crate::{Db, DbError, Stmt, stmt::Hook};
use waiting::Waiting;

/// How far a batch is tried again as singles when other transactions are in the way.
const MOST_TRIES: u32 = 4;

/// What a combiner does with a batch.
pub trait Batch: Send + Sync + 'static {
    /// One request.
    type Input: Send + Sync + 'static;
    /// Its own result, which may well be a refusal.
    type Output: Send + 'static;

    /// Does all of `jobs` inside `tx` and returns one output per job, in order; the combiner then commits.
    ///
    /// # Errors
    /// Any error rolls the whole batch back and takes it apart.
    fn run(
        &self,
        tx: &BatchTx,
        jobs: &[(Ctx, Self::Input)],
    ) -> impl Future<Output = Result<Vec<Self::Output>, DbError>> + Send;
}

/// How large batches, queues and the crew get.
#[derive(Debug, Clone, Copy)]
pub struct CombinerLimits {
    /// Workers per database; a tenant always meets the same one.
    pub workers: usize,
    /// Requests per transaction at most.
    pub batch: usize,
    /// Tenants per transaction at most; the others gather requests until it is their turn.
    pub tenants: usize,
    /// Requests that may wait per worker before new ones are refused.
    pub queue: usize,
}

impl Default for CombinerLimits {
    fn default() -> Self {
        Self { workers: 2, batch: 128, tenants: 8, queue: 2048 }
    }
}

struct Job<B: Batch> {
    ctx: Ctx,
    input: B::Input,
    reply: oneshot::Sender<Result<B::Output, DbError>>,
}

type Crew<B> = Arc<[mpsc::Sender<Job<B>>]>;

struct Inner<B: Batch> {
    db: Db,
    batch: Arc<B>,
    limits: CombinerLimits,
    crews: Mutex<HashMap<Placement, Crew<B>>>,
    hasher: RandomState,
}

/// Gathers requests of many callers into batches. Cheap to clone; workers end when the last clone is dropped.
pub struct Combiner<B: Batch>(Arc<Inner<B>>);

impl<B: Batch> Clone for Combiner<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: Batch> std::fmt::Debug for Combiner<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Combiner").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

impl<B: Batch> Combiner<B> {
    /// A combiner without workers; each database gets its crew with its first request.
    pub fn new(db: Db, batch: B, limits: CombinerLimits) -> Self {
        Self(Arc::new(Inner {
            db,
            batch: Arc::new(batch),
            limits,
            crews: Mutex::default(),
            hasher: RandomState::new(),
        }))
    }

    /// Queues one request and waits for its result, which is durable when it arrives.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] at once when the queue is full; any error of the transaction.
    pub async fn submit(&self, ctx: Ctx, input: B::Input) -> Result<B::Output, DbError> {
        let crew = self.crew(&ctx.tenant.placement)?;
        let mut hasher = self.0.hasher.build_hasher();
        hasher.write_u128(ctx.tenant_id().0.as_u128());
        let worker = &crew[(hasher.finish() % crew.len() as u64) as usize];
        let (reply, answer) = oneshot::channel();
        worker
            .try_send(Job { ctx, input, reply })
            .map_err(|_| DbError::Unavailable("too many requests are waiting".to_owned()))?;
        answer.await.map_err(|_| DbError::Unavailable("the worker has stopped".to_owned()))?
    }

    fn crew(&self, placement: &Placement) -> Result<Crew<B>, DbError> {
        let poisoned = |_| DbError::Other("combiner table is poisoned".to_owned());
        let mut crews = self.0.crews.lock().map_err(poisoned)?;
        if let Some(crew) = crews.get(placement) {
            return Ok(crew.clone());
        }
        let worker = |_| {
            // Half of what may wait is in the channel, half with the worker.
            let (sender, receiver) = mpsc::channel(self.0.limits.queue.div_ceil(2));
            let (db, batch) = (self.0.db.clone(), self.0.batch.clone());
            tokio::spawn(work(db, placement.clone(), batch, self.0.limits, receiver));
            sender
        };
        let crew: Crew<B> = (0..self.0.limits.workers.max(1)).map(worker).collect();
        crews.insert(placement.clone(), crew.clone());
        Ok(crew)
    }
}

async fn work<B: Batch>(
    db: Db,
    placement: Placement,
    batch: Arc<B>,
    limits: CombinerLimits,
    mut queue: mpsc::Receiver<Job<B>>,
) {
    let mut waiting = Waiting::default();
    let room = limits.queue.div_ceil(2).max(1);
    loop {
        if waiting.len() == 0 {
            let Some(job) = queue.recv().await else { return };
            waiting.push(job.ctx.tenant_id(), job);
        }
        while waiting.len() < room
            && let Ok(job) = queue.try_recv()
        {
            waiting.push(job.ctx.tenant_id(), job);
        }
        let jobs = waiting.take(limits.tenants.max(1), limits.batch.max(1));
        let (mut work, replies): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| ((job.ctx, job.input), job.reply)).unzip();
        let answers = attempt(&db, &placement, &*batch, &mut work).await;
        for (reply, answer) in replies.into_iter().zip(answers) {
            // A caller that has gone away does not need its answer.
            let _ = reply.send(answer);
        }
    }
}

/// Runs `jobs` as one transaction, or failing that by tenant, or failing that one by one.
async fn attempt<B: Batch>(
    db: &Db,
    placement: &Placement,
    batch: &B,
    jobs: &mut [(Ctx, B::Input)],
) -> Vec<Result<B::Output, DbError>> {
    match once(db, placement, batch, jobs).await {
        Ok(outputs) => return outputs.into_iter().map(Ok).collect(),
        Err(DbError::Unavailable(reason)) => {
            return jobs.iter().map(|_| Err(DbError::Unavailable(reason.clone()))).collect();
        }
        Err(error) if jobs.len() == 1 => return vec![again(db, placement, batch, jobs, error).await],
        Err(_) => {}
    }
    let mut answers = Vec::with_capacity(jobs.len());
    for part in jobs.chunk_by_mut(|a, b| a.0.tenant_id() == b.0.tenant_id()) {
        match once(db, placement, batch, part).await {
            Ok(outputs) => answers.extend(outputs.into_iter().map(Ok)),
            Err(_) => {
                for single in part.chunks_mut(1) {
                    let answer = match once(db, placement, batch, single).await {
                        Ok(mut outputs) => outputs.pop().ok_or_else(no_output),
                        Err(error) => again(db, placement, batch, single, error).await,
                    };
                    answers.push(answer);
                }
            }
        }
    }
    answers
}

/// Tries a single request again while other transactions are in the way, or its rules must be looked at afresh.
async fn again<B: Batch>(
    db: &Db,
    placement: &Placement,
    batch: &B,
    single: &[(Ctx, B::Input)],
    mut error: DbError,
) -> Result<B::Output, DbError> {
    for _ in 1..MOST_TRIES {
        if !matches!(error, DbError::Conflict(_) | DbError::Unique { .. }) {
            break;
        }
        match once(db, placement, batch, single).await {
            Ok(mut outputs) => return outputs.pop().ok_or_else(no_output),
            Err(next) => error = next,
        }
    }
    Err(error)
}

fn no_output() -> DbError {
    DbError::Other("a batch returned no output for a request".to_owned())
}

async fn once<B: Batch>(
    db: &Db,
    placement: &Placement,
    batch: &B,
    jobs: &[(Ctx, B::Input)],
) -> Result<Vec<B::Output>, DbError> {
    let conn = db.hot(placement).await?;
    let tx = BatchTx { conn: Some(conn), started: AtomicBool::new(false), hooks: Mutex::default() };
    let outputs = batch.run(&tx, jobs).await?;
    if outputs.len() != jobs.len() {
        return Err(no_output());
    }
    tx.commit().await?;
    Ok(outputs)
}

/// One transaction over several tenants of one database; a statement always runs under the tenant it is given for.
pub struct BatchTx {
    conn: Option<Object>,
    started: AtomicBool,
    hooks: Mutex<Vec<Hook>>,
}

impl BatchTx {
    /// Sends, in one pipeline, for each tenant first `app.tenant_id` and then its statements; returns the rows of each
    /// statement in the same shape.
    ///
    /// # Errors
    /// The first failure; the transaction is then lost.
    pub async fn run(&self, work: &[(TenantId, Vec<Stmt>)]) -> Result<Vec<Vec<Vec<Row>>>, DbError> {
        let conn = self.conn.as_ref().ok_or_else(|| DbError::Other("ended".to_owned()))?;
        let bind = conn.prepare_cached("select set_config('app.tenant_id', $1, true)").await?;
        let tenants: Vec<String> = work.iter().map(|(tenant, _)| tenant.0.to_string()).collect();
        let mut sends: Vec<(Statement, Vec<&(dyn ToSql + Sync)>)> = Vec::new();
        if !self.started.swap(true, Ordering::SeqCst) {
            sends.push((conn.prepare_cached("begin").await?, Vec::new()));
        }
        let first = sends.len();
        for ((_, statements), tenant) in work.iter().zip(&tenants) {
            sends.push((bind.clone(), vec![tenant]));
            for statement in statements {
                sends.push((conn.prepare_cached(statement.sql).await?, statement.refs()));
            }
        }
        let queries = sends.iter().map(|(prepared, params)| conn.query(prepared, params));
        let mut answers = pipeline(queries).await?.into_iter().skip(first);
        if let Ok(mut hooks) = self.hooks.lock() {
            hooks.extend(work.iter().flat_map(|(_, all)| all).filter_map(|stmt| stmt.after_commit.clone()));
        }
        let of_tenant = |(_, statements): &(TenantId, Vec<Stmt>)| {
            answers.by_ref().skip(1).take(statements.len()).collect()
        };
        Ok(work.iter().map(of_tenant).collect())
    }

    async fn commit(mut self) -> Result<(), DbError> {
        if let Some(conn) = &self.conn {
            conn.batch_execute("commit").await?;
        }
        self.conn = None;
        for hook in self.hooks.lock().map(|mut hooks| std::mem::take(&mut *hooks)).unwrap_or_default() {
            hook();
        }
        Ok(())
    }
}

impl Drop for BatchTx {
    fn drop(&mut self) {
        if let (Some(conn), true) = (self.conn.take(), self.started.load(Ordering::SeqCst)) {
            crate::tx::roll_back(conn);
        }
    }
}

/// Sends all queries in their order before waiting for the first answer.
///
/// A prepared query writes itself out whole when it is first polled, so one round of polls in order is the pipeline;
/// answers then come in the same order.
async fn pipeline<F>(queries: impl Iterator<Item = F>) -> Result<Vec<Vec<Row>>, tokio_postgres::Error>
where
    F: Future<Output = Result<Vec<Row>, tokio_postgres::Error>>,
{
    let mut queries: Vec<_> = queries.map(|query| Box::pin(futures::future::maybe_done(query))).collect();
    std::future::poll_fn(|cx| {
        for query in &mut queries {
            let _ = query.as_mut().poll(cx);
        }
        std::task::Poll::Ready(())
    })
    .await;
    let mut answers = Vec::with_capacity(queries.len());
    for mut query in queries {
        query.as_mut().await;
        if let Some(answer) = query.as_mut().take_output() {
            answers.push(answer?);
        }
    }
    Ok(answers)
}
