//! One attempt: the handler's transaction with the claim as its first statement.

use std::{panic::AssertUnwindSafe, sync::Arc};

use db::{DbError, TenantTx};
use futures::FutureExt as _;
use kernel::{Ctx, TraceParent};

use super::{
    config::Env,
    lanes::{LaneKey, Pending},
    settle::End,
    windows::Window,
};
use crate::{Consumer, ConsumerError, spans};

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Handled, now or before; the delivery is gone.
    Done,
    /// Somebody else has taken it out of the table, or it has failed meanwhile.
    Gone,
    /// Something is in front of it, or somebody is just taking it: look at the table again.
    Behind,
    /// Nobody said how it ended: look at the table again, and carry it again if it is still there.
    Unanswered,
    /// What became of it is in the table already: another process has handled it.
    Ended(End),
    /// Not handled, for this reason.
    Failed(ConsumerError),
}

/// An ended attempt.
pub(crate) struct Finished {
    pub(crate) key: LaneKey,
    pub(crate) pending: Pending,
    pub(crate) outcome: Outcome,
}

/// Tries to deliver; never panics, never takes longer than the handler timeout.
pub(crate) async fn deliver(env: Arc<Env>, key: LaneKey, pending: Pending) -> Finished {
    let mut span = spans::handled(&key, &pending);
    let trace = span.context().or_else(|| pending.message.traceparent.clone().map(TraceParent));
    let attempt = AssertUnwindSafe(attempt(&env, &key, &pending, trace)).catch_unwind();
    let outcome = match tokio::time::timeout(env.config.handler_timeout, attempt).await {
        Ok(Ok(Ok(outcome))) => outcome,
        Ok(Ok(Err(error))) => Outcome::Failed(error),
        Ok(Err(_)) => Outcome::Failed(ConsumerError::Failed("the handler panicked".to_owned())),
        Err(_) => Outcome::Failed(ConsumerError::Failed("the handler took too long".to_owned())),
    };
    spans::end(&mut span, &outcome);
    Finished { key, pending, outcome }
}

async fn attempt(
    env: &Env,
    key: &LaneKey,
    pending: &Pending,
    trace: Option<TraceParent>,
) -> Result<Outcome, ConsumerError> {
    let message = &pending.message;
    let Some(consumer) = env.consumer(key.consumer) else { return Ok(Outcome::Behind) };
    let found = env.lookup.find_tenant(message.tenant).await;
    let tenant = found
        .map_err(|error| ConsumerError::Unavailable(error.to_string()))?
        .ok_or_else(|| ConsumerError::Failed(format!("tenant {} is unknown", message.tenant)))?;
    env.config.windows.at(Window::Taken);
    let now = env.clock.now();
    let mut ctx = Ctx::system(tenant, &message.correlation_id, now);
    ctx.caller.trace = trace;
    let delay = now.duration_since(message.time).as_secs_f64();
    metrics::histogram!("markethall_messages_delay_seconds", "consumer" => consumer.name).record(delay);
    let mut tx = env.db.begin(&ctx).await?;
    match claim(&tx, key, pending).await? {
        Claim::Gone => return Ok(Outcome::Gone),
        Claim::Behind => return Ok(Outcome::Behind),
        Claim::Repeated => {}
        Claim::Fresh => run(consumer, &ctx, &mut tx, pending).await?,
    }
    env.config.windows.at(Window::Handled);
    tx.commit().await?;
    env.config.windows.at(Window::Committed);
    Ok(Outcome::Done)
}

async fn run(
    consumer: &Consumer,
    ctx: &Ctx,
    tx: &mut TenantTx,
    pending: &Pending,
) -> Result<(), ConsumerError> {
    consumer.call(ctx, tx, &pending.message).await
}

enum Claim {
    /// Not there any more.
    Gone,
    /// There, but not to be had now.
    Behind,
    /// Handled before: only the delivery is to be removed.
    Repeated,
    /// To be handled.
    Fresh,
}

async fn claim(tx: &TenantTx, key: &LaneKey, pending: &Pending) -> Result<Claim, DbError> {
    let message = &pending.message;
    let row = tx
        .query_one(
            include_str!("claim.sql"),
            &[
                &key.tenant,
                &key.consumer,
                &&*key.subject,
                &message.seq,
                &message.id,
                &tx.ctx().now(),
                &pending.version,
            ],
        )
        .await?;
    Ok(match (row.try_get("claimed")?, row.try_get("fresh")?, row.try_get("there")?) {
        (false, _, false) => Claim::Gone,
        (false, _, true) => Claim::Behind,
        (true, false, _) => Claim::Repeated,
        (true, true, _) => Claim::Fresh,
    })
}
