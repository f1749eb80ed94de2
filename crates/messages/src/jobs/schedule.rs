//! When a job runs.

use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Time, tz::TimeZone};

use crate::retry::later;

/// How far apart the clocks of two processes may be before one of them is held for wrong.
pub(super) const CLOCKS_APART: Duration = Duration::from_secs(60);
/// The longest between two runs of a daily job.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// When a job runs; always in UTC. A run that was missed (nobody was up) is made up once, not several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Again and again with this pause, at least one second.
    Every(Duration),
    /// Every day at this time.
    Daily(Time),
}

impl Schedule {
    /// The first run after `now`, for a job that was due at `due`.
    #[must_use]
    pub fn next_run(&self, due: Timestamp, now: Timestamp) -> Timestamp {
        match *self {
            Self::Every(pause) => {
                let pause = pause.max(Duration::from_secs(1));
                // One that was planned by a clock that went ahead is due now.
                let next = later(due.min(now), pause);
                if next > now { next } else { later(now, pause) }
            }
            Self::Daily(time) => next_day(time, now),
        }
    }

    /// The latest moment that a process whose clock is about right plans a run for: one that is planned for later was
    /// planned by a clock that went ahead.
    #[must_use]
    pub fn latest_run(&self, now: Timestamp) -> Timestamp {
        let pause = match *self {
            Self::Every(pause) => pause.max(Duration::from_secs(1)).saturating_mul(2),
            Self::Daily(_) => DAY,
        };
        later(now, pause.saturating_add(CLOCKS_APART))
    }

    /// The first run of a job that is new at `now`.
    #[must_use]
    pub fn first_run(&self, now: Timestamp) -> Timestamp {
        self.next_run(now, now)
    }
}

fn next_day(time: Time, now: Timestamp) -> Timestamp {
    let at =
        |day: jiff::civil::Date| day.to_datetime(time).to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    let today = now.to_zoned(TimeZone::UTC).date();
    match at(today) {
        Ok(at_today) if at_today > now => at_today,
        _ => today
            .checked_add(1.day())
            .and_then(at)
            .or_else(|_| now.checked_add(SignedDuration::from_hours(24)))
            .unwrap_or(Timestamp::MAX),
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(pause) => write!(f, "every {} s", pause.as_secs().max(1)),
            Self::Daily(time) => write!(f, "daily at {time} UTC"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schedule: Schedule, due: &str, now: &str, next: &str) {
        let [due, now, next] = [due, now, next].map(|text| text.parse::<Timestamp>().unwrap());
        assert_eq!(schedule.next_run(due, now), next, "{schedule}");
    }

    // MSG-6: missed runs are made up once.
    #[test]
    fn the_next_run_keeps_the_beat_and_skips_what_was_missed() {
        let minute = Schedule::Every(Duration::from_secs(60));
        check(minute, "2026-01-01T10:00:00Z", "2026-01-01T10:00:05Z", "2026-01-01T10:01:00Z");
        check(minute, "2026-01-01T10:00:00Z", "2026-01-01T12:00:05Z", "2026-01-01T12:01:05Z");
        check(minute, "2026-01-01T11:00:00Z", "2026-01-01T10:00:05Z", "2026-01-01T10:01:05Z");
        let night = Schedule::Daily(Time::constant(2, 30, 0, 0));
        check(night, "2026-01-01T02:30:00Z", "2026-01-01T02:30:00Z", "2026-01-02T02:30:00Z");
        check(night, "2026-01-01T02:30:00Z", "2026-01-05T01:00:00Z", "2026-01-05T02:30:00Z");
    }
}
