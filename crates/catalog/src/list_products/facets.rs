//! Facets: how the matches spread over categories, prices, attributes and availability.

use std::collections::BTreeMap;

use db::{DbError, Stmt, TenantTx};
use kernel::Currency;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    filter::{ProductFilter, Way},
    wanted::Wanted,
};
use crate::terms::category_paths;

/// Matches that facets are counted over, at most.
const COUNTED_MOST: i32 = 10_000;
/// Entries shown of each facet.
const SHOWN_MOST: usize = 50;

/// How the matches spread; counted over the first 10,000 of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Facets {
    /// Category paths with the products in and below them, the fullest first.
    #[schema(max_items = 50)]
    pub categories: Vec<CategoryFacet>,
    /// Ranges of prices that hold a product, the cheapest first.
    #[schema(max_items = 50)]
    pub prices: Vec<PriceFacet>,
    /// Values of attributes, the most frequent first.
    #[schema(max_items = 50)]
    pub attributes: Vec<AttributeFacet>,
    /// Matches that may be sold.
    pub active: i64,
    /// Matches that may not.
    pub inactive: i64,
    /// Matches that were counted.
    pub counted: i64,
    /// Whether all matches were counted.
    pub complete: bool,
}

/// A category among the matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CategoryFacet {
    /// Its path.
    pub category: String,
    /// Matches in and below it.
    pub products: i64,
}

/// A range of prices among the matches, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriceFacet {
    /// From this price on.
    pub from: i64,
    /// Below this price; null for no end.
    pub to: Option<i64>,
    /// Matches.
    pub products: i64,
}

/// A value of an attribute among the matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttributeFacet {
    /// The attribute.
    pub name: String,
    /// Its value, as text.
    pub value: String,
    /// Matches.
    pub products: i64,
}

/// Counts the facets of the matches.
pub(super) async fn count_facets(
    tx: &TenantTx,
    filter: &ProductFilter,
    wanted: &Wanted,
    way: Way,
) -> Result<Facets, DbError> {
    let steps = price_steps(tx.ctx().tenant.currency);
    let stmt = Stmt::new(include_str!("count_facets.sql"))
        .bind(tx.tenant_id())
        .bind(wanted.query.clone())
        .bind(filter.active)
        .bind(filter.price_min)
        .bind(filter.price_max)
        .bind(COUNTED_MOST)
        .bind(steps.clone())
        .bind(way == Way::Gather);
    let mut facets = Facets::default();
    let mut categories: BTreeMap<String, i64> = BTreeMap::new();
    for row in tx.run(stmt).await? {
        let (value, products): (String, i64) = (row.try_get("value")?, row.try_get("products")?);
        match row.try_get("kind")? {
            "category" => category_paths(&value)
                .for_each(|path| *categories.entry(path.to_owned()).or_default() += products),
            "price" => facets.prices.extend(price_facet(&steps, &value, products)),
            "active" if value == "true" => facets.active = products,
            "active" => facets.inactive = products,
            _ => facets.attributes.extend(attribute_facet(&value, products)),
        }
    }
    facets.prices.sort_by_key(|range| range.from);
    facets.attributes.truncate(SHOWN_MOST);
    facets.categories =
        categories.into_iter().map(|(category, products)| CategoryFacet { category, products }).collect();
    facets.categories.sort_by_key(|facet| -facet.products);
    facets.categories.truncate(SHOWN_MOST);
    facets.counted = facets.active + facets.inactive;
    facets.complete = facets.counted < i64::from(COUNTED_MOST);
    Ok(facets)
}

fn attribute_facet(value: &str, products: i64) -> Option<AttributeFacet> {
    let (name, value) = value.split_once('=')?;
    Some(AttributeFacet { name: name.to_owned(), value: value.to_owned(), products })
}

/// Starts of price ranges in minor units: 1, 2, 5, 10 and so on of the major unit.
fn price_steps(currency: Currency) -> Vec<i64> {
    let unit = 10_i64.pow(currency.decimals());
    let mut steps = vec![0];
    for power in 0..6 {
        steps.extend([1, 2, 5].map(|step| step * 10_i64.pow(power) * unit));
    }
    steps
}

/// `place` counts from 1, as PostgreSQL's `width_bucket` does.
fn price_facet(steps: &[i64], place: &str, products: i64) -> Option<PriceFacet> {
    let place: usize = place.parse().ok()?;
    let from = *steps.get(place.checked_sub(1)?)?;
    Some(PriceFacet { from, to: steps.get(place).copied(), products })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_ranges_meet_without_gaps_and_the_last_is_open() {
        let steps = price_steps(Currency::EUR);
        assert_eq!(steps[..4], [0, 100, 200, 500]);
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(price_facet(&steps, "1", 3), Some(PriceFacet { from: 0, to: Some(100), products: 3 }));
        assert_eq!(price_facet(&steps, &steps.len().to_string(), 3).unwrap().to, None);
        assert_eq!(price_facet(&steps, "0", 3), None);
    }
}
