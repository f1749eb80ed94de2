//! What other domains do in the same transaction when people become one: this crate knows none of them.

use std::sync::Arc;

use async_trait::async_trait;
use db::{DbError, TenantTx};

use crate::{CustomerId, GuestId};

/// Gives a customer what was a guest's: carts, orders and the like.
#[async_trait]
pub trait GuestMerge: Send + Sync {
    /// Moves everything of `guest` to `customer`, in the transaction of the sign-in: both happen or neither. Doing it
    /// again, or for a guest who has nothing, changes nothing.
    ///
    /// # Errors
    /// Any [`DbError`]; nobody is signed in then.
    async fn merge(&self, tx: &TenantTx, guest: GuestId, customer: CustomerId) -> Result<(), DbError>;
}

/// Gives a customer what was their duplicate's.
#[async_trait]
pub trait CustomerMerge: Send + Sync {
    /// Moves everything of `from` to `into`, in the transaction of the merge: both happen or neither.
    ///
    /// # Errors
    /// Any [`DbError`]; nobody is merged then.
    async fn merge(&self, tx: &TenantTx, from: CustomerId, into: CustomerId) -> Result<(), DbError>;
}

/// Who takes part when people become one.
#[derive(Clone, Default)]
pub struct Hooks {
    /// When a guest signs in.
    pub guests: Vec<Arc<dyn GuestMerge>>,
    /// When duplicates are merged.
    pub customers: Vec<Arc<dyn CustomerMerge>>,
}
