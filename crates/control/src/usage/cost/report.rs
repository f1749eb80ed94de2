//! Use case: what a tenant's use cost.

use std::collections::BTreeMap;

use db::{ControlTx, DbError, Row};
use jiff::civil::Date;
use kernel::{Currency, Money, Round, Tier, div_round};

use super::{CostLine, CostReport, PriceConfig, UnitPrice, price::find_price};
use crate::{
    ControlConfig,
    tenants::read_tier,
    usage::{Days, facts::read_day},
};

/// How much of something was used on one day.
#[derive(Debug, Clone)]
struct UsedOnDay {
    day: Date,
    tier: Tier,
    item: String,
    quantity: i64,
}

/// What the use of the tenant of that slug cost on `days`, as far as it is added up and counted; `None` when there is no such
/// tenant.
///
/// # Errors
/// [`DbError`]; also when an amount is beyond [`Money::MAX_AMOUNT`].
pub async fn report_costs(
    tx: &ControlTx,
    config: &ControlConfig,
    slug: &str,
    days: Days,
) -> Result<Option<CostReport>, DbError> {
    let Some(known) = tx.query_opt(include_str!("find_settled.sql"), &[&slug]).await? else {
        return Ok(None);
    };
    let rows = tx.query(include_str!("list_used.sql"), &[&slug, &days.first(), &days.last()]).await?;
    let used = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    let currency = config.price_currency.parse().unwrap_or(Currency::EUR);
    let lines = price(used, &config.prices, currency)?;
    let total = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount.amount));
    Ok(Some(CostReport {
        tenant: slug.to_owned(),
        from: days.from(),
        to: days.to(),
        settled_before: read_day(&known, 0)?,
        lines,
        total: Money::new(total.ok_or_else(too_much)?, currency),
    }))
}

fn decode(row: &Row) -> Result<UsedOnDay, DbError> {
    Ok(UsedOnDay {
        day: read_day(row, 0)?,
        tier: read_tier(row.try_get(1)?)?,
        item: row.try_get(2)?,
        quantity: row.try_get(3)?,
    })
}

/// One line for each thing, tier and price; what has no price is a line that costs nothing.
fn price(used: Vec<UsedOnDay>, prices: &[PriceConfig], currency: Currency) -> Result<Vec<CostLine>, DbError> {
    let mut lines: BTreeMap<(String, &str, Option<Date>), CostLine> = BTreeMap::new();
    for UsedOnDay { day, tier, item, quantity } in used {
        let found = find_price(prices, &item, tier, day);
        let key = (item.clone(), tier.as_str(), found.map(|price| price.from));
        let line = lines.entry(key).or_insert_with(|| CostLine {
            item,
            tier,
            from: day,
            to: day,
            quantity: 0,
            price: found.map(|it| UnitPrice { amount: Money::new(it.amount, currency), per: it.per }),
            amount: Money::zero(currency),
        });
        line.from = line.from.min(day);
        line.to = line.to.max(day);
        line.quantity = line.quantity.checked_add(quantity).ok_or_else(too_much)?;
    }
    let mut lines: Vec<CostLine> = lines.into_values().collect();
    for line in &mut lines {
        if let Some(UnitPrice { amount, per }) = line.price {
            let exact = i128::from(line.quantity) * i128::from(amount.amount);
            let rounded = i64::try_from(div_round(exact, i128::from(per), Round::HalfUp));
            line.amount.amount = rounded.ok().filter(|it| *it <= Money::MAX_AMOUNT).ok_or_else(too_much)?;
        }
    }
    Ok(lines)
}

fn too_much() -> DbError {
    DbError::Other("the cost of a tenant is out of range".to_owned())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn used(day: i8, tier: Tier, item: &str, quantity: i64) -> UsedOnDay {
        UsedOnDay { day: date(2026, 11, day), tier, item: item.to_owned(), quantity }
    }

    fn costs(item: &str, from: i8, amount: i64, per: i64) -> PriceConfig {
        PriceConfig { item: item.to_owned(), tier: Tier::Standard, from: date(2026, 11, from), amount, per }
    }

    // PLT-8
    #[test]
    fn each_price_has_its_line_and_what_has_none_costs_nothing() {
        let prices = [costs("sale", 1, 5, 1), costs("sale", 11, 4, 1), costs("calls", 1, 50, 1000)];
        let standard = |day, item, quantity| used(day, Tier::Standard, item, quantity);
        let days = vec![
            standard(9, "sale", 3),
            standard(10, "sale", 1),
            standard(11, "sale", 10),
            standard(9, "calls", 1_009),
            standard(9, "messages", 7),
            used(12, Tier::Free, "sale", 2),
        ];
        let lines = price(days, &prices, Currency::EUR).unwrap();
        let told: Vec<_> = lines
            .iter()
            .map(|line| (&*line.item, line.from.day(), line.to.day(), line.quantity, line.amount.amount))
            .collect();
        // 50.45 cents are 50.
        let wanted = [
            ("calls", 9, 9, 1_009, 50),
            ("messages", 9, 9, 7, 0),
            ("sale", 12, 12, 2, 0),
            ("sale", 9, 10, 4, 20),
            ("sale", 11, 11, 10, 40),
        ];
        assert_eq!(told, wanted);
        assert_eq!(lines.iter().filter(|line| line.price.is_none()).count(), 2);
    }

    // PLT-8
    #[test]
    fn what_no_amount_can_hold_is_an_error_and_no_wrong_amount() {
        let days = vec![used(1, Tier::Standard, "sale", i64::MAX)];
        assert!(price(days, &[costs("sale", 1, 100, 1)], Currency::EUR).is_err());
    }

    proptest! {
        // PLT-8
        #[test]
        fn a_line_is_never_more_than_half_a_cent_from_the_exact_amount(
            quantities in prop::collection::vec(0_i64..1_000_000_000_000, 1..30),
            amount in 0_i64..100_000, per in 1_i64..10_000_000_000,
        ) {
            let days = quantities.iter().enumerate();
            let days = days.map(|(at, quantity)| used(i8::try_from(at % 28 + 1).unwrap(), Tier::Standard, "calls", *quantity));
            let lines = price(days.collect(), &[costs("calls", 1, amount, per)], Currency::EUR);
            let sum: i128 = quantities.iter().map(|quantity| i128::from(*quantity)).sum();
            let exact = sum * i128::from(amount);
            match lines {
                Ok(lines) => {
                    prop_assert_eq!(lines.len(), 1);
                    let off = i128::from(lines[0].amount.amount) * i128::from(per) - exact;
                    prop_assert!(2 * off.abs() <= i128::from(per));
                }
                Err(_) => prop_assert!(exact / i128::from(per) >= i128::from(Money::MAX_AMOUNT)),
            }
        }
    }
}
