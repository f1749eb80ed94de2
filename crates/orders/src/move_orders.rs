//! Use case: what was one buyer's is another's now: a guest has signed in, or two customers were one.

use customers::Buyer;
use db::{DbError, TenantTx};

use crate::model::OrderId;

/// Gives all orders of `from` to `to`.
///
/// # Errors
/// [`DbError`].
pub async fn move_orders(tx: &TenantTx, from: Buyer, to: Buyer) -> Result<(), DbError> {
    let rows = tx
        .query(include_str!("move_orders.sql"), &[&tx.tenant_id(), &from.to_string(), &to.to_string()])
        .await?;
    for row in rows {
        let id: OrderId = row.try_get(0)?;
        tx.notify_invalidate(&crate::cache::key(tx.tenant_id(), id)).await?;
    }
    Ok(())
}
