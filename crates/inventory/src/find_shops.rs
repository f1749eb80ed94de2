//! Use case: look up shops by their ids, alone or many at once.

use db::{DbError, Row, Stmt, TenantTx};
use kernel::Ctx;

use crate::{
    model::ShopId,
    shop::{Shop, decode_shop},
};

/// The statement that reads the shops with these ids; unknown ids have no row.
#[must_use]
pub fn find_shops_stmt(ctx: &Ctx, ids: &[ShopId]) -> Stmt {
    Stmt::new(include_str!("find_shops.sql"))
        .bind(ctx.tenant_id())
        .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
}

/// Reads the rows of [`find_shops_stmt`], in no particular order.
///
/// # Errors
/// [`DbError::Other`] when the rows are not of that statement.
pub fn decode_shops(rows: &[Row]) -> Result<Vec<Shop>, DbError> {
    rows.iter().map(decode_shop).collect()
}

/// The shops with these ids; unknown ones are missing.
///
/// # Errors
/// [`DbError`].
pub async fn find_shops(tx: &TenantTx, ids: &[ShopId]) -> Result<Vec<Shop>, DbError> {
    decode_shops(&tx.run(find_shops_stmt(tx.ctx(), ids)).await?)
}

/// The shop that sells on the web: the first one of that kind, or where there is none the first store.
///
/// # Errors
/// [`DbError`].
pub async fn find_web_shop(tx: &TenantTx) -> Result<Option<ShopId>, DbError> {
    let row = tx.query_opt(include_str!("find_web_shop.sql"), &[&tx.tenant_id()]).await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// The shop with this id, if the tenant has it.
///
/// # Errors
/// [`DbError`].
pub async fn find_shop(tx: &TenantTx, id: ShopId) -> Result<Option<Shop>, DbError> {
    Ok(find_shops(tx, &[id]).await?.pop())
}
