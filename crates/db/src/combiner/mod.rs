//! Hot work is set-based: what queued while the last batch was in flight runs as one transaction.
//!
//! Each tenant's statements run under its own `app.tenant_id`, many tenants share one commit, and every request is
//! answered after that commit with its own result. A batch that fails as a whole is taken apart: by tenant, then one
//! by one, so that one bad request never costs another its answer. A tenant whose rows are locked by somebody else is
//! put aside, so that it waits alone. Idle latency is that of a batch of one.

mod batch_tx;
mod share;
mod waiting;
mod worker;

use std::{
    collections::HashMap,
    future::Future,
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Arc, Mutex},
};

use kernel::{Ctx, Placement};
use tokio::sync::{mpsc, oneshot};

pub use batch_tx::BatchTx;
use share::{Share, Shares};

use crate::{Db, DbError};

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

    /// How much work a request is, in rows or so; a batch ends early when it has enough.
    fn weight(&self, _input: &Self::Input) -> usize {
        1
    }
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
    reply: Reply<B>,
}

/// Where the answer goes.
struct Reply<B: Batch> {
    to: oneshot::Sender<Result<B::Output, DbError>>,
    /// The request's place among what its tenant has waiting, until it is answered.
    _share: Share,
}

impl<B: Batch> Reply<B> {
    fn answer(self, answer: Result<B::Output, DbError>) {
        // A caller that has gone away does not need its answer.
        let _ = self.to.send(answer);
    }
}

/// A worker as callers see it.
struct Worker<B: Batch> {
    queue: mpsc::Sender<Job<B>>,
    shares: Shares,
}

type Crew<B> = Arc<[Worker<B>]>;

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
    /// [`DbError::Unavailable`] at once when the queue, or the tenant's share of it, is full; any error of the
    /// transaction; [`DbError::Conflict`] when another transaction held its locks too long.
    pub async fn submit(&self, ctx: Ctx, input: B::Input) -> Result<B::Output, DbError> {
        let crew = self.crew(&ctx.tenant.placement)?;
        let mut hasher = self.0.hasher.build_hasher();
        hasher.write_u128(ctx.tenant_id().0.as_u128());
        let worker = &crew[(hasher.finish() % crew.len() as u64) as usize];
        let full = || DbError::Unavailable("too many requests are waiting".to_owned());
        let share = worker.shares.take(ctx.tenant_id()).ok_or_else(full)?;
        let (to, answer) = oneshot::channel();
        let reply = Reply { to, _share: share };
        worker.queue.try_send(Job { ctx, input, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => full(),
            mpsc::error::TrySendError::Closed(_) => DbError::Unavailable("the worker has stopped".to_owned()),
        })?;
        answer.await.map_err(|_| DbError::Unavailable("the worker has stopped".to_owned()))?
    }

    fn crew(&self, placement: &Placement) -> Result<Crew<B>, DbError> {
        let poisoned = |_| DbError::Other("combiner table is poisoned".to_owned());
        let mut crews = self.0.crews.lock().map_err(poisoned)?;
        if let Some(crew) = crews.get(placement) {
            return Ok(crew.clone());
        }
        let worker = |_| {
            // Half of what may wait is in the channel, half with the worker; one tenant may have a quarter of it.
            let (queue, receiver) = mpsc::channel(self.0.limits.queue.div_ceil(2));
            let (db, batch) = (self.0.db.clone(), self.0.batch.clone());
            tokio::spawn(worker::run(db, placement.clone(), batch, self.0.limits, receiver));
            Worker { queue, shares: Shares::new(self.0.limits.queue.div_ceil(4)) }
        };
        let crew: Crew<B> = (0..self.0.limits.workers.max(1)).map(worker).collect();
        crews.insert(placement.clone(), crew.clone());
        Ok(crew)
    }
}
