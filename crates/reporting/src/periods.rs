//! Days and months of the merchant as stretches between moments.

use jiff::{Timestamp, ToSpan as _, civil::Date};

use crate::range::{Range, begin_of};

/// How long periods are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodUnit {
    /// A day of the merchant's time zone; 23 or 25 hours when clocks change.
    Day,
    /// A month.
    Month,
}

impl PeriodUnit {
    fn first_day(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Month => day.first_of_month(),
        }
    }

    fn next(self, day: Date) -> Date {
        match self {
            Self::Day => day.saturating_add(1.day()),
            Self::Month => day.saturating_add(1.month()),
        }
    }

    /// `2026-11-21` or `2026-11`.
    fn name(self, day: Date) -> String {
        match self {
            Self::Day => day.to_string(),
            Self::Month => format!("{:04}-{:02}", day.year(), day.month()),
        }
    }

    /// The first day of the period of that name.
    fn parse(self, name: &str) -> Option<Date> {
        match self {
            Self::Day => name.parse().ok(),
            Self::Month => format!("{name}-01").parse().ok(),
        }
    }
}

/// The periods that a range touches, in order, numbered from 1. Bounded by the range, at most about 84,000 days.
#[derive(Debug, Clone)]
pub struct Periods {
    unit: PeriodUnit,
    first_days: Vec<Date>,
    begins: Vec<Timestamp>,
}

impl Periods {
    /// Every period that has a moment in `range`.
    #[must_use]
    pub fn of(range: &Range, unit: PeriodUnit) -> Self {
        let mut day = unit.first_day(range.from.to_zoned(range.zone.clone()).date());
        let (mut first_days, mut begins) = (Vec::new(), Vec::new());
        loop {
            let begin = begin_of(day, &range.zone);
            if begin >= range.to && !begins.is_empty() {
                break;
            }
            // A day that a zone leaves out altogether (Samoa, 2011-12-30) begins when the next one does.
            if begins.last() != Some(&begin) {
                first_days.push(day);
                begins.push(begin);
            }
            day = unit.next(day);
        }
        Self { unit, first_days, begins }
    }

    /// The moments they begin at, ascending; the first is at or before the range.
    #[must_use]
    pub fn begins(&self) -> &[Timestamp] {
        &self.begins
    }

    /// What the period with this number is called: `2026-11-21` or `2026-11`.
    #[must_use]
    pub fn name(&self, number: usize) -> Option<String> {
        let day = self.first_days.get(number.checked_sub(1)?)?;
        Some(self.unit.name(*day))
    }

    /// When the period after the one of that name begins; `None` for what is no name of a period.
    #[must_use]
    pub fn end_of(name: &str, unit: PeriodUnit, range: &Range) -> Option<Timestamp> {
        Some(begin_of(unit.next(unit.parse(name)?), &range.zone))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::When;

    fn range(from: &str, to: &str, zone: &str) -> Range {
        let when = |text: &str| Some(text.parse::<When>().unwrap());
        Range::new(when(from), when(to), zone, Timestamp::UNIX_EPOCH).unwrap()
    }

    // REP-5
    #[test]
    fn days_follow_the_clocks_of_the_merchant() {
        let days = Periods::of(&range("2026-03-28", "2026-03-30", "Europe/Berlin"), PeriodUnit::Day);
        let hours: Vec<i64> =
            days.begins().windows(2).map(|pair| (pair[1].as_second() - pair[0].as_second()) / 3600).collect();
        assert_eq!(hours, [24, 23]);
        assert_eq!(days.name(3).as_deref(), Some("2026-03-30"));
        assert_eq!((days.name(0), days.name(4)), (None, None));
        let skipped = Periods::of(&range("2011-12-29", "2011-12-31", "Pacific/Apia"), PeriodUnit::Day);
        assert_eq!(skipped.begins().len(), 2);
    }

    // REP-5
    #[test]
    fn a_range_within_a_month_has_that_month() {
        let months = Periods::of(&range("2026-02-10", "2026-03-01", "Asia/Tokyo"), PeriodUnit::Month);
        assert_eq!(
            (months.name(1).as_deref(), months.name(2).as_deref()),
            (Some("2026-02"), Some("2026-03"))
        );
        assert_eq!(months.begins().len(), 2);
        assert_eq!(months.begins()[0].to_string(), "2026-01-31T15:00:00Z");
    }

    proptest! {
        // REP-5
        #[test]
        fn periods_ascend_and_cover_the_range(
            from in 0..3_000_000_000_i64,
            days in 0..800_i64,
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Africa/Cairo"]),
            month: bool,
        ) {
            let unit = if month { PeriodUnit::Month } else { PeriodUnit::Day };
            let moment = |second| Some(When::Moment(Timestamp::from_second(second).unwrap()));
            let range = Range::new(moment(from), moment(from + days * 86_400), zone, Timestamp::UNIX_EPOCH).unwrap();
            let periods = Periods::of(&range, unit);
            prop_assert!(periods.begins().is_sorted_by(|a, b| a < b));
            prop_assert!(periods.begins()[0] <= range.from);
            let last = periods.begins().len();
            let name = periods.name(last).unwrap();
            prop_assert!(Periods::end_of(&name, unit, &range).unwrap() >= range.to);
        }
    }
}
