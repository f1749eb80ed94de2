//! What a tenant's requests cost, between those who measure it and those who hold it to a budget.
//!
//! Every request of the tenant finds the same value in its [`Tenant`](crate::Tenant): adding and taking are a few atomic
//! operations, without a lock, an allocation or a look into a table.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// What was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// How long connections to the database were held.
    pub database: Duration,
    /// Rows that statements returned or changed.
    pub rows: u64,
}

#[derive(Default)]
struct Cells {
    database_ns: AtomicU64,
    rows: AtomicU64,
    whole_at: AtomicU64,
}

/// What one tenant has spent in this process; shared by all that hold a clone of it.
#[derive(Clone, Default)]
pub struct Spending(Arc<Cells>);

impl Spending {
    /// Adds to what was spent.
    pub fn add(&self, spent: Spent) {
        let ns = u64::try_from(spent.database.as_nanos()).unwrap_or(u64::MAX);
        self.0.database_ns.fetch_add(ns, Ordering::Relaxed);
        self.0.rows.fetch_add(spent.rows, Ordering::Relaxed);
    }

    /// What was spent since it was taken last.
    #[must_use]
    pub fn take(&self) -> Spent {
        let database = Duration::from_nanos(self.0.database_ns.swap(0, Ordering::Relaxed));
        Spent { database, rows: self.0.rows.swap(0, Ordering::Relaxed) }
    }

    /// When the tenant's budget is whole again, in nanoseconds of whatever clock its keeper goes by.
    #[must_use]
    pub fn whole_at(&self) -> u64 {
        self.0.whole_at.load(Ordering::Relaxed)
    }

    /// Moves that moment on by `cost_ns` from where it is, or from `now` if that has passed, but not beyond `latest`. One that is
    /// more than twice as far away was set by a clock that has gone back since, and is forgotten.
    pub fn charge(&self, now: u64, cost_ns: u64, latest: u64) {
        let latest = latest.max(now);
        let most = latest.saturating_add(latest - now);
        let charged = |whole_at: u64| {
            let owed_until = if whole_at > most { now } else { whole_at.max(now) };
            Some(owed_until.saturating_add(cost_ns).min(latest))
        };
        // The closure always gives a value, so that this cannot fail.
        let _ = self.0.whole_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, charged);
    }
}

impl fmt::Debug for Spending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spending").field("whole_at", &self.whole_at()).finish_non_exhaustive()
    }
}

/// What was spent makes no tenant another one.
impl PartialEq for Spending {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Spending {}

#[cfg(test)]
mod tests {
    use super::*;

    // PLT-15
    #[test]
    fn what_many_add_at_once_is_taken_once() {
        let spending = Spending::default();
        let one = Spent { database: Duration::from_micros(3), rows: 2 };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| spending.clone().add(one)));
            }
        });
        assert_eq!(spending.take(), Spent { database: Duration::from_millis(12), rows: 8000 });
        assert_eq!(spending.take(), Spent::default());
    }

    // PLT-15
    #[test]
    fn a_charge_begins_now_or_where_the_last_one_ended_and_has_a_bound() {
        let spending = Spending::default();
        spending.charge(100, 10, 1000);
        assert_eq!(spending.whole_at(), 110);
        spending.charge(105, 10, 1000);
        assert_eq!(spending.whole_at(), 120);
        spending.charge(500, 10, 1000);
        assert_eq!(spending.whole_at(), 510);
        spending.charge(500, u64::MAX, 1000);
        assert_eq!(spending.whole_at(), 1000);
        // The clock has gone back to 10, from where nothing beyond 20 is ever owed.
        spending.charge(10, 5, 20);
        assert_eq!(spending.whole_at(), 15);
        spending.charge(500, u64::MAX, 1000);
        assert_eq!(spending.whole_at(), 1000);
    }
}
