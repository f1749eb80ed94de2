//! The routes of shops and stock.

mod changes;
mod inputs;
mod outputs;
mod refusals;
mod reservations;
mod shops;
mod stock;

use std::time::Duration;

use db::{Combiner, CombinerLimits, Db};
use edge::Routes;

use crate::{
    reserve_batch::HoldBatch,
    reserve_stock::{DEFAULT_HOLD, LONGEST_HOLD},
};

/// How stock is kept in this installation.
#[derive(Debug, Clone, Copy)]
pub struct InventoryConfig {
    /// How long a reservation holds when the caller does not say; at most 24 hours.
    pub hold_for: Duration,
    /// How holds are batched.
    pub combiner: CombinerLimits,
}

impl Default for InventoryConfig {
    fn default() -> Self {
        Self { hold_for: DEFAULT_HOLD, combiner: CombinerLimits::default() }
    }
}

/// What the routes need.
#[derive(Clone)]
pub struct Inventory {
    db: Db,
    config: InventoryConfig,
    holds: Combiner<HoldBatch>,
}

impl Inventory {
    /// Routes over `db`; a hold longer than a day is cut to a day.
    #[must_use]
    pub fn new(db: Db, config: InventoryConfig) -> Self {
        let hold_for = config.hold_for.min(LONGEST_HOLD);
        let holds = Combiner::new(db.clone(), HoldBatch, config.combiner);
        Self { db, config: InventoryConfig { hold_for, ..config }, holds }
    }
}

/// Every route of this domain.
pub fn routes(state: Inventory) -> Routes<()> {
    shops::routes(state.clone())
        .merge(stock::routes(state.clone()))
        .merge(changes::routes(state.clone()))
        .merge(reservations::routes(state))
}
