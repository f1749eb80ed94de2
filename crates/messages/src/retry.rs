//! When to try again: exponential backoff with jitter, a bounded number of times.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How often and how far apart a failing message is tried.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Tries in all before it becomes a dead letter; at least 1.
    pub tries: u32,
    /// The pause after the first failure; doubled after each further one.
    pub base: Duration,
    /// The longest pause.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    /// 10 tries over about ten minutes.
    fn default() -> Self {
        Self { tries: 10, base: Duration::from_millis(500), cap: Duration::from_secs(300) }
    }
}

impl RetryPolicy {
    /// When to try again after `failures` failures (at least 1); `None` when it is time to give up.
    ///
    /// The pause is between half of the exponential one and all of it, by `chance` in `0.0..1.0`.
    #[must_use]
    pub fn next_attempt(&self, failures: u32, now: Timestamp, chance: f64) -> Option<Timestamp> {
        if failures >= self.tries {
            return None;
        }
        let doubled = self.base.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
        let pause = doubled.min(self.cap).mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0));
        Some(later(now, pause))
    }
}

/// `now + pause`, or the end of time.
pub(crate) fn later(now: Timestamp, pause: Duration) -> Timestamp {
    SignedDuration::try_from(pause)
        .ok()
        .and_then(|pause| now.checked_add(pause).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        // MSG-4: exponential backoff with jitter, then no more.
        #[test]
        fn pauses_double_stay_under_the_cap_and_end(failures in 1_u32..40, chance in 0.0_f64..1.0) {
            let policy = RetryPolicy { tries: 12, ..RetryPolicy::default() };
            let now = Timestamp::UNIX_EPOCH;
            let next = policy.next_attempt(failures, now, chance);
            prop_assert_eq!(next.is_some(), failures < 12);
            if let Some(next) = next {
                let pause = Duration::try_from(next.duration_since(now)).unwrap();
                let full = (policy.base * 2_u32.pow(failures - 1)).min(policy.cap);
                prop_assert!(pause <= full && pause >= full / 2, "{pause:?} of {full:?}");
            }
        }
    }
}
