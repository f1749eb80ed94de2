//! Writing down how an attempt ended, for the delivery and for its webhook.

use db::{DbError, TenantTx};
use jiff::{SignedDuration, Timestamp};
use resilience::BreakerConfig;

use crate::{
    claim::Claimed,
    model::{DeliveryState, DisabledReason},
    schedule::{GIVE_UP_AFTER, later, next_attempt},
};

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The answer's status; none when no answer came.
    pub(crate) status: Option<u16>,
    /// How the answer began.
    pub(crate) body: Option<String>,
    /// Why there is no answer.
    pub(crate) error: Option<String>,
    /// What a busy receiver asked for.
    pub(crate) retry_after: Option<Timestamp>,
    pub(crate) duration_ms: i32,
}

impl Attempt {
    fn arrived(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    fn gone(&self) -> bool {
        self.status == Some(410)
    }

    /// State and next attempt of a delivery after this, which is its attempt number `tries`.
    fn outcome(&self, tries: i32, now: Timestamp, chance: f64) -> (DeliveryState, Option<Timestamp>) {
        if self.arrived() {
            return (DeliveryState::Delivered, None);
        }
        let next = next_attempt(tries, now, self.retry_after, chance).filter(|_| !self.gone());
        (if next.is_some() { DeliveryState::Pending } else { DeliveryState::Failed }, next)
    }

    fn complaint(&self) -> Option<String> {
        if self.arrived() {
            return None;
        }
        let refused = || self.status.map(|status| format!("the receiver answered with status {status}"));
        self.error.clone().or_else(refused)
    }
}

/// Records an attempt; names the reason when the webhook is to be switched off, in a transaction of its own. The receiver
/// has a breaker that all processes share: it is kept with the webhook and goes by `breaker`.
pub(crate) async fn record(
    tx: &TenantTx,
    claimed: &Claimed,
    attempt: &Attempt,
    breaker: &BreakerConfig,
    chance: f64,
) -> Result<Option<DisabledReason>, DbError> {
    let (tenant, now) = (tx.tenant_id(), tx.ctx().now());
    let (state, next) = attempt.outcome(claimed.tries + 1, now, chance);
    let recorded = tx
        .execute(
            include_str!("record.sql"),
            &[
                &tenant,
                &claimed.id,
                &claimed.claim,
                &state.as_str(),
                &next,
                &now,
                &attempt.duration_ms,
                &attempt.status.map(i32::from),
                &attempt.body,
                &attempt.complaint(),
            ],
        )
        .await?;
    if recorded == 0 {
        return Ok(None);
    }
    if attempt.arrived() {
        tx.execute(include_str!("note_success.sql"), &[&tenant, &claimed.webhook]).await?;
        return Ok(None);
    }
    let pause = i64::try_from(breaker.pause_ms).unwrap_or(i64::MAX);
    let alone_until = later(now, SignedDuration::from_millis(pause));
    let break_after = i32::try_from(breaker.failures).unwrap_or(i32::MAX);
    let row = tx
        .query_opt(
            include_str!("note_failure.sql"),
            &[&tenant, &claimed.webhook, &now, &attempt.retry_after, &break_after, &alone_until],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    if row.try_get::<_, i32>("failures")? >= break_after {
        metrics::counter!("markethall_breaker_opened_total", "breaker" => "webhooks").increment(1);
    }
    let failing_since: Timestamp = row.try_get("failing_since")?;
    let given_up = now.duration_since(failing_since) >= GIVE_UP_AFTER;
    Ok(match (attempt.gone(), given_up) {
        (true, _) => Some(DisabledReason::Gone),
        (false, true) => Some(DisabledReason::Failing),
        (false, false) => None,
    })
}
