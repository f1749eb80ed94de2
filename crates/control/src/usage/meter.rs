//! Counts in memory, many per second, in the way of no request.

use std::{
    collections::HashMap,
    ops::AddAssign,
    sync::{LazyLock, Mutex, PoisonError},
};

use edge::Used;
use kernel::{TenantId, Timestamp};
use uuid::Uuid;

use crate::Control;

/// Parts of the counts that are locked apart, so that tenants seldom meet.
const STRIPES: usize = 16;
/// The most tenants and hours that one part keeps; reached only when the control database is away for very long.
const MOST_IN_STRIPE: usize = 8_000;
const SECONDS_OF_AN_HOUR: i64 = 3600;

static DROPPED: LazyLock<metrics::Counter> =
    LazyLock::new(|| metrics::counter!("markethall_usage_dropped_total"));

/// What one tenant used in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Requests that reached their handler.
    pub calls: i64,
    /// Bytes of the bodies of requests.
    pub received_bytes: i64,
    /// Bytes of the bodies of answers.
    pub sent_bytes: i64,
    /// How long handlers were at work, in microseconds.
    pub worked_us: i64,
    /// Messages published.
    pub messages: i64,
    /// How long connections to the database were held, in microseconds.
    pub database_us: i64,
    /// Rows that statements returned or changed.
    pub moved_rows: i64,
}

impl From<Used> for Amounts {
    fn from(used: Used) -> Self {
        let whole = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
        Self {
            calls: whole(used.calls),
            received_bytes: whole(used.received),
            sent_bytes: whole(used.sent),
            worked_us: i64::try_from(used.worked.as_micros()).unwrap_or(i64::MAX),
            messages: 0,
            database_us: i64::try_from(used.spent.database.as_micros()).unwrap_or(i64::MAX),
            moved_rows: whole(used.spent.rows),
        }
    }
}

impl AddAssign for Amounts {
    fn add_assign(&mut self, more: Self) {
        let add = |sum: &mut i64, more: i64| *sum = sum.saturating_add(more);
        add(&mut self.calls, more.calls);
        add(&mut self.received_bytes, more.received_bytes);
        add(&mut self.sent_bytes, more.sent_bytes);
        add(&mut self.worked_us, more.worked_us);
        add(&mut self.messages, more.messages);
        add(&mut self.database_us, more.database_us);
        add(&mut self.moved_rows, more.moved_rows);
    }
}

/// A tenant and the number of an hour since 1970.
type Place = (TenantId, i64);

/// What is handed in at once, under a name that makes it count once.
#[derive(Debug)]
pub(super) struct Handful {
    pub(super) id: Uuid,
    pub(super) rows: Vec<(Place, Amounts)>,
}

/// What this process has counted and not handed in yet.
#[derive(Debug)]
pub(crate) struct UsageMeter {
    stripes: [Mutex<HashMap<Place, Amounts>>; STRIPES],
    /// Handed in without an answer; handed in again, as it is, before anything else.
    pub(super) unsure: tokio::sync::Mutex<Option<Handful>>,
}

impl Default for UsageMeter {
    fn default() -> Self {
        Self { stripes: std::array::from_fn(|_| Mutex::default()), unsure: tokio::sync::Mutex::default() }
    }
}

impl UsageMeter {
    fn add(&self, tenant: TenantId, at: Timestamp, used: Amounts) {
        let place = (tenant, at.as_second().div_euclid(SECONDS_OF_AN_HOUR));
        // The last bits of an identifier are random.
        let stripe = usize::from(tenant.0.as_bytes()[15]) % STRIPES;
        let mut counts = self.stripes[stripe].lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST_IN_STRIPE && !counts.contains_key(&place) {
            DROPPED.increment(used.calls.unsigned_abs());
            return;
        }
        *counts.entry(place).or_default() += used;
    }

    /// Takes everything counted so far.
    pub(super) fn take(&self) -> Option<Handful> {
        let mut rows = Vec::new();
        for stripe in &self.stripes {
            rows.extend(std::mem::take(&mut *stripe.lock().unwrap_or_else(PoisonError::into_inner)));
        }
        // All processes in one order, so that two never wait for each other.
        rows.sort_unstable_by_key(|(place, _)| *place);
        (!rows.is_empty()).then(|| Handful { id: Uuid::now_v7(), rows })
    }
}

impl edge::Meter for Control {
    fn add(&self, tenant: TenantId, at: Timestamp, used: Used) {
        self.usage_meter().add(tenant, at, used.into());
    }
}

impl messages::Tally for Control {
    fn published(&self, tenant: TenantId, at: Timestamp, messages: u64) {
        let messages = i64::try_from(messages).unwrap_or(i64::MAX);
        self.usage_meter().add(tenant, at, Amounts { messages, ..Amounts::default() });
    }
}

/// The moment at which the hour of `at` began.
pub(super) fn start_of_hour(at: Timestamp) -> Timestamp {
    let second = at.as_second().div_euclid(SECONDS_OF_AN_HOUR).saturating_mul(SECONDS_OF_AN_HOUR);
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The moment an hour begins.
pub(super) fn hour_start((_, hour): Place) -> Timestamp {
    Timestamp::from_second(hour.saturating_mul(SECONDS_OF_AN_HOUR)).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn call(sent: u64) -> Amounts {
        Used { calls: 1, received: 10, sent, worked: Duration::from_micros(7), ..Used::default() }.into()
    }

    // PLT-8
    #[test]
    fn what_is_used_adds_up_by_tenant_and_hour_and_is_taken_once() {
        let (meter, acme, bolt) = (UsageMeter::default(), TenantId::new(), TenantId::new());
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        meter.add(acme, at("2026-11-21T10:00:00Z"), call(100));
        meter.add(acme, at("2026-11-21T10:59:59.999Z"), call(1));
        meter.add(acme, at("2026-11-21T11:00:00Z"), call(5));
        meter.add(bolt, at("2026-11-21T10:30:00Z"), Amounts { messages: 3, ..Amounts::default() });
        let taken = meter.take().unwrap();
        let hours: Vec<_> = taken.rows.iter().filter(|((tenant, _), _)| *tenant == acme).collect();
        let first =
            Amounts { calls: 2, received_bytes: 20, sent_bytes: 101, worked_us: 14, ..Amounts::default() };
        assert_eq!((hours.len(), hours[0].1), (2, first));
        assert_eq!(hour_start(hours[0].0), at("2026-11-21T10:00:00Z"));
        assert_eq!(taken.rows.len(), 3);
        assert!(meter.take().is_none());
    }

    // PLT-8: counting goes on while nothing can be handed in, and never grows without bound.
    #[test]
    fn what_is_kept_is_bounded_and_known_places_go_on_counting() {
        let (meter, acme) = (UsageMeter::default(), TenantId::new());
        for hour in 0..20_000 {
            meter.add(acme, Timestamp::from_second(hour * 3600).unwrap(), call(1));
        }
        meter.add(acme, Timestamp::UNIX_EPOCH, call(1));
        let rows = meter.take().unwrap().rows;
        assert_eq!(rows.len(), MOST_IN_STRIPE);
        assert_eq!(rows[0].1.calls, 2);
    }
}
