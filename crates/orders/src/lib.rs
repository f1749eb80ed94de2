//! Orders: what customers have committed to buy, and how it goes on.
#![doc = include_str!("../README.md")]

mod cache;
mod change_status;
mod count_placed;
mod effects;
pub mod events;
mod find_orders;
mod http;
mod insert_orders;
mod invariants;
mod model;
mod move_orders;
pub mod problems;

pub use cache::OrderCache;
pub use change_status::{ChangeStatusError, change_status};
pub use count_placed::{PlacedOrder, count_placed, list_placed};
pub use effects::OrderEffects;
pub use find_orders::{OrderFilter, find_order, list_orders, lock_order};
pub use http::{Orders, StatusInput, routes};
pub use insert_orders::{decode_numbers, insert_orders_stmt};
pub use invariants::{PaidOrder, find_existing, invariants, list_paid};
pub use model::{
    NewOrder, Order, OrderEvent, OrderId, OrderLine, OrderStatus, OrderSums, OrderTotals, StoredLine,
};
pub use move_orders::move_orders;

/// The tables of this domain.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "orders",
    steps: &[db::Migration {
        version: 1,
        name: "orders",
        sql: include_str!("../migrations/0001_orders.sql"),
    }],
};
