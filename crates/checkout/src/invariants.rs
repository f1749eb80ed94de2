//! What `markethall check` proves about checkouts.

use db::{DbError, TenantTx};
use kernel::Violation;
use uuid::Uuid;

/// Every checkout that has ended without an end, or waits longer than it may; at most 100 of each kind.
///
/// # Errors
/// [`DbError`].
pub async fn invariants(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let mut found = Vec::new();
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &tx.ctx().now()];
    for row in tx.query(include_str!("check_overdue.sql"), params).await? {
        found.push(Violation {
            invariant: "checkouts_end_in_time",
            subject: format!("checkout {}", cart::CheckoutId(row.try_get(0)?)),
            detail: row.try_get(1)?,
        });
    }
    Ok(found)
}

/// What a running checkout holds: its reservation must be open.
///
/// # Errors
/// [`DbError`].
pub async fn list_held(tx: &TenantTx, most: i64) -> Result<Vec<(cart::CheckoutId, Uuid)>, DbError> {
    let rows = tx.query(include_str!("list_held.sql"), &[&tx.tenant_id(), &most]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The checkout of each payment and order that failed: nothing may have come of it.
///
/// # Errors
/// [`DbError`].
pub async fn list_failed(tx: &TenantTx, after: Uuid, most: i64) -> Result<Vec<FailedCheckout>, DbError> {
    let rows = tx.query(include_str!("list_failed.sql"), &[&tx.tenant_id(), &after, &most]).await?;
    rows.iter()
        .map(|row| {
            Ok(FailedCheckout {
                id: row.try_get(0)?,
                reservation: row.try_get(1)?,
                payment: row.try_get(2)?,
                order: row.try_get(3)?,
            })
        })
        .collect()
}

/// A checkout that came to nothing, and what it would have come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCheckout {
    /// The checkout.
    pub id: Uuid,
    /// What it held.
    pub reservation: Uuid,
    /// Its payment.
    pub payment: Option<Uuid>,
    /// The order that must not exist.
    pub order: Uuid,
}
