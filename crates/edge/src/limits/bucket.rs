//! The rule of a bucket (generic cell rate algorithm), without clock and without store.
//!
//! All a bucket remembers is when it will be full again (`full_at`). Each call moves that on by one interval; a call
//! passes while it lies at most a burst ahead of now, and waits while it lies at most a queue further.

use std::time::Duration;

use kernel::RateLimit;

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It may go on after `wait_ns`, and the bucket is full again at `full_at`.
    Passes { full_at: u64, wait_ns: u64 },
    /// Another try makes sense after `after_ns`.
    Refused { after_ns: u64 },
}

/// The nanoseconds between two calls at the rate of the limit.
pub(super) fn interval_ns(limit: &RateLimit) -> u64 {
    u64::from(limit.window_seconds) * 1_000_000_000 / u64::from(limit.limit.max(1))
}

/// One call at `now` on a bucket that is full at `full_at`, in nanoseconds of one clock.
pub(super) fn take(limit: &RateLimit, full_at: u64, now: u64) -> Turn {
    let interval = interval_ns(limit);
    let next = full_at.max(now) + interval;
    let ahead = next - now;
    let burst = u64::from(limit.burst) * interval;
    let most = burst + u64::from(limit.queue) * interval;
    if ahead > most {
        Turn::Refused { after_ns: ahead - most }
    } else {
        Turn::Passes { full_at: next, wait_ns: ahead.saturating_sub(burst) }
    }
}

/// How many more calls pass at once, and when that is the whole burst again.
pub(super) fn left(limit: &RateLimit, full_at: u64, now: u64) -> (u32, Duration) {
    let ahead = full_at.saturating_sub(now);
    let interval = interval_ns(limit).max(1);
    let taken = ahead.div_ceil(interval);
    let left = u64::from(limit.burst).saturating_sub(taken);
    (u32::try_from(left).unwrap_or(u32::MAX), Duration::from_nanos(ahead))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// How many of `calls` at one moment pass, wait and are refused.
    fn at_once(limit: &RateLimit, calls: u32, now: u64, full_at: &mut u64) -> (u32, u32, u32) {
        let (mut pass, mut wait, mut refused) = (0, 0, 0);
        for _ in 0..calls {
            match take(limit, *full_at, now) {
                Turn::Passes { full_at: next, wait_ns } => {
                    *full_at = next;
                    if wait_ns == 0 { pass += 1 } else { wait += 1 }
                }
                Turn::Refused { .. } => refused += 1,
            }
        }
        (pass, wait, refused)
    }

    // HTTP-10: 100 per 10 s with a queue of 10.
    #[test]
    fn the_burst_passes_the_queue_waits_and_the_rest_is_refused() {
        let limit = RateLimit::new(100, 10, 100, 10);
        let mut full_at = 0;
        assert_eq!(at_once(&limit, 150, SECOND, &mut full_at), (100, 10, 40));
        assert_eq!(take(&limit, full_at, SECOND), Turn::Refused { after_ns: SECOND / 10 });
        // A second later there is room for ten more, and the ten that waited have gone.
        assert_eq!(at_once(&limit, 20, 2 * SECOND, &mut full_at), (0, 10, 10));
        assert_eq!(at_once(&limit, 200, 100 * SECOND, &mut full_at), (100, 10, 90));
    }

    #[test]
    fn what_is_left_is_what_passes_now() {
        let limit = RateLimit::new(60, 60, 30, 0);
        let mut full_at = 0;
        at_once(&limit, 10, SECOND, &mut full_at);
        assert_eq!(left(&limit, full_at, SECOND), (20, Duration::from_secs(10)));
        assert_eq!(at_once(&limit, 30, SECOND, &mut full_at), (20, 0, 10));
        assert_eq!(left(&limit, full_at, SECOND).0, 0);
    }

    proptest! {
        // HTTP-10
        #[test]
        fn no_window_lets_more_pass_than_limit_burst_and_queue(
            limit in 1_u32..200, window in 1_u32..60, burst in 1_u32..100, queue in 0_u32..20,
            pauses in prop::collection::vec(0_u64..2_000_000_000, 1..500),
        ) {
            let limit = RateLimit::new(limit, window, burst, queue);
            let (mut now, mut full_at) = (SECOND, 0);
            let mut passed = Vec::new();
            for pause in pauses {
                now += pause;
                if let Turn::Passes { full_at: next, wait_ns } = take(&limit, full_at, now) {
                    full_at = next;
                    passed.push(now + wait_ns);
                }
            }
            passed.sort_unstable();
            let length = u64::from(window) * SECOND;
            let most = (limit.limit + burst + queue + 1) as usize;
            for (at, begun) in passed.iter().enumerate() {
                let within = passed[at..].iter().take_while(|it| *it - begun < length).count();
                prop_assert!(within <= most, "{} in a window, {} allowed", within, most);
            }
        }

        // HTTP-10
        #[test]
        fn who_keeps_to_the_limit_is_never_refused_and_never_waits(
            limit in 1_u32..1_000, window in 1_u32..120, calls in 1_usize..300,
        ) {
            let limit = RateLimit::new(limit, window, 1, 0);
            let (mut now, mut full_at) = (SECOND, 0);
            for _ in 0..calls {
                match take(&limit, full_at, now) {
                    Turn::Passes { full_at: next, wait_ns } => {
                        prop_assert_eq!(wait_ns, 0);
                        full_at = next;
                    }
                    Turn::Refused { after_ns } => prop_assert!(false, "refused for {}", after_ns),
                }
                now += interval_ns(&limit);
            }
        }
    }
}
