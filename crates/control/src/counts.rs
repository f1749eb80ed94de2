//! What this crate counts for metrics; handles are made once.

use std::sync::LazyLock;

use metrics::Counter;

/// Tenants answered from memory beyond their time because the control database was away.
pub(crate) static REGISTRY_STALE: LazyLock<Counter> =
    LazyLock::new(|| metrics::counter!("markethall_registry_stale_total"));
/// Tenants looked up in the control database.
pub(crate) static REGISTRY_LOOKUPS: LazyLock<Counter> =
    LazyLock::new(|| metrics::counter!("markethall_registry_lookups_total"));
/// Tokens accepted by their signature alone because the control database was away.
pub(crate) static TOKENS_UNSEEN: LazyLock<Counter> =
    LazyLock::new(|| metrics::counter!("markethall_tokens_accepted_unseen_total"));
/// Security events that found no room.
pub(crate) static EVENTS_DROPPED: LazyLock<Counter> =
    LazyLock::new(|| metrics::counter!("markethall_security_events_dropped_total"));
/// Reads of an issuer's keys that failed.
pub(crate) static ISSUER_FAILURES: LazyLock<Counter> =
    LazyLock::new(|| metrics::counter!("markethall_issuer_failures_total"));

/// Steps of setting up that failed, by step.
pub(crate) fn provisioning_failures(step: &'static str) -> Counter {
    metrics::counter!("markethall_tenant_provisioning_failures_total", "step" => step)
}

/// Shows all of them from now on, with zero: alerts need a beginning.
pub(crate) fn register(steps: impl IntoIterator<Item = &'static str>) {
    metrics::describe_counter!(
        "markethall_registry_stale_total",
        "Tenants answered from memory beyond their time because the control database was away."
    );
    metrics::describe_counter!(
        "markethall_registry_lookups_total",
        "Tenants looked up in the control database."
    );
    metrics::describe_counter!(
        "markethall_tokens_accepted_unseen_total",
        "Tokens accepted by their signature alone because the control database was away."
    );
    metrics::describe_counter!(
        "markethall_security_events_dropped_total",
        "Security events lost because too many waited to be written."
    );
    metrics::describe_counter!("markethall_issuer_failures_total", "Reads of an issuer's keys that failed.");
    metrics::describe_counter!(
        "markethall_tenant_provisioning_failures_total",
        "Steps of setting a tenant up that failed, by step."
    );
    for counter in [&REGISTRY_STALE, &REGISTRY_LOOKUPS, &TOKENS_UNSEEN, &EVENTS_DROPPED, &ISSUER_FAILURES] {
        counter.increment(0);
    }
    for step in steps {
        provisioning_failures(step).increment(0);
    }
}
