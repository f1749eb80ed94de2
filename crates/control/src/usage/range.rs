//! Which days are asked for.

use db::DbError;
use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use kernel::Timestamp;

/// The most days that can be asked for at once.
const MOST_DAYS: i32 = 366;

/// Whole days in UTC, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    from: Date,
    to: Date,
}

/// Why there are no such days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DaysError {
    /// They end before they begin.
    #[error("must not be before from")]
    Backwards,
    /// They are too many, or of no year that the database knows.
    #[error("at most 366 days, of the years 1 to 9998")]
    TooMany,
}

impl Days {
    /// The days from `from` to `to`; without them the month so far.
    ///
    /// # Errors
    /// [`DaysError`].
    pub fn new(from: Option<Date>, to: Option<Date>, now: Timestamp) -> Result<Self, DaysError> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let to = to.unwrap_or_else(|| from.map_or(today, |from| from.max(today)));
        let from = from.unwrap_or_else(|| to.first_of_month());
        if to < from {
            return Err(DaysError::Backwards);
        }
        let known = |day: Date| (1..9999).contains(&day.year());
        let last = from.checked_add(MOST_DAYS.days()).map_err(|_| DaysError::TooMany)?;
        if to < last && known(from) && known(to) { Ok(Self { from, to }) } else { Err(DaysError::TooMany) }
    }

    /// The first day.
    #[must_use]
    pub fn from(self) -> Date {
        self.from
    }

    /// The last day.
    #[must_use]
    pub fn to(self) -> Date {
        self.to
    }

    /// The first day as text.
    pub(super) fn first(self) -> String {
        self.from.to_string()
    }

    /// The last day as text.
    pub(super) fn last(self) -> String {
        self.to.to_string()
    }
}

/// The moments at which `first` begins and `last` has ended (UTC).
pub(super) fn moments(first: Date, last: Date) -> Result<(Timestamp, Timestamp), DbError> {
    let begin = |day: Date| day.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    let end = last.checked_add(1.day());
    let moments = begin(first).and_then(|first| Ok((first, end.and_then(begin)?)));
    moments.map_err(|error| DbError::Other(format!("days from {first} to {last}: {error}")))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_are_a_bounded_stretch_and_the_month_so_far_when_nothing_is_said() {
        let now: Timestamp = "2026-11-21T23:59:59Z".parse().unwrap();
        let days = Days::new(None, None, now).unwrap();
        assert_eq!((days.first(), days.last()), ("2026-11-01".to_owned(), "2026-11-21".to_owned()));
        let only = Days::new(Some(date(2026, 11, 20)), None, now).unwrap();
        assert_eq!(only.last(), "2026-11-21");
        let (from, to) = (Some(date(2026, 1, 1)), Some(date(2027, 1, 1)));
        assert!(Days::new(from, to, now).is_ok());
        assert_eq!(Days::new(from, Some(date(2027, 1, 2)), now), Err(DaysError::TooMany));
        assert_eq!(Days::new(to, from, now), Err(DaysError::Backwards));
        for strange in [date(9999, 12, 31), date(0, 1, 1), date(-1, 1, 1)] {
            assert_eq!(Days::new(Some(strange), Some(strange), now), Err(DaysError::TooMany));
        }
    }
}
