//! Which stretch of time a report covers, in the days of the merchant.

use std::{borrow::Cow, str::FromStr};

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, de::Error as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, OneOfBuilder, RefOr, Schema,
        schema::{KnownFormat, SchemaFormat, Type},
    },
};

/// A day in the merchant's time zone, or a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// `2026-11-21`.
    Day(Date),
    /// `2026-11-21T10:15:00Z`.
    Moment(Timestamp),
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = "must be a day (2026-11-21) or a time (2026-11-21T10:15:00Z)";
        if text.len() == 10 {
            text.parse().map(Self::Day).map_err(|_| refused)
        } else {
            text.parse().map(Self::Moment).map_err(|_| refused)
        }
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl PartialSchema for When {
    fn schema() -> RefOr<Schema> {
        let text = |format| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(format)))
                .build()
        };
        OneOfBuilder::new().item(text(KnownFormat::Date)).item(text(KnownFormat::DateTime)).into()
    }
}

impl ToSchema for When {}

/// Why there is no such stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// It ends before it begins.
    #[error("the end lies before the beginning")]
    Backwards,
    /// The merchant's settings name a time zone that this program does not know.
    #[error("the merchant's time zone is not known")]
    UnknownZone,
}

/// A stretch of time: from `from` on, before `to`.
#[derive(Debug, Clone)]
pub struct Range {
    /// The first moment in it.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// Whose days and months are meant.
    pub zone: TimeZone,
}

/// Years beyond which nobody sells; they bound what is computed, not what may be asked.
const FIRST_YEAR: i16 = 1970;
const LAST_YEAR: i16 = 2200;

impl Range {
    /// From the beginning of `from` to the end of `to`: a day counts whole, a moment as it is.
    ///
    /// Without `from` it begins with the month of `now`, without `to` it ends with the day of `now`.
    ///
    /// # Errors
    /// [`RangeError`].
    pub fn new(from: Option<When>, to: Option<When>, zone: &str, now: Timestamp) -> Result<Self, RangeError> {
        let zone = TimeZone::get(zone).map_err(|_| RangeError::UnknownZone)?;
        let today = now.to_zoned(zone.clone()).date();
        let begin = match from.unwrap_or(When::Day(today.first_of_month())) {
            When::Day(day) => begin_of(day, &zone),
            When::Moment(moment) => moment,
        };
        let end = match to.unwrap_or(When::Day(today)) {
            When::Day(day) => begin_of(day.saturating_add(1.day()), &zone),
            When::Moment(moment) => moment,
        };
        // A day counts whole, so that a last day just before the first one ends where that begins.
        let days = matches!((from, to), (None | Some(When::Day(_)), None | Some(When::Day(_))));
        if end < begin || (days && end == begin) {
            return Err(RangeError::Backwards);
        }
        let year = |year| begin_of(Date::constant(year, 1, 1), &TimeZone::UTC);
        let bounded = |moment: Timestamp| moment.clamp(year(FIRST_YEAR), year(LAST_YEAR));
        Ok(Self { from: bounded(begin), to: bounded(end), zone })
    }

    /// The part of it that reaches from the sale at `first` to the one at `last`.
    #[must_use]
    pub fn narrowed(&self, first: Timestamp, last: Timestamp) -> Self {
        let after_last = last.checked_add(SignedDuration::from_micros(1)).unwrap_or(self.to);
        Self { from: self.from.max(first), to: self.to.min(after_last), zone: self.zone.clone() }
    }
}

/// When `day` begins in `zone`; where clocks jump over midnight, when they have jumped.
pub(crate) fn begin_of(day: Date, zone: &TimeZone) -> Timestamp {
    let far = if day.year() < FIRST_YEAR { Timestamp::MIN } else { Timestamp::MAX };
    day.to_zoned(zone.clone()).map_or(far, |begin| begin.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, to: &str, zone: &str) -> Result<(String, String), RangeError> {
        let now = "2026-11-21T23:30:00Z".parse().unwrap();
        let when = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        Range::new(when(from), when(to), zone, now)
            .map(|range| (range.from.to_string(), range.to.to_string()))
    }

    // REP-5
    #[test]
    fn days_are_those_of_the_merchant_and_count_whole() {
        let days = range("2026-03-29", "2026-03-29", "Europe/Berlin").unwrap();
        assert_eq!(days, ("2026-03-28T23:00:00Z".into(), "2026-03-29T22:00:00Z".into()));
        let this_month = range("", "", "Europe/Berlin").unwrap();
        assert_eq!(this_month, ("2026-10-31T23:00:00Z".into(), "2026-11-22T23:00:00Z".into()));
        let moments = range("2026-01-01T10:00:00Z", "2026-01-01T11:00:00+01:00", "Asia/Tokyo").unwrap();
        assert_eq!(moments.0, moments.1);
    }

    // HTTP-8
    #[test]
    fn what_is_no_stretch_of_time_is_refused_and_absurd_years_are_cut() {
        assert_eq!(range("2026-01-02", "2026-01-01T00:00:00Z", "UTC"), Err(RangeError::Backwards));
        assert_eq!(range("2026-01-02", "2026-01-01", "UTC"), Err(RangeError::Backwards));
        assert_eq!(range("", "", "Mars/Olympus"), Err(RangeError::UnknownZone));
        let all = range("0001-01-01", "9999-12-31", "UTC").unwrap();
        assert_eq!(all, ("1970-01-01T00:00:00Z".into(), "2200-01-01T00:00:00Z".into()));
        for text in ["", "2026-13-01", "2026-1-1", "yesterday", "2026-11-21T10:15:00", "-009999-01-01"] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
    }
}
