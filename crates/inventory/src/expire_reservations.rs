//! Use case: give back the units of reservations whose time is up.

use db::{DbError, TenantTx};

use crate::{
    close_reservations::{Ending, close_reservations},
    events::reservations_closed,
    model::ReservationId,
};

/// Expires at most `limit` due reservations of the tenant, oldest first, and publishes `StockReleased` for each.
/// Returns how many; fewer than `limit` means that no more are due.
///
/// Each is given back exactly once, also when several processes run this and confirmations and releases race it:
/// those that somebody else is closing right now are passed over.
///
/// # Errors
/// [`DbError`].
pub async fn expire_reservations(tx: &TenantTx, limit: i64) -> Result<usize, DbError> {
    let now = tx.ctx().now();
    let rows = tx.query(include_str!("find_due_reservations.sql"), &[&tx.tenant_id(), &now, &limit]).await?;
    let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<ReservationId>, _>>()?;
    if ids.is_empty() {
        return Ok(0);
    }
    let closed = close_reservations(tx, &ids, Ending::Expired).await?;
    messages::publish(tx, &reservations_closed(&closed, Ending::Expired)).await?;
    Ok(ids.len())
}
