//! What the reports must add up to, straight from the raw file: a second opinion that shares no arithmetic with the
//! conversion. It never looks at quantities, prices or discounts, only at what was received.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use serde::Serialize;

use super::{
    decimal::{EXACT_PLACES, exact, round_div},
    raw::{Line, Product},
    rows::department,
};

/// Sums of `sales_value` in minor units.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Totals {
    currency: &'static str,
    lines: usize,
    sales: usize,
    total: i64,
    by_month: BTreeMap<String, i64>,
    by_shop: BTreeMap<String, i64>,
    by_department: BTreeMap<String, i64>,
}

/// Adds up exactly and rounds each sum once at the end.
pub(super) fn totals(lines: &[Line], products: &HashMap<&str, &Product>) -> Result<Totals> {
    let mut total = 0_i128;
    let (mut months, mut shops, mut departments) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut baskets = std::collections::BTreeSet::new();
    for line in lines {
        let value = exact(&line.sales_value)?;
        let month: String = line.transaction_timestamp.chars().take(7).collect();
        let department = department(products.get(line.product_id.as_str()).copied());
        total += value;
        *months.entry(month).or_insert(0) += value;
        *shops.entry(line.store_id.clone()).or_insert(0) += value;
        *departments.entry(department).or_insert(0) += value;
        baskets.insert(line.basket_id.as_str());
    }
    Ok(Totals {
        currency: "USD",
        lines: lines.len(),
        sales: baskets.len(),
        total: to_cents(total)?,
        by_month: all_cents(months)?,
        by_shop: all_cents(shops)?,
        by_department: all_cents(departments)?,
    })
}

fn all_cents(sums: BTreeMap<String, i128>) -> Result<BTreeMap<String, i64>> {
    sums.into_iter().map(|(key, sum)| Ok((key, to_cents(sum)?))).collect()
}

fn to_cents(sum: i128) -> Result<i64> {
    Ok(i64::try_from(round_div(sum, 10_i128.pow(EXACT_PLACES - 2)))?)
}

impl Totals {
    pub(super) fn total(&self) -> i64 {
        self.total
    }
}
