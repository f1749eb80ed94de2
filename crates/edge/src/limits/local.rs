//! Limits of this process alone.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use quick_cache::sync::Cache;

use super::{Few, Rule, Standing, Subject, Verdict, bucket};

/// One bucket per caller and rule: when it is full again, in nanoseconds since the process began. Bounded; a caller that
/// is forgotten begins with a full bucket.
pub(super) struct Local {
    began: Instant,
    hasher: RandomState,
    buckets: Cache<u64, Arc<AtomicU64>>,
}

impl Local {
    pub(super) fn new(callers: usize) -> Self {
        Self { began: Instant::now(), hasher: RandomState::new(), buckets: Cache::new(callers) }
    }

    /// Counts one call towards each rule, or, where one refuses, towards none.
    pub(super) fn count(&self, subject: &Subject<'_>, rules: &[Rule]) -> Verdict {
        let now = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX / 2);
        self.count_at(subject, rules, now)
    }

    fn count_at(&self, subject: &Subject<'_>, rules: &[Rule], now: u64) -> Verdict {
        let mut verdict = Verdict::passes();
        let mut taken: Few<(&Rule, Arc<AtomicU64>, bool)> = Few::new();
        for rule in rules {
            let bucket = self.bucket(subject, rule);
            let passes = match take(&bucket, rule, now) {
                bucket::Turn::Passes { wait_ns, .. } => {
                    verdict.add(rule.name, false, Duration::from_nanos(wait_ns));
                    true
                }
                bucket::Turn::Refused { after_ns } => {
                    verdict.add(rule.name, true, Duration::from_nanos(after_ns));
                    false
                }
            };
            taken.push((rule, bucket, passes));
        }
        for (rule, bucket, passed) in taken {
            if passed && verdict.refused_by.is_some() {
                bucket.fetch_sub(bucket::interval_ns(&rule.limit), Ordering::AcqRel);
            }
            let (left, full_in) = bucket::left(&rule.limit, bucket.load(Ordering::Acquire), now);
            verdict.standings.push(Standing { name: rule.name, limit: rule.limit, left, full_in });
        }
        verdict
    }

    fn bucket(&self, subject: &Subject<'_>, rule: &Rule) -> Arc<AtomicU64> {
        let mut hasher = self.hasher.build_hasher();
        subject.identify(rule, |bytes| hasher.write(bytes));
        let key = hasher.finish();
        match self.buckets.get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(Arc::default())) {
            Ok(bucket) => bucket,
        }
    }
}

/// Takes one token.
fn take(bucket: &AtomicU64, rule: &Rule, now: u64) -> bucket::Turn {
    let mut full_at = bucket.load(Ordering::Acquire);
    loop {
        let turn = bucket::take(&rule.limit, full_at, now);
        let bucket::Turn::Passes { full_at: next, .. } = turn else { return turn };
        match bucket.compare_exchange_weak(full_at, next, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return turn,
            Err(meanwhile) => full_at = meanwhile,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use kernel::RateLimit;

    use super::*;

    fn rules(limits: &[(&'static str, RateLimit)]) -> Vec<Rule> {
        limits.iter().map(|&(name, limit)| Rule { name, limit }).collect()
    }

    fn from(address: &str) -> Subject<'static> {
        let address: IpAddr = address.parse().unwrap();
        Subject { principal: None, tenant: None, address: Some(address) }
    }

    // HTTP-10
    #[test]
    fn of_many_threads_at_once_exactly_as_many_pass_as_the_limit_says() {
        let local = Local::new(1_000);
        let rules = rules(&[("address", RateLimit::new(100, 86_400, 100, 0))]);
        let passed = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let verdict = local.count(&from("192.0.2.1"), &rules);
                        passed.fetch_add(u64::from(verdict.refused_by.is_none()), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), 100);
        assert!(local.count(&from("192.0.2.2"), &rules).refused_by.is_none(), "others have their own");
    }

    // HTTP-10
    #[test]
    fn a_call_that_one_limit_refuses_counts_towards_no_other() {
        let local = Local::new(1_000);
        let wide = ("address", RateLimit::new(10, 3_600, 10, 0));
        let narrow = ("registration", RateLimit::new(1, 3_600, 1, 0));
        let both = rules(&[wide, narrow]);
        assert!(local.count_at(&from("192.0.2.1"), &both, 1).refused_by.is_none());
        for _ in 0..50 {
            let verdict = local.count_at(&from("192.0.2.1"), &both, 1);
            assert_eq!(verdict.refused_by, Some("registration"));
            assert_eq!(verdict.wait, Duration::from_secs(3_600));
        }
        let verdict = local.count_at(&from("192.0.2.1"), &rules(&[wide]), 1);
        assert_eq!((verdict.refused_by, verdict.standings[0].left), (None, 8));
    }
}
