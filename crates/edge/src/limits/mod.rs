//! Rate limits (HTTP-10): how often a tenant, a user, an address may call; and what a tenant's calls may cost (PLT-15).
//!
//! A limit is decided here, in this process, or in Redis for all processes together. Where Redis is configured but away,
//! each process limits by itself and counts that in `markethall_limits_local_total`.

mod bucket;
mod config;
mod cost;
mod headers;
mod local;
mod shared;
mod subject;
mod verdict;

pub use config::{CostConfig, LimitsConfig};
pub(crate) use headers::write;
pub(crate) use subject::Subject;
pub(crate) use verdict::{Few, Standing, Verdict};

use std::{sync::LazyLock, time::Duration};

use cache::Redis;
use kernel::{RateLimit, Spent, Tenant, Timestamp};

use local::Local;

static LOCAL: LazyLock<metrics::Counter> =
    LazyLock::new(|| metrics::counter!("markethall_limits_local_total"));
static SHARED: LazyLock<metrics::Gauge> = LazyLock::new(|| metrics::gauge!("markethall_limits_shared"));

static QUEUED: LazyLock<metrics::Counter> =
    LazyLock::new(|| metrics::counter!("markethall_limits_queued_total"));
const REFUSED: &str = "markethall_limits_refused_total";

/// Makes every counter of this module, with zero: alerts need a beginning.
pub(crate) fn register_metrics() {
    metrics::describe_counter!(REFUSED, "Calls refused with 429, by the limit that was used up.");
    metrics::describe_counter!("markethall_limits_queued_total", "Calls that waited for their turn.");
    metrics::describe_counter!(
        "markethall_limits_local_total",
        "Calls counted by this process alone because Redis was away."
    );
    metrics::describe_gauge!("markethall_limits_shared", "1 while Redis counts calls for all processes.");
    for policy in subject::POLICIES {
        metrics::counter!(REFUSED, "policy" => policy).increment(0);
    }
    cost::register_metrics();
    for counter in [&LOCAL, &QUEUED] {
        counter.increment(0);
    }
}

/// Which limits an operation counts towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LimitedAs {
    /// The tenant's and the user's; without a token the address's.
    #[default]
    Usual,
    /// Also the few that may register, per user and address.
    Registration,
    /// None: calls whose sender proves itself in another way and must not be slowed, such as a payment provider.
    Unlimited,
}

/// One limit that a call counts towards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// The policy's name in headers and metrics.
    pub(crate) name: &'static str,
    pub(crate) limit: RateLimit,
}

/// The limits of a process.
pub(crate) struct Limits {
    config: LimitsConfig,
    local: Local,
    redis: Option<Redis>,
}

/// How soon a call is held to what its tenant's calls have cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// As soon as the budget is used up.
    First,
    /// When twice as much is owed.
    Late,
    /// Not at all.
    Never,
}

impl Limits {
    pub(crate) fn new(config: LimitsConfig, redis: Option<Redis>) -> Self {
        SHARED.set(f64::from(u8::from(redis.is_some())));
        Self { local: Local::new(config.callers), config, redis }
    }

    /// Counts one call of `subject` at `now`; `None` when nothing limits it. `held` says how soon it is held to what its tenant's
    /// calls have cost.
    pub(crate) async fn count(
        &self,
        subject: &Subject<'_>,
        as_what: LimitedAs,
        held: Held,
        now: Timestamp,
    ) -> Option<Verdict> {
        if !self.config.enabled || as_what == LimitedAs::Unlimited {
            return None;
        }
        let rules = subject.rules(&self.config, as_what);
        let mut verdict = match &self.redis {
            None => self.local.count(subject, &rules),
            Some(redis) => match shared::count(redis, subject, &rules).await {
                Ok(verdict) => {
                    SHARED.set(1.0);
                    verdict
                }
                Err(_) => {
                    SHARED.set(0.0);
                    LOCAL.increment(1);
                    self.local.count(subject, &rules)
                }
            },
        };
        if let (Some(tenant), Some(_)) = (subject.tenant, subject.principal) {
            cost::look(&self.config.cost, tenant, held, now, &mut verdict);
        }
        if let Some(refusing) = verdict.refused_by {
            metrics::counter!(REFUSED, "policy" => refusing).increment(1);
        } else if verdict.wait > Duration::ZERO {
            QUEUED.increment(1);
        }
        Some(verdict)
    }

    /// Takes what requests of `tenant` have spent since it was taken last, and charges its budget with that and `sent` bytes.
    pub(crate) fn charge(&self, tenant: &Tenant, sent: u64, now: Timestamp) -> Spent {
        let spent = tenant.spending.take();
        cost::charge(self.config.enabled.then_some(&self.config.cost), tenant, spent, sent, now);
        spent
    }
}
