//! The price list.

use std::sync::Arc;

use jiff::civil::Date;
use kernel::{Currency, Money, Tier};
use serde::{Deserialize, Serialize};

use crate::{ControlConfig, usage::BillableFacts};

/// What is measured and may have a price, beside the facts of domains.
const MEASURED: [&str; 9] = [
    "calls",
    "received_bytes",
    "sent_bytes",
    "worked_us",
    "messages",
    "database_us",
    "moved_rows",
    "stored_row_days",
    "stored_byte_days",
];
/// The most prices of a list.
const MOST_PRICES: usize = 1000;

/// What something costs a tier from some day on, until a later one says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceConfig {
    /// What: a measured quantity (`calls`, `received_bytes`, `sent_bytes`, `worked_us`, `messages`, `database_us`,
    /// `moved_rows`, `stored_row_days`,
    /// `stored_byte_days`) or a kind of billable facts (`sale`, `order`).
    pub item: String,
    /// For tenants of this tier.
    pub tier: Tier,
    /// From this day (UTC) on.
    pub from: Date,
    /// So many minor units of the price list's currency; 0 is for nothing.
    pub amount: i64,
    /// For so many.
    pub per: i64,
}

/// Refuses price lists that cannot work: a sentence that names what is wrong.
pub(crate) fn check_prices(config: &ControlConfig, facts: &[Arc<dyn BillableFacts>]) -> Result<(), String> {
    let (currency, prices) = (&config.price_currency, &config.prices);
    currency.parse::<Currency>().map_err(|error| format!("control.price_currency: {error}"))?;
    if prices.len() > MOST_PRICES {
        return Err(format!("control.prices may have at most {MOST_PRICES} entries, not {}", prices.len()));
    }
    for (at, price) in prices.iter().enumerate() {
        let item = &*price.item;
        if !MEASURED.contains(&item) && !facts.iter().any(|facts| facts.kind() == item) {
            let kinds = MEASURED.into_iter().chain(facts.iter().map(|facts| facts.kind()));
            let known = kinds.collect::<Vec<_>>().join(", ");
            return Err(format!("control.prices: the item {item} is none of {known}"));
        }
        if !(0..=Money::MAX_AMOUNT).contains(&price.amount) || price.per < 1 {
            return Err(format!("control.prices: {item} must cost at least 0 for at least 1"));
        }
        let same =
            |other: &PriceConfig| (&*other.item, other.tier, other.from) == (item, price.tier, price.from);
        if prices[..at].iter().any(same) {
            return Err(format!("control.prices: {item} has two prices from {} on", price.from));
        }
    }
    Ok(())
}

/// The price of `item` for `tier` on `day`.
pub(super) fn find_price<'a>(
    prices: &'a [PriceConfig],
    item: &str,
    tier: Tier,
    day: Date,
) -> Option<&'a PriceConfig> {
    let valid = |price: &&PriceConfig| price.item == item && price.tier == tier && price.from <= day;
    prices.iter().filter(valid).max_by_key(|price| price.from)
}
