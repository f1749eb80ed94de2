//! Use case: move an order on. Only along the allowed transitions, each told to the world in the same transaction.

use std::sync::Arc;

use db::{DbError, TenantTx};
use edge::Problem;
use serde_json::json;

use crate::{
    effects::OrderEffects,
    events,
    find_orders::lock_order,
    model::{Order, OrderEvent, OrderId, OrderStatus},
};

/// Why an order was not moved on.
#[derive(Debug, thiserror::Error)]
pub enum ChangeStatusError {
    /// No such order of this tenant.
    #[error("there is no such order")]
    NotFound,
    /// The status does not follow from the present one.
    #[error("an order that is {} cannot be {}", .from.as_str(), .to.as_str())]
    NotAllowed {
        /// How it stands.
        from: OrderStatus,
        /// What was wanted.
        to: OrderStatus,
    },
    /// What would have followed cannot be.
    #[error("what would follow cannot be")]
    Refused(Box<Problem>),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Moves an order to `status`, does what follows from it, and publishes what happened. An order that has it already stays as it is and nothing is
/// published: whoever asks twice gets what they asked for once.
///
/// # Errors
/// [`ChangeStatusError`].
pub async fn change_status(
    tx: &TenantTx,
    effects: Arc<dyn OrderEffects>,
    id: OrderId,
    status: OrderStatus,
    reason: Option<String>,
) -> Result<Order, ChangeStatusError> {
    let mut order = lock_order(tx, id).await?.ok_or(ChangeStatusError::NotFound)?;
    if order.status == status {
        return Ok(order);
    }
    if !order.status.next().contains(&status) {
        return Err(ChangeStatusError::NotAllowed { from: order.status, to: status });
    }
    let now = tx.ctx().now();
    let by = tx.ctx().caller.actor.to_string();
    let event = OrderEvent { status, at: now, by, reason };
    let params: &[&(dyn db::types::ToSql + Sync)] =
        &[&tx.tenant_id(), &id, &status.as_str(), &json!([event]), &now];
    tx.execute(include_str!("change_status.sql"), params).await?;
    let before = order.status;
    order.status = status;
    if status.is_paid() {
        order.sale_id = Some(kernel::encode_id("sal", order.sale));
    }
    order.history.push(event);
    order.version += 1;
    order.updated_at = now;
    effects
        .moved(tx, &order, before)
        .await
        .map_err(|problem| ChangeStatusError::Refused(Box::new(problem)))?;
    messages::publish(tx, &[events::status_changed(&order, before)]).await?;
    tx.notify_invalidate(&crate::cache::key(tx.tenant_id(), id)).await?;
    Ok(order)
}
