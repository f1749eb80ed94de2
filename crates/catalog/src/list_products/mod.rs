//! Use case: lists of products: filtered, searched, sorted, in pages, with facets and an estimate of the total.

mod facets;
mod filter;
mod pages;
mod tsquery;
mod typos;
mod wanted;
mod words;

use db::{DbError, TenantTx};

pub use facets::{AttributeFacet, CategoryFacet, Facets, PriceFacet};
use filter::Hit;
pub(crate) use filter::{Key, ProductFilter, Sort};
use wanted::{Wanted, find_wanted};

use crate::{
    model::StoredProduct,
    terms::{ALL_PRODUCTS, Kind},
};

/// What is wanted beside the products.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Extras {
    pub(crate) facets: bool,
    pub(crate) total: bool,
}

/// One page.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) products: Vec<StoredProduct>,
    pub(crate) next: Option<Key>,
    pub(crate) facets: Option<Facets>,
    pub(crate) total: Option<i64>,
}

/// Finds a page of products.
pub(crate) async fn list_products(
    tx: &TenantTx,
    filter: &ProductFilter,
    extras: Extras,
) -> Result<Found, DbError> {
    let wanted = find_wanted(tx, filter).await?;
    if wanted.is_hopeless {
        return Ok(Found {
            total: extras.total.then_some(0),
            facets: extras.facets.then(|| Facets { complete: true, ..Facets::default() }),
            ..Found::default()
        });
    }
    let way = pages::way_of(filter, &wanted);
    let mut hits = pages::find_page(tx, filter, &wanted, way).await?;
    let take = usize::try_from(filter.take).unwrap_or(0);
    let more = hits.len() > take;
    hits.truncate(take);
    let next = hits.last().filter(|_| more).map(|last| last.key(way, filter.sort));
    let facets = match extras.facets {
        true => Some(facets::count_facets(tx, filter, &wanted, way).await?),
        false => None,
    };
    let total = match extras.total {
        // All of them are on this page.
        true if filter.after.is_none() && next.is_none() => Some(hits.len() as i64),
        true => Some(estimate_total(tx, filter, &wanted).await?),
        false => None,
    };
    Ok(Found { products: hits.into_iter().map(|hit: Hit| hit.product).collect(), next, facets, total })
}

/// About how many match: exact without filters, by category or by one attribute; an upper bound otherwise.
async fn estimate_total(tx: &TenantTx, filter: &ProductFilter, wanted: &Wanted) -> Result<i64, DbError> {
    let row = tx
        .query_opt(include_str!("count_all.sql"), &[&tx.tenant_id(), &Kind::Product.letter(), &ALL_PRODUCTS])
        .await?;
    let Some(row) = row else { return Ok(0) };
    let (products, active): (i64, i64) = (row.try_get("products")?, row.try_get("active")?);
    let all = if filter.active == Some(true) { active } else { products };
    Ok(wanted.estimate.map_or(all, |estimate| estimate.min(all)))
}
