//! What checkouts do, for metrics; handles are made once.

use edge::telemetry::TierCounter;
use metrics::Counter;

/// Counters of checkouts, all of them shown from the start.
pub(crate) struct Counts {
    pub(crate) begun: TierCounter,
    pub(crate) completed: TierCounter,
    pub(crate) failed: TierCounter,
    /// Segments and charges that were tried once more.
    pub(crate) retries: Counter,
}

impl Counts {
    pub(crate) fn new() -> Self {
        let ended = |end| {
            let help = "Checkouts that ended, by how and the merchant's tier.";
            TierCounter::new("markethall_checkouts_ended_total", help, &[("end", end)])
        };
        let help = "Checkouts that began, by the merchant's tier.";
        metrics::describe_counter!(
            "markethall_checkout_retries_total",
            "Steps of checkouts tried once more: a charge without an answer, a transaction that others were in the way of."
        );
        Self {
            begun: TierCounter::new("markethall_checkouts_begun_total", help, &[]),
            completed: ended("completed"),
            failed: ended("failed"),
            retries: metrics::counter!("markethall_checkout_retries_total"),
        }
    }
}
