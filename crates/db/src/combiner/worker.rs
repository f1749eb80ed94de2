//! One worker: takes batches, answers each request as soon as its part has committed, and waits for nobody's locks.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use kernel::{Ctx, Placement, Spent, TenantId};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Batch, BatchTx, CombinerLimits, Job, Reply,
    waiting::{Portion, Waiting},
};
use crate::{Db, DbError, counts::RETRIES, spans};

/// How often a single request is tried while other transactions are in the way.
const MOST_TRIES: u32 = 4;
/// Work in one batch after which it takes no more.
const MOST_WEIGHT: usize = 1500;
/// Tenants that may wait for somebody's locks at the same time; more are told so at once.
const MOST_ASIDE: usize = 4;
/// How long the requests of such a tenant wait, all together.
const ASIDE_PATIENCE: Duration = Duration::from_secs(10);
/// Longer than any statement may take: after this the server is out of reach.
const LOST: Duration = Duration::from_secs(35);

type Answer<B> = Result<<B as Batch>::Output, DbError>;
type Work<B> = (Ctx, <B as Batch>::Input);

/// Serves `queue` until the last sender is gone and everything is answered.
pub(super) async fn run<B: Batch>(
    db: Db,
    placement: Placement,
    batch: Arc<B>,
    limits: CombinerLimits,
    mut queue: mpsc::Receiver<Job<B>>,
) {
    let (back, mut called) = mpsc::channel::<TenantId>(MOST_ASIDE);
    let server = Server { db, placement, batch };
    let portion = Portion { tenants: limits.tenants.max(1), jobs: limits.batch.max(1), weight: MOST_WEIGHT };
    let room = limits.queue.div_ceil(2).max(1);
    let mut waiting = Waiting::default();
    let mut open = true;
    loop {
        let push = |waiting: &mut Waiting<Job<B>>, job: Job<B>| {
            waiting.push(job.ctx.tenant_id(), server.batch.weight(&job.input), job);
        };
        while let Ok(tenant) = called.try_recv() {
            waiting.call_back(tenant);
        }
        if !waiting.is_ready() {
            tokio::select! {
                job = queue.recv(), if open && waiting.len() < room => match job {
                    Some(job) => push(&mut waiting, job),
                    None => open = false,
                },
                Some(tenant) = called.recv(), if waiting.aside() > 0 => waiting.call_back(tenant),
                else => return,
            }
        }
        while waiting.len() < room
            && let Ok(job) = queue.try_recv()
        {
            push(&mut waiting, job);
        }
        let jobs = waiting.take(portion);
        // A panic must not end the worker; who waited for this batch learns that it is lost.
        let served = AssertUnwindSafe(server.serve(jobs)).catch_unwind().await;
        let blocked = served.unwrap_or_else(|_| {
            tracing::error!("a batch panicked");
            Vec::new()
        });
        for blocked in blocked {
            if waiting.aside() >= MOST_ASIDE {
                blocked.refuse();
                continue;
            }
            waiting.put_aside(blocked.tenant);
            let (server, back) = (server.clone(), back.clone());
            tokio::spawn(async move {
                let tenant = blocked.tenant;
                let _ = AssertUnwindSafe(server.serve_aside(blocked)).catch_unwind().await;
                // The worker is gone only when nobody waits any more.
                let _ = back.send(tenant).await;
            });
        }
    }
}

/// Requests of a tenant whose rows somebody else has locked.
struct Blocked<B: Batch> {
    tenant: TenantId,
    work: Vec<Work<B>>,
    replies: Vec<Reply<B>>,
}

impl<B: Batch> Blocked<B> {
    fn refuse(self) {
        for reply in self.replies {
            reply.answer(Err(too_long()));
        }
    }
}

struct Server<B: Batch> {
    db: Db,
    placement: Placement,
    batch: Arc<B>,
}

impl<B: Batch> Clone for Server<B> {
    fn clone(&self) -> Self {
        Self { db: self.db.clone(), placement: self.placement.clone(), batch: Arc::clone(&self.batch) }
    }
}

impl<B: Batch> Server<B> {
    /// Runs `jobs` as one transaction, or failing that by tenant, or failing that one by one.
    async fn serve(&self, jobs: Vec<Job<B>>) -> Vec<Blocked<B>> {
        let (mut work, mut replies): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| ((job.ctx, job.input), job.reply)).unzip();
        match self.once(&work, false).await {
            Ok(outputs) => answer_all::<B>(replies, outputs),
            Err(DbError::Unavailable(reason)) => {
                for reply in replies {
                    reply.answer(Err(DbError::Unavailable(reason.clone())));
                }
            }
            Err(_) => {
                let mut blocked = Vec::new();
                while let Some(tenant) = work.first().map(|(ctx, _)| ctx.tenant_id()) {
                    let end =
                        work.iter().position(|(ctx, _)| ctx.tenant_id() != tenant).unwrap_or(work.len());
                    let rest = (work.split_off(end), replies.split_off(end));
                    let part = Blocked { tenant, work, replies };
                    (work, replies) = rest;
                    blocked.extend(self.serve_part(part).await);
                }
                return blocked;
            }
        }
        Vec::new()
    }

    /// One tenant's part of a batch that failed; what somebody's locks keep waiting comes back.
    async fn serve_part(&self, part: Blocked<B>) -> Option<Blocked<B>> {
        match self.once(&part.work, false).await {
            Ok(outputs) => {
                answer_all::<B>(part.replies, outputs);
                None
            }
            Err(DbError::Conflict(_)) => Some(part),
            Err(error) => self.serve_singly(part, error).await,
        }
    }

    async fn serve_singly(&self, part: Blocked<B>, error: DbError) -> Option<Blocked<B>> {
        let mut blocked = Blocked { tenant: part.tenant, work: Vec::new(), replies: Vec::new() };
        let mut first = (part.work.len() == 1).then_some(error);
        for (single, reply) in part.work.into_iter().zip(part.replies) {
            // Behind one that waits, all of its tenant wait: they are answered in their order.
            if !blocked.work.is_empty() {
                blocked.work.push(single);
                blocked.replies.push(reply);
                continue;
            }
            match self.again(std::slice::from_ref(&single), false, first.take()).await {
                Err(DbError::Conflict(_)) => {
                    blocked.work.push(single);
                    blocked.replies.push(reply);
                }
                answered => reply.answer(answered),
            }
        }
        (!blocked.work.is_empty()).then_some(blocked)
    }

    /// Beside the worker: waits for the locks, one request after the other, for a while.
    async fn serve_aside(&self, blocked: Blocked<B>) {
        let end = Instant::now() + ASIDE_PATIENCE;
        for (single, reply) in blocked.work.into_iter().zip(blocked.replies) {
            let patient = self.again(std::slice::from_ref(&single), true, None);
            reply.answer(timeout_at(end, patient).await.unwrap_or_else(|_| Err(too_long())));
        }
    }

    /// A single request, tried again while its rules must be looked at afresh, or (if patient) others are in the way.
    async fn again(&self, single: &[Work<B>], patient: bool, failed: Option<DbError>) -> Answer<B> {
        let mut tries = u32::from(failed.is_some());
        let mut last = failed;
        loop {
            match last {
                Some(DbError::Unique { .. }) if tries < MOST_TRIES => {}
                Some(DbError::Conflict(_)) if patient && tries < MOST_TRIES => {}
                Some(error) => return Err(error),
                None => {}
            }
            if tries > 0 {
                RETRIES.increment(1);
            }
            match self.once(single, patient).await {
                Ok(mut outputs) => return outputs.pop().ok_or_else(no_output),
                Err(error) => last = Some(error),
            }
            tries += 1;
        }
    }

    async fn once(&self, work: &[Work<B>], patient: bool) -> Result<Vec<B::Output>, DbError> {
        let transaction = async {
            let traces = spans::waiting(work.iter().map(|(ctx, _)| ctx));
            let tx = BatchTx::new(self.db.hot(&self.placement).await?, patient, traces);
            let begun = std::time::Instant::now();
            let outputs = self.batch.run(&tx, work).await?;
            if outputs.len() != work.len() {
                return Err(no_output());
            }
            let rows = tx.rows();
            tx.commit().await?;
            share_out(work, Spent { database: begun.elapsed(), rows });
            Ok(outputs)
        };
        let lost = |_| Err(DbError::Unavailable("no answer from the database".to_owned()));
        timeout(LOST, transaction).await.unwrap_or_else(lost)
    }
}

/// Charges each request of a batch with an equal part of what the batch has cost.
fn share_out<T>(work: &[(Ctx, T)], spent: Spent) {
    let requests = u32::try_from(work.len()).unwrap_or(u32::MAX).max(1);
    let part = Spent { database: spent.database / requests, rows: spent.rows.div_ceil(u64::from(requests)) };
    for (ctx, _) in work {
        ctx.tenant.spending.add(part);
    }
}

fn answer_all<B: Batch>(replies: Vec<Reply<B>>, outputs: Vec<B::Output>) {
    for (reply, output) in replies.into_iter().zip(outputs) {
        reply.answer(Ok(output));
    }
}

fn no_output() -> DbError {
    DbError::Other("a batch returned no output for a request".to_owned())
}

fn too_long() -> DbError {
    DbError::Conflict("another transaction held the rows too long".to_owned())
}
