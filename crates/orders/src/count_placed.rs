//! Use cases for bills: how many orders were placed on which day, and which, whatever became of them. An order is never removed
//! and its time never changes, so that both give the same whenever they are asked.

use db::{DbError, TenantTx};
use kernel::Timestamp;

use crate::model::OrderId;

/// An order as it was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedOrder {
    /// Identity.
    pub id: OrderId,
    /// Its number in the shop.
    pub number: i64,
    /// When it was placed.
    pub placed_at: Timestamp,
}

/// How many orders were placed at or after `from` and before `until`, by day (UTC) as `yyyy-mm-dd`; days without any are left
/// out.
///
/// # Errors
/// [`DbError`].
pub async fn count_placed(
    tx: &TenantTx,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<(String, i64)>, DbError> {
    let rows = tx.query(include_str!("count_placed.sql"), &[&tx.tenant_id(), &from, &until]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// These orders one by one, at most `limit`, by time and identifier, those after `after`.
///
/// # Errors
/// [`DbError`].
pub async fn list_placed(
    tx: &TenantTx,
    from: Timestamp,
    until: Timestamp,
    after: Option<(Timestamp, OrderId)>,
    limit: i64,
) -> Result<Vec<PlacedOrder>, DbError> {
    let (at, id) = after.unzip();
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &from, &until, &at, &id, &limit];
    let rows = tx.query(include_str!("list_placed.sql"), params).await?;
    let decode = |row: &db::Row| {
        Ok(PlacedOrder { id: row.try_get(0)?, placed_at: row.try_get(1)?, number: row.try_get(2)? })
    };
    rows.iter().map(decode).collect()
}
