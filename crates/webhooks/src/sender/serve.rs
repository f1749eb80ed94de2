//! One tenant's deliveries: claimed as there is room, sent side by side, recorded as they end.

use std::collections::HashMap;

use db::DbError;
use jiff::{SignedDuration, Timestamp};
use kernel::{TenantId, TraceParent};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, TryAcquireError},
    task::JoinSet,
};
use traces::{Kind, Span};

use super::{Webhooks, call::call};
use crate::{
    claim::{Claimed, Room, claim, next_due},
    disable_webhook::disable_webhook,
    model::WebhookId,
    record::{Attempt, record},
    schedule::later,
};

const ATTEMPTS: &str = "markethall_webhook_attempts_total";
const DURATION: &str = "markethall_webhook_attempt_seconds";

/// What is due but cannot be claimed is somebody else's; it is looked at again after this.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(1);

/// Sends what is due for `tenant` until nothing is left, and tells when there will be more. `more` says that something
/// was added meanwhile.
pub(super) async fn serve(
    webhooks: &Webhooks,
    tenant: TenantId,
    more: &Notify,
) -> Result<Option<Timestamp>, DbError> {
    let mut sending: JoinSet<(WebhookId, Result<(), DbError>)> = JoinSet::new();
    let mut calls: HashMap<WebhookId, i64> = HashMap::new();
    loop {
        let config = &webhooks.0.config;
        let free = config.requests_per_tenant.saturating_sub(sending.len());
        let mut claimed_all = free > 0;
        if free > 0 && !webhooks.0.stop.is_cancelled() {
            let permits = permits(webhooks, free, sending.is_empty()).await;
            let room =
                Room { total: permits.len(), per_webhook: config.requests_per_webhook, calls: calls.clone() };
            let claimed = if permits.is_empty() { Vec::new() } else { take(webhooks, tenant, &room).await? };
            claimed_all = claimed.len() < room.total;
            for (claimed, permit) in claimed.into_iter().zip(permits) {
                *calls.entry(claimed.webhook).or_default() += 1;
                let webhooks = webhooks.clone();
                sending.spawn(async move { send(&webhooks, tenant, claimed, permit).await });
            }
        }
        if sending.is_empty() {
            return rest(webhooks, tenant).await;
        }
        tokio::select! {
            Some(ended) = sending.join_next() => {
                let Ok((webhook, ended)) = ended else { continue };
                if let Some(count) = calls.get_mut(&webhook) {
                    *count -= 1;
                }
                calls.retain(|_, count| *count > 0);
                ended?;
            }
            () = more.notified(), if claimed_all => {}
        }
    }
}

/// Room in this process for at most `wanted` requests; waits for one only if nothing else is going on.
async fn permits(webhooks: &Webhooks, wanted: usize, wait: bool) -> Vec<OwnedSemaphorePermit> {
    let all = &webhooks.0.permits;
    let mut permits = Vec::new();
    if wait {
        permits.extend(all.clone().acquire_owned().await.ok());
    }
    while permits.len() < wanted {
        match all.clone().try_acquire_owned() {
            Ok(permit) => permits.push(permit),
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => break,
        }
    }
    permits
}

async fn take(webhooks: &Webhooks, tenant: TenantId, room: &Room) -> Result<Vec<Claimed>, DbError> {
    let Some(ctx) = context(webhooks, tenant).await? else { return Ok(Vec::new()) };
    let tx = webhooks.db().begin(&ctx).await?;
    let claimed = claim(&tx, webhooks.key(), room).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// When there will be more to do; now and here there is nothing.
async fn rest(webhooks: &Webhooks, tenant: TenantId) -> Result<Option<Timestamp>, DbError> {
    let Some(ctx) = context(webhooks, tenant).await? else { return Ok(None) };
    let tx = webhooks.db().begin_read(&ctx).await?;
    let due = next_due(&tx).await?;
    tx.commit().await?;
    Ok(due.map(|due| due.max(later(ctx.now(), LOOK_AGAIN))))
}

/// Makes the counters of this module, with zero: alerts need a beginning.
pub(super) fn register_metrics() {
    metrics::describe_counter!(ATTEMPTS, "Calls of merchants' webhooks, by how they ended.");
    metrics::describe_histogram!(DURATION, metrics::Unit::Seconds, "How long calls of webhooks took.");
    for outcome in ["delivered", "refused", "unanswered"] {
        attempts(outcome).increment(0);
    }
}

fn attempts(outcome: &'static str) -> metrics::Counter {
    metrics::counter!(ATTEMPTS, "outcome" => outcome)
}

async fn send(
    webhooks: &Webhooks,
    tenant: TenantId,
    claimed: Claimed,
    permit: OwnedSemaphorePermit,
) -> (WebhookId, Result<(), DbError>) {
    let inner = &webhooks.0;
    let now = inner.parts.clock.now();
    let mut span = span(&claimed);
    let trace = span.context();
    let limit = inner.config.timeout();
    let attempt = call(&inner.http, &inner.resolver, limit, &claimed, trace.as_ref(), now).await;
    let outcome = match attempt.status {
        Some(status) if (200..300).contains(&status) => "delivered",
        Some(_) => "refused",
        None => "unanswered",
    };
    attempts(outcome).increment(1);
    if let Some(status) = attempt.status {
        span.set("http.response.status_code", status);
    }
    if outcome != "delivered" {
        span.fail(outcome);
    }
    drop(span);
    metrics::histogram!(DURATION).record(f64::from(attempt.duration_ms) / 1000.0);
    let recorded = settle(webhooks, tenant, &claimed, &attempt, trace).await;
    drop(permit);
    (claimed.webhook, recorded)
}

/// The span of an attempt, in the trace of what it tells of; the address may hold a merchant's secret and is not in it.
fn span(claimed: &Claimed) -> Span {
    let mut span = Span::child(claimed.trace.as_ref(), Kind::Client, || "POST webhook".into());
    if !span.is_some() {
        return span;
    }
    span.set("http.request.method", "POST");
    span.set("messaging.message.id", claimed.message.to_string());
    span.set("markethall.webhook.id", claimed.webhook.to_string());
    span.set("markethall.webhook.delivery.id", claimed.id.to_string());
    span.set("http.request.resend_count", i64::from(claimed.tries));
    span
}

/// Records the attempt, and switches the webhook off when it was one too many.
async fn settle(
    webhooks: &Webhooks,
    tenant: TenantId,
    claimed: &Claimed,
    attempt: &Attempt,
    trace: Option<TraceParent>,
) -> Result<(), DbError> {
    let Some(mut ctx) = context(webhooks, tenant).await? else { return Ok(()) };
    ctx.caller.trace = trace;
    let tx = webhooks.db().begin(&ctx).await?;
    let breaker = webhooks.db().breakers().config().breaker;
    let verdict = record(&tx, claimed, attempt, &breaker, rand::random()).await?;
    tx.commit().await?;
    if let Some(reason) = verdict {
        let tx = webhooks.db().begin(&ctx).await?;
        if disable_webhook(&tx, claimed.webhook, reason).await? {
            tx.commit().await?;
            tracing::info!(webhook.id = %claimed.webhook, reason = reason.as_str(), "webhook switched off");
        }
    }
    Ok(())
}

async fn context(webhooks: &Webhooks, tenant: TenantId) -> Result<Option<kernel::Ctx>, DbError> {
    webhooks.context(tenant).await.map_err(|error| DbError::Unavailable(error.to_string()))
}
