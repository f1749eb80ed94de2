//! Whether the shops and SKUs that lines name exist.

use std::collections::{BTreeSet, HashSet};

use db::{DbError, TenantTx};

use crate::{find_shops::find_shops, model::ShopId};

/// Which of two things a line names wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Its shop.
    Shop,
    /// Its SKU.
    Sku,
}

/// A line that names something that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownTarget {
    /// The line's place in the input, from 0.
    pub line: usize,
    /// What is unknown.
    pub target: Target,
}

/// The lines among `lines` whose shop or SKU this tenant does not have.
pub(crate) async fn find_unknown_targets(
    tx: &TenantTx,
    lines: &[(ShopId, &str)],
) -> Result<Vec<UnknownTarget>, DbError> {
    let shops: BTreeSet<ShopId> = lines.iter().map(|(shop, _)| *shop).collect();
    let skus: BTreeSet<&str> = lines.iter().map(|(_, sku)| *sku).collect();
    let shops: Vec<ShopId> = shops.into_iter().collect();
    let known_shops: HashSet<ShopId> =
        find_shops(tx, &shops).await?.into_iter().map(|shop| shop.id).collect();
    let known_skus = find_known_skus(tx, &skus).await?;
    let mut unknown = Vec::new();
    for (line, (shop, sku)) in lines.iter().enumerate() {
        if !known_shops.contains(shop) {
            unknown.push(UnknownTarget { line, target: Target::Shop });
        }
        if !known_skus.contains(*sku) {
            unknown.push(UnknownTarget { line, target: Target::Sku });
        }
    }
    Ok(unknown)
}

/// Those of `skus` that the catalog knows, active or not: what is on a shelf may be out of the range.
pub(crate) async fn find_known_skus(
    tx: &TenantTx,
    skus: &BTreeSet<&str>,
) -> Result<HashSet<String>, DbError> {
    let skus: Vec<&str> = skus.iter().copied().collect();
    let rows = tx.run(catalog::sellable_stmt(tx.ctx(), &skus)).await?;
    Ok(catalog::decode_sellable(&rows)?.into_iter().map(|product| product.sku).collect())
}
