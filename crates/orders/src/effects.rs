//! What the life of an order means for goods, books and money: others do it, in the same transaction.

use async_trait::async_trait;
use db::TenantTx;
use edge::Problem;

use crate::model::{Order, OrderStatus};

/// Does what follows from an order's new status.
#[async_trait]
pub trait OrderEffects: Send + Sync {
    /// `order` was `before` and has just been moved to its status, in the transaction `tx`: both happen or neither.
    ///
    /// # Errors
    /// Why it cannot be; the order then stays as it was.
    async fn moved(&self, tx: &TenantTx, order: &Order, before: OrderStatus) -> Result<(), Problem>;
}

/// Orders that mean nothing to anybody: for tests of orders alone.
#[async_trait]
impl OrderEffects for () {
    async fn moved(&self, _tx: &TenantTx, _order: &Order, _before: OrderStatus) -> Result<(), Problem> {
        Ok(())
    }
}
