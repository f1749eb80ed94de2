//! When to try again: nine pauses over a little more than three days.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// After this long without a success a webhook is switched off.
pub const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(72);
/// The pauses between attempts, in seconds: 75.6 hours in all, so that the last failure is behind [`GIVE_UP_AFTER`].
const PAUSES_S: [i64; 9] = [5, 300, 1800, 7200, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];
/// A pause is up to this much longer, so that what failed together does not come back together.
const JITTER: f64 = 0.1;
/// The longest wait that a receiver may ask for.
const RETRY_AFTER_MAX_S: i64 = 24 * 3600;

/// Attempts at most, of one delivery or one replay of it.
pub const TRIES_MAX: i32 = PAUSES_S.len() as i32 + 1;

/// When to try again after the failure number `tries` (from 1), not before `not_before`; `None` when it was the last.
pub(crate) fn next_attempt(
    tries: i32,
    now: Timestamp,
    not_before: Option<Timestamp>,
    chance: f64,
) -> Option<Timestamp> {
    let place = usize::try_from(tries.checked_sub(1)?).ok()?;
    let seconds = PAUSES_S.get(place)?;
    let pause = Duration::from_secs(seconds.unsigned_abs()).mul_f64(1.0 + JITTER * chance.clamp(0.0, 1.0));
    let planned = later(now, SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX));
    Some(not_before.map_or(planned, |wish| planned.max(wish)))
}

/// Reads `Retry-After`: seconds or an HTTP date, at most a day from now; `None` when it says nothing sensible.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Timestamp> {
    let value = value.trim();
    let latest = later(now, SignedDuration::from_secs(RETRY_AFTER_MAX_S));
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = value.parse::<i64>().unwrap_or(i64::MAX).min(RETRY_AFTER_MAX_S);
        return Some(later(now, SignedDuration::from_secs(seconds)));
    }
    let wish = Timestamp::try_from(httpdate::parse_http_date(value).ok()?).ok()?;
    (wish > now).then_some(wish.min(latest))
}

/// `time + by`, or the end of time.
pub(crate) fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    proptest! {
        // HTTP-14: growing pauses over more than three days, whatever the jitter.
        #[test]
        fn ten_attempts_take_more_than_three_and_less_than_four_days(chance in 0.0_f64..1.0) {
            let mut time = now();
            for tries in 1..TRIES_MAX {
                let next = next_attempt(tries, time, None, chance).unwrap();
                prop_assert!(next > time);
                time = next;
            }
            prop_assert_eq!(next_attempt(TRIES_MAX, time, None, chance), None);
            let took = time.duration_since(now());
            prop_assert!(took > GIVE_UP_AFTER && took < SignedDuration::from_hours(96), "{took:?}");
        }
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_within_a_day() {
        let after = |value: &str| retry_after(value, now()).map(|time| time.duration_since(now()).as_secs());
        assert_eq!(after("120"), Some(120));
        assert_eq!(after(" 0 "), Some(0));
        assert_eq!(after("99999999999999999999"), Some(86_400));
        assert_eq!(after("Sat, 21 Nov 2026 10:10:00 GMT"), Some(600));
        assert_eq!(after("Mon, 21 Nov 2033 10:10:00 GMT"), Some(86_400));
        for useless in ["", "-5", "1.5", "soon", "Sat, 21 Nov 2020 10:10:00 GMT"] {
            assert_eq!(after(useless), None, "{useless}");
        }
        let wish = later(now(), SignedDuration::from_hours(2));
        assert_eq!(next_attempt(1, now(), Some(wish), 0.5), Some(wish));
        assert!(next_attempt(4, now(), Some(now()), 0.0).unwrap() > now());
    }
}
