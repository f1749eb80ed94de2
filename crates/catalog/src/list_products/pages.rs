//! Two ways to a page: gather the matches and sort them, or walk along an index and filter.

use db::{DbError, Stmt, TenantTx};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    filter::{Hit, Key, ProductFilter, Sort, Way},
    wanted::Wanted,
};

/// Up to so many matches are gathered; more are walked, where a full page is never far.
const GATHERED_MOST: i64 = 10_000;
/// Products with the very code typed that come before a broad search; a SKU has one, a barcode few.
const CODES_FIRST: i64 = 10;

/// The way to the first page; later pages keep to it.
pub(super) fn way_of(filter: &ProductFilter, wanted: &Wanted) -> Way {
    match (&filter.after, wanted.estimate) {
        (Some(Key(way, ..)), _) if *way == Way::Walk || wanted.query.is_some() => *way,
        (_, Some(estimate)) if estimate <= GATHERED_MOST && wanted.query.is_some() => Way::Gather,
        _ => Way::Walk,
    }
}

/// The products of the page in order, one more than asked for if another page follows.
pub(super) async fn find_page(
    tx: &TenantTx,
    filter: &ProductFilter,
    wanted: &Wanted,
    way: Way,
) -> Result<Vec<Hit>, DbError> {
    match way {
        Way::Gather => gather(tx, filter, wanted, filter.take + 1).await,
        Way::Walk if filter.sort == Sort::Relevance => walk_from_codes(tx, filter, wanted).await,
        Way::Walk => walk(tx, filter, wanted, None, filter.take + 1).await,
    }
}

/// A broad search by relevance: the products with that very code first, then by name.
async fn walk_from_codes(
    tx: &TenantTx,
    filter: &ProductFilter,
    wanted: &Wanted,
) -> Result<Vec<Hit>, DbError> {
    let mut hits = Vec::new();
    if wanted.code_is.is_some() && filter.after.is_none() {
        hits = gather(tx, filter, &wanted.with_code_only(), filter.take.min(CODES_FIRST)).await?;
    }
    let room = filter.take + 1 - hits.len() as i64;
    hits.extend(walk(tx, filter, wanted, wanted.code.as_deref(), room).await?);
    Ok(hits)
}

async fn gather(
    tx: &TenantTx,
    filter: &ProductFilter,
    wanted: &Wanted,
    take: i64,
) -> Result<Vec<Hit>, DbError> {
    let (number, text, id) = match &filter.after {
        Some(Key(_, _, number, text, id)) => (*number, text.clone(), Some(*id)),
        None => (0, String::new(), None),
    };
    let stmt = Stmt::new(include_str!("gather.sql"))
        .bind(tx.tenant_id())
        .bind(wanted.query.clone())
        .bind(wanted.ranked.clone())
        .bind(wanted.typed.clone())
        .bind(wanted.code_is.clone())
        .bind(wanted.code_begins.clone())
        .bind(filter.active)
        .bind(filter.price_min)
        .bind(filter.price_max)
        .bind(filter.sort.name())
        .bind(number)
        .bind(text)
        .bind(id)
        .bind(i32::try_from(take).unwrap_or(1));
    tx.run(stmt).await?.iter().map(Hit::decode).collect()
}

/// Follows the index of the order from behind the last page; `not_code` leaves out what was shown before everything.
async fn walk(
    tx: &TenantTx,
    filter: &ProductFilter,
    wanted: &Wanted,
    not_code: Option<&str>,
    take: i64,
) -> Result<Vec<Hit>, DbError> {
    let after = filter.after.as_ref();
    let number = |first: i64| after.map_or(first, |key| key.2);
    let text = |first: &str| after.map_or_else(|| first.to_owned(), |key| key.3.clone());
    let up = after.map_or(Uuid::nil(), |key| key.4);
    let down = after.map_or(Uuid::max(), |key| key.4);
    let time = |first: Timestamp| match after {
        Some(key) => Timestamp::from_microsecond(key.2).unwrap_or(first),
        None => first,
    };
    let tenant = tx.tenant_id();
    let above = super::wanted::LAST_LETTER;
    let stmt = match filter.sort {
        Sort::Name | Sort::Relevance => {
            Stmt::new(include_str!("walk_by_name.sql")).bind(tenant).bind(text("")).bind(up)
        }
        Sort::NameDown => {
            Stmt::new(include_str!("walk_by_name_desc.sql")).bind(tenant).bind(text(above)).bind(down)
        }
        Sort::Price => Stmt::new(include_str!("walk_by_price.sql")).bind(tenant).bind(number(-1)).bind(up),
        Sort::PriceDown => {
            Stmt::new(include_str!("walk_by_price_desc.sql")).bind(tenant).bind(number(i64::MAX)).bind(down)
        }
        Sort::UpdatedAt => Stmt::new(include_str!("walk_by_updated_at.sql"))
            .bind(tenant)
            .bind(time(Timestamp::UNIX_EPOCH))
            .bind(up),
        Sort::UpdatedAtDown => Stmt::new(include_str!("walk_by_updated_at_desc.sql"))
            .bind(tenant)
            .bind(time(Timestamp::MAX))
            .bind(down),
        Sort::Sku => Stmt::new(include_str!("walk_by_sku.sql")).bind(tenant).bind(text("")).bind(up),
    };
    let stmt = stmt
        .bind(wanted.query.clone())
        .bind(filter.active)
        .bind(filter.price_min)
        .bind(filter.price_max)
        .bind(not_code.map(str::to_owned))
        .bind(take);
    tx.run(stmt).await?.iter().map(Hit::decode).collect()
}
