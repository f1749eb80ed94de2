//! Tax rates by category and time.

use std::{collections::HashMap, sync::Arc};

use db::{DbError, Row};
use jiff::Timestamp;
use kernel::Rate;

/// A rate of a tax category and when it is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaxPeriod {
    pub(crate) category: String,
    pub(crate) rate: Rate,
    pub(crate) valid_from: Timestamp,
    /// Exclusive; `None` for open.
    pub(crate) valid_to: Option<Timestamp>,
}

impl TaxPeriod {
    pub(crate) fn decode(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            category: row.try_get("category")?,
            rate: Rate(row.try_get("rate")?),
            valid_from: row.try_get("valid_from")?,
            valid_to: row.try_get("valid_to")?,
        })
    }

    fn is_valid_at(&self, time: Timestamp) -> bool {
        self.valid_from <= time && self.valid_to.is_none_or(|end| time < end)
    }
}

/// The tax rates of one tenant as they stood when read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxTable {
    periods: HashMap<Box<str>, Vec<TaxPeriod>>,
}

impl TaxTable {
    pub(crate) fn new(periods: impl IntoIterator<Item = TaxPeriod>) -> Self {
        let mut table = Self::default();
        for period in periods {
            table.periods.entry(period.category.as_str().into()).or_default().push(period);
        }
        table
    }

    /// The rate of `category` at `time`; `None` when there is none.
    #[must_use]
    pub fn rate_at(&self, category: &str, time: Timestamp) -> Option<Rate> {
        let periods = self.periods.get(category)?;
        periods.iter().find(|period| period.is_valid_at(time)).map(|period| period.rate)
    }

    /// Whether the category has any rate, at whatever time.
    #[must_use]
    pub fn knows(&self, category: &str) -> bool {
        self.periods.contains_key(category)
    }
}

/// Two places in `periods` whose times overlap within one category.
pub(crate) fn find_overlap(periods: &[TaxPeriod]) -> Option<(usize, usize)> {
    let mut order: Vec<usize> = (0..periods.len()).collect();
    order.sort_by_key(|&place| (&periods[place].category, periods[place].valid_from));
    order.windows(2).find_map(|pair| {
        let (earlier, later) = (&periods[pair[0]], &periods[pair[1]]);
        let overlap =
            earlier.category == later.category && earlier.valid_to.is_none_or(|end| later.valid_from < end);
        overlap.then_some((pair[0], pair[1]))
    })
}

/// The table of a tenant, shared by whoever asks.
pub(crate) type SharedTaxTable = Arc<TaxTable>;

#[cfg(test)]
mod tests {
    use super::*;

    fn period(category: &str, rate: i32, from: i64, to: Option<i64>) -> TaxPeriod {
        let at = |second| Timestamp::from_second(second).unwrap();
        TaxPeriod {
            category: category.to_owned(),
            rate: Rate(rate),
            valid_from: at(from),
            valid_to: to.map(at),
        }
    }

    // SAL-2: rates per tax category with validity dates.
    #[test]
    fn the_rate_is_that_of_the_time_and_the_end_belongs_to_the_next() {
        let table =
            TaxTable::new([period("standard", 1600, 100, Some(200)), period("standard", 1900, 200, None)]);
        let rate = |second| table.rate_at("standard", Timestamp::from_second(second).unwrap());
        assert_eq!(
            [rate(99), rate(100), rate(199), rate(200)],
            [None, Some(Rate(1600)), Some(Rate(1600)), Some(Rate(1900))]
        );
        assert!(table.knows("standard") && !table.knows("zero"));
    }

    #[test]
    fn overlapping_periods_of_one_category_are_found() {
        let fine = [period("b", 1, 0, Some(10)), period("a", 1, 0, None), period("b", 2, 10, None)];
        assert_eq!(find_overlap(&fine), None);
        let open = [period("b", 1, 5, None), period("b", 2, 0, None)];
        assert_eq!(find_overlap(&open), Some((1, 0)));
    }
}
