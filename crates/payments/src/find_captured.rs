//! For proofs: what was taken and what of it goes back.

use db::{DbError, TenantTx};
use uuid::Uuid;

/// What was taken by each of `payments`, and what of it went back or is on its way, in minor units. Payments that do not
/// exist are missing.
///
/// # Errors
/// [`DbError`].
pub async fn find_captured(tx: &TenantTx, payments: &[Uuid]) -> Result<Vec<(Uuid, i64, i64)>, DbError> {
    let rows = tx.query(include_str!("find_captured.sql"), &[&tx.tenant_id(), &payments]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

/// How many payments whose purpose begins with `prefix` were taken, and how much that was in minor units.
///
/// # Errors
/// [`DbError`].
pub async fn sum_captured(tx: &TenantTx, prefix: &str) -> Result<(i64, i64), DbError> {
    let row = tx.query_one(include_str!("sum_captured.sql"), &[&tx.tenant_id(), &prefix]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}
