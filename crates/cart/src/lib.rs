//! Carts: what people are about to buy.
#![doc = include_str!("../README.md")]

mod change_batch;
mod change_cart;
mod get_cart;
mod http;
mod jobs;
mod merge_carts;
mod model;
pub mod problems;
mod read_counts;
mod shared_carts;
mod show_cart;
mod store;

pub use change_cart::{Change, ChangeCartError, Wanted};
pub use http::{CartInput, Carts, LineInput, QuantityInput, routes};
pub use jobs::jobs;
pub use merge_carts::merge_carts;
pub use model::{Cart, CheckoutId, Line, MOST_LINES};
pub use show_cart::{CartLine, CartTotals, CartView, Notice, show_cart};
pub use store::{
    clear_carts_stmt, decode_carts, find_cart, lock_carts_stmt, return_carts_stmt, take_carts_stmt,
};

/// The tables of this domain.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "cart",
    steps: &[db::Migration { version: 1, name: "cart", sql: include_str!("../migrations/0001_cart.sql") }],
};
