//! Use case: send again what was delivered, given up or dropped.

use db::{DbError, TenantTx};

use crate::{
    delivery::{Delivery, decode_delivery, find_delivery},
    model::{DeliveryId, DeliveryState},
};

/// Why a delivery is not sent again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayDeliveryError {
    /// No such delivery in this tenant.
    #[error("no such delivery")]
    NotFound,
    /// It is still on its way.
    #[error("the delivery is still on its way")]
    Pending,
    /// Its webhook is off.
    #[error("the webhook is off")]
    Off,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Makes a delivery that has ended wait again, with all its attempts before it and the same message id: a receiver that
/// has the message already can tell.
///
/// # Errors
/// [`ReplayDeliveryError`].
pub async fn replay_delivery(tx: &TenantTx, id: DeliveryId) -> Result<Delivery, ReplayDeliveryError> {
    let (tenant, now) = (tx.tenant_id(), tx.ctx().now());
    let row = tx.query_opt(include_str!("replay_delivery.sql"), &[&tenant, &id, &now]).await?;
    if let Some(row) = row {
        return Ok(decode_delivery(&row)?);
    }
    Err(match find_delivery(tx, id).await? {
        None => ReplayDeliveryError::NotFound,
        Some(found) if found.state == DeliveryState::Pending => ReplayDeliveryError::Pending,
        Some(_) => ReplayDeliveryError::Off,
    })
}
