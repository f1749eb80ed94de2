//! Use case: what was taken and given back on one day, per provider and currency.

use db::{DbError, Row, TenantTx};
use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use kernel::{Money, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{settle_payments::read_money, test_provider::TEST_PROVIDER};

/// A number of payments and their sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Total {
    /// How many.
    pub count: i64,
    /// Together.
    pub amount: Money,
}

/// What the provider's own ledger says about the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LedgerTotals {
    /// Taken.
    pub charged: Total,
    /// Given back.
    pub refunded: Total,
    /// Payments about which the books and the ledger disagree.
    pub differences: i64,
}

/// One provider and currency on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DayTotals {
    /// The provider's name.
    pub provider: String,
    /// Taken on the day.
    pub charged: Total,
    /// Gone back on the day.
    pub refunded: Total,
    /// Refused or cancelled on the day.
    pub failed: Total,
    /// Opened on the day and not settled by now.
    pub unknown: Total,
    /// What the provider says; only of providers whose ledger can be read.
    pub ledger: Option<LedgerTotals>,
}

/// The day's first moment and that of the next day, in the merchant's time zone; UTC when that is not known.
///
/// # Errors
/// When the day is outside of what can be reckoned with, as the last days of the year 9999 are.
pub(crate) fn bounds_of(day: Date, time_zone: &str) -> Result<(Timestamp, Timestamp), jiff::Error> {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let next = day.checked_add(1.day())?;
    Ok((day.to_zoned(zone.clone())?.timestamp(), next.to_zoned(zone)?.timestamp()))
}

/// What happened from `from` until `to`.
///
/// # Errors
/// [`DbError`].
pub async fn report_day(tx: &TenantTx, from: Timestamp, to: Timestamp) -> Result<Vec<DayTotals>, DbError> {
    let rows = tx.query(include_str!("report_day.sql"), &[&tx.tenant_id(), &from, &to]).await?;
    let mut totals = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    for row in tx.query(include_str!("report_test_ledger.sql"), &[&tx.tenant_id(), &from, &to]).await? {
        let (currency, ledger) = decode_ledger(&row)?;
        let same = |line: &&mut DayTotals| {
            line.provider == TEST_PROVIDER && line.charged.amount.currency.as_str() == currency
        };
        match totals.iter_mut().find(same) {
            Some(line) => line.ledger = Some(ledger),
            None => totals.push(only_in_ledger(ledger)),
        }
    }
    Ok(totals)
}

/// The ledger knows of charges of which the books know nothing.
fn only_in_ledger(ledger: LedgerTotals) -> DayTotals {
    let none = || Total { count: 0, amount: Money::zero(ledger.charged.amount.currency) };
    let (charged, refunded, failed, unknown) = (none(), none(), none(), none());
    DayTotals { provider: TEST_PROVIDER.to_owned(), charged, refunded, failed, unknown, ledger: Some(ledger) }
}

fn decode(row: &Row) -> Result<DayTotals, DbError> {
    let currency: &str = row.try_get(1)?;
    let total = |at: usize| -> Result<Total, DbError> {
        Ok(Total { count: row.try_get(at)?, amount: read_money(row.try_get(at + 1)?, currency)? })
    };
    Ok(DayTotals {
        provider: row.try_get(0)?,
        charged: total(2)?,
        refunded: total(4)?,
        failed: total(6)?,
        unknown: total(8)?,
        ledger: None,
    })
}

fn decode_ledger(row: &Row) -> Result<(&str, LedgerTotals), DbError> {
    let currency: &str = row.try_get(0)?;
    let total = |at: usize| -> Result<Total, DbError> {
        Ok(Total { count: row.try_get(at)?, amount: read_money(row.try_get(at + 1)?, currency)? })
    };
    let ledger = LedgerTotals { charged: total(1)?, refunded: total(3)?, differences: row.try_get(5)? };
    Ok((currency, ledger))
}

#[cfg(test)]
mod tests {
    use super::*;

    // PAY-2
    #[test]
    fn a_day_is_the_merchants_day_also_when_the_clocks_change() {
        let hours = |day: Date, zone: &str| {
            let (from, to) = bounds_of(day, zone).unwrap();
            (to.as_second() - from.as_second()) / 3600
        };
        let date = |year, month, day| Date::new(year, month, day).unwrap();
        assert_eq!(hours(date(2026, 3, 29), "Europe/Vienna"), 23);
        assert_eq!(hours(date(2026, 10, 25), "Europe/Vienna"), 25);
        assert_eq!(hours(date(2026, 10, 25), "Nowhere/Else"), 24);
        assert!(bounds_of(Date::MAX, "UTC").is_err());
    }
}
