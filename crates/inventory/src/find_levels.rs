//! Use case: the levels of given SKUs at given shops.

use db::{DbError, Row, Stmt};
use kernel::Ctx;

use crate::{
    model::{Level, ShopId},
    post_movements::decode_level,
};

/// The statement that reads the stock rows of `pairs`; pairs that never had stock have no row.
#[must_use]
pub fn levels_stmt(ctx: &Ctx, pairs: &[(ShopId, &str)]) -> Stmt {
    Stmt::new(include_str!("find_levels.sql"))
        .bind(ctx.tenant_id())
        .bind(pairs.iter().map(|(shop, _)| shop.0).collect::<Vec<_>>())
        .bind(pairs.iter().map(|(_, sku)| (*sku).to_owned()).collect::<Vec<_>>())
}

/// Reads the rows of [`levels_stmt`], in no particular order.
///
/// # Errors
/// [`DbError::Other`] when the rows are not of that statement.
pub fn decode_levels(rows: &[Row]) -> Result<Vec<Level>, DbError> {
    rows.iter().map(decode_level).collect()
}
