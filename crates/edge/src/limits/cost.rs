//! Fairness by cost (PLT-15): a tenant is slowed by what its requests cost, not only by how many they are.
//!
//! Each tenant has a budget of milliseconds of the database, a bucket as in `bucket.rs`, that is charged after each request with
//! what it has cost: the time its transactions held a connection, and something for rows and bytes. What a request will cost is
//! known afterwards only, so that it goes on while there is anything left, and the next ones wait or are refused until the debt is
//! paid. Each process keeps its own books: they stand in the tenant itself ([`kernel::Spending`]).

use std::{sync::LazyLock, time::Duration};

use kernel::{RateLimit, Spent, Tenant, Tier, Timestamp};
use metrics::Counter;

use super::{CostConfig, Held, Standing, Verdict, bucket};

/// More than so many times what refuses is never owed.
const MOST_DEBTS: u64 = 4;
/// The policy's name in headers and metrics.
pub(super) const POLICY: &str = "tenant-cost";

const SPENT: &str = "markethall_cost_microseconds_total";
const SLOWED: &str = "markethall_cost_slowed_total";
const REFUSED: &str = "markethall_cost_refused_total";

/// The counters of one tier.
struct Counters {
    spent: Counter,
    slowed: Counter,
    refused: Counter,
}

static COUNTERS: LazyLock<[Counters; Tier::ALL.len()]> = LazyLock::new(|| {
    Tier::ALL.map(|tier| Counters {
        spent: metrics::counter!(SPENT, "tier" => tier.as_str()),
        slowed: metrics::counter!(SLOWED, "tier" => tier.as_str()),
        refused: metrics::counter!(REFUSED, "tier" => tier.as_str()),
    })
});

fn counters(tier: Tier) -> &'static Counters {
    &COUNTERS[tier as usize]
}

/// Makes every counter of this module, with zero: alerts need a beginning.
pub(super) fn register_metrics() {
    metrics::describe_counter!(
        SPENT,
        "What requests have cost, in microseconds of the database, rows and bytes included."
    );
    metrics::describe_counter!(SLOWED, "Requests that waited because their merchant's have cost much.");
    metrics::describe_counter!(REFUSED, "Requests refused because their merchant's have cost too much.");
    for tier in Tier::ALL {
        let Counters { spent, slowed, refused } = counters(tier);
        [spent, slowed, refused].into_iter().for_each(|counter| counter.increment(0));
    }
}

/// What may be owed before what is heavy is refused, in nanoseconds.
fn most(limit: &RateLimit) -> u64 {
    (u64::from(limit.burst) + u64::from(limit.queue)).saturating_mul(bucket::interval_ns(limit))
}

/// What becomes of a request of a tenant whose budget is whole again `ahead` ns from now.
///
/// One that may be `heavy` (a list, a report, an export) waits as soon as the burst is used up, and is refused beyond the queue.
/// A look at one thing goes on until twice as much is owed.
fn decide(limit: &RateLimit, ahead: u64, heavy: bool) -> bucket::Turn {
    let (burst, most) = (u64::from(limit.burst).saturating_mul(bucket::interval_ns(limit)), most(limit));
    let refused_from = if heavy { most } else { most.saturating_mul(2) };
    if ahead > refused_from {
        return bucket::Turn::Refused { after_ns: ahead - refused_from };
    }
    let wait_ns = if heavy { ahead.saturating_sub(burst) } else { 0 };
    bucket::Turn::Passes { full_at: ahead, wait_ns }
}

/// Adds to `verdict` whether the tenant's cost lets the request pass; its standing is named once less than half is left.
pub(super) fn look(config: &CostConfig, tenant: &Tenant, held: Held, now: Timestamp, verdict: &mut Verdict) {
    if held == Held::Never {
        return;
    }
    let limit = config.of_tier(tenant.tier);
    let now = nanoseconds(now);
    let whole_at = tenant.spending.whole_at();
    let ahead = whole_at.saturating_sub(now);
    // Further away than anything is charged: the clock has gone back since.
    if ahead == 0 || ahead > most(&limit).saturating_mul(2 * MOST_DEBTS) {
        return;
    }
    match decide(&limit, ahead, held == Held::First) {
        bucket::Turn::Passes { wait_ns, .. } => {
            if wait_ns > 0 && verdict.refused_by.is_none() {
                counters(tenant.tier).slowed.increment(1);
            }
            verdict.add(POLICY, false, Duration::from_nanos(wait_ns));
        }
        bucket::Turn::Refused { after_ns } => {
            counters(tenant.tier).refused.increment(1);
            verdict.add(POLICY, true, Duration::from_nanos(after_ns));
        }
    }
    let (left, full_in) = bucket::left(&limit, whole_at, now);
    if u64::from(left) * 2 < u64::from(limit.burst) {
        verdict.standings.push(Standing { name: POLICY, limit, left, full_in });
    }
}

/// What `spent` and `sent` bytes cost, in microseconds of the database.
fn cost_us(config: &CostConfig, spent: Spent, sent: u64) -> u64 {
    let database = u64::try_from(spent.database.as_micros()).unwrap_or(u64::MAX);
    let rows = spent.rows.saturating_mul(config.row_us.into());
    let bytes = sent.saturating_mul(config.kib_us.into()) / 1024;
    database.saturating_add(rows).saturating_add(bytes)
}

/// Charges the tenant's budget with what was spent, if there is one, and counts it.
pub(super) fn charge(config: Option<&CostConfig>, tenant: &Tenant, spent: Spent, sent: u64, now: Timestamp) {
    let known = config.copied().unwrap_or_default();
    let cost = cost_us(&known, spent, sent);
    counters(tenant.tier).spent.increment(cost);
    if config.is_none() || cost == 0 {
        return;
    }
    let limit = known.of_tier(tenant.tier);
    let interval = bucket::interval_ns(&limit);
    let now = nanoseconds(now);
    let cost_ns = u64::try_from(u128::from(cost) * u128::from(interval) / 1000).unwrap_or(u64::MAX);
    // However much a single request has cost, its tenant trades again when twice as much as refuses it has been paid off.
    tenant.spending.charge(now, cost_ns, now.saturating_add(most(&limit).saturating_mul(MOST_DEBTS)));
}

fn nanoseconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_nanosecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    // PLT-15: a quarter of a connection, 1 s at once, 100 ms of debt that waits.
    #[test]
    fn what_is_heavy_waits_and_is_refused_first_and_a_look_at_one_thing_goes_on_to_twice_the_debt() {
        let limit = RateLimit::new(250, 1, 1000, 100);
        let pass = |wait_ns| bucket::Turn::Passes { full_at: 0, wait_ns };
        let turn = |owed_ms: u64, heavy| match decide(&limit, owed_ms * 4 * MS, heavy) {
            bucket::Turn::Passes { wait_ns, .. } => pass(wait_ns),
            refused @ bucket::Turn::Refused { .. } => refused,
        };
        assert_eq!((turn(1000, true), turn(1000, false)), (pass(0), pass(0)));
        assert_eq!((turn(1050, true), turn(1050, false)), (pass(200 * MS), pass(0)));
        assert_eq!((turn(1100, true), turn(1100, false)), (pass(400 * MS), pass(0)));
        let refused = |after_ms: u64| bucket::Turn::Refused { after_ns: after_ms * MS };
        assert_eq!((turn(1101, true), turn(1101, false)), (refused(4), pass(0)));
        assert_eq!((turn(2200, true), turn(2200, false)), (refused(4400), pass(0)));
        assert_eq!(turn(2201, false), refused(4));
    }

    // PLT-15
    #[test]
    fn rows_and_bytes_cost_as_much_as_the_settings_say() {
        let config = CostConfig { row_us: 10, kib_us: 4, ..CostConfig::default() };
        let spent = Spent { database: Duration::from_millis(2), rows: 30 };
        assert_eq!(cost_us(&config, spent, 10_240), 2_000 + 300 + 40);
        assert_eq!(cost_us(&config, Spent::default(), 0), 0);
        let endless = Spent { database: Duration::MAX, rows: u64::MAX };
        assert_eq!(cost_us(&config, endless, u64::MAX), u64::MAX);
    }
}
