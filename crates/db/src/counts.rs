//! What this crate counts for metrics; handles are made once.

use std::sync::LazyLock;

use metrics::Counter;

/// Pools of dedicated databases that were closed: idle for an hour, or too many.
pub(crate) static POOLS_CLOSED: LazyLock<Counter> =
    LazyLock::new(|| metrics::counter!("markethall_pools_closed_total"));
/// Requests that waited in vain for their tenant's share of the connections.
pub(crate) static SHARES_REFUSED: LazyLock<Counter> =
    LazyLock::new(|| metrics::counter!("markethall_bulkhead_refused_total"));
/// Transactions that were run once more because others were in their way.
pub(crate) static RETRIES: LazyLock<Counter> =
    LazyLock::new(|| metrics::counter!("markethall_database_retries_total"));

/// Shows all of them from now on, with zero: alerts need a beginning.
pub(crate) fn register() {
    metrics::describe_counter!(
        "markethall_pools_closed_total",
        "Pools of merchants' own databases that were closed because idle or too many."
    );
    metrics::describe_counter!(
        "markethall_bulkhead_refused_total",
        "Requests refused because the merchant held its share of the connections."
    );
    metrics::describe_counter!(
        "markethall_database_retries_total",
        "Transactions run once more because others were in their way."
    );
    for counter in [&POOLS_CLOSED, &SHARES_REFUSED, &RETRIES] {
        counter.increment(0);
    }
}
