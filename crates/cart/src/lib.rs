//! Carts: what people are about to buy.
#![doc = include_str!("../README.md")]

mod change_cart;
mod http;
mod jobs;
mod model;
pub mod problems;
mod show_cart;
mod store;

pub use change_cart::{
    ChangeCartError, Changed, Wanted, accept_changes, add_line, clear_cart, merge_carts, remove_line,
    replace_lines, set_line,
};
pub use http::{CartInput, Carts, LineInput, QuantityInput, routes};
pub use jobs::jobs;
pub use model::{Cart, CheckoutId, Line, MOST_LINES};
pub use show_cart::{CartLine, CartTotals, CartView, Notice, show_cart};
pub use store::{
    clear_carts_stmt, decode_carts, find_cart, lock_cart, lock_carts_stmt, return_carts_stmt, take_carts_stmt,
};

/// The tables of this domain.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "cart",
    steps: &[db::Migration { version: 1, name: "cart", sql: include_str!("../migrations/0001_cart.sql") }],
};
