//! For proofs and for the desk of stuck money: what was taken, what of it goes back, what nobody knows.

use db::{DbError, TenantTx};
use kernel::{Money, Timestamp};
use uuid::Uuid;

use crate::{
    model::{PaymentId, PaymentState},
    settle_payments::{read_money, read_state},
};

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

/// A payment of which it is not known what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// Which.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub state: PaymentState,
    /// What it is for.
    pub purpose: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// Payments opened before `before` that are not settled, the oldest first; at most `most`.
///
/// # Errors
/// [`DbError`].
pub async fn list_unsettled(tx: &TenantTx, before: Timestamp, most: i64) -> Result<Vec<Unsettled>, DbError> {
    let rows = tx.query(include_str!("list_unsettled.sql"), &[&tx.tenant_id(), &before, &most]).await?;
    rows.iter()
        .map(|row| {
            Ok(Unsettled {
                payment: row.try_get(0)?,
                amount: read_money(row.try_get(1)?, row.try_get(2)?)?,
                state: read_state(row.try_get(3)?)?,
                purpose: row.try_get(4)?,
                created_at: row.try_get(5)?,
            })
        })
        .collect()
}
