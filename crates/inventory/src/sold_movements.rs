//! What the book of stock says was sold, for the proof that it agrees with the book of sales.

use db::{DbError, TenantTx};
use uuid::Uuid;

/// Units that left by sales less units that came back by voids and refunds, per shop and SKU, in thousandths.
///
/// # Errors
/// [`DbError`].
pub async fn sold_movements(tx: &TenantTx) -> Result<Vec<(Uuid, String, i64)>, DbError> {
    let rows = tx.query(include_str!("sold_movements.sql"), &[&tx.tenant_id()]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}
