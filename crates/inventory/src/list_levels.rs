//! Use case: one SKU in every shop.

use db::{DbError, TenantTx};

use crate::{
    model::{Level, ShopId},
    post_movements::decode_level,
};

/// The level at one shop, with what the shop is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopLevel {
    /// The level.
    pub level: Level,
    /// The shop's code.
    pub shop_code: String,
    /// The shop's name.
    pub shop_name: String,
}

/// At most `limit` shops that have ever had the SKU, by shop id, beginning after `after`.
///
/// # Errors
/// [`DbError`].
pub async fn list_levels(
    tx: &TenantTx,
    sku: &str,
    after: Option<ShopId>,
    limit: i64,
) -> Result<Vec<ShopLevel>, DbError> {
    let rows = tx.query(include_str!("list_levels.sql"), &[&tx.tenant_id(), &sku, &after, &limit]).await?;
    rows.iter()
        .map(|row| {
            let level = decode_level(row)?;
            Ok(ShopLevel { level, shop_code: row.try_get(6)?, shop_name: row.try_get(7)? })
        })
        .collect()
}
