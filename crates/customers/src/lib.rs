//! Customers: who buys.
#![doc = include_str!("../README.md")]

mod buyer;
mod ensure_customers;
mod http;
mod invariants;
mod manage_customers;
mod model;
mod problems;

pub use buyer::{Buyer, GuestId, MemberId};
pub use ensure_customers::{decode_exists, ensure_customers, exists, exists_stmt};
pub use http::{CustomerQuery, Customers, routes};
pub use invariants::invariants;
pub use manage_customers::CustomerError;
pub use model::{Customer, CustomerId, CustomerInput, is_reference};
pub use problems::{CODES, CUSTOMER_NOT_FOUND, CUSTOMER_REFERENCE_EXISTS, CUSTOMERS_READ, CUSTOMERS_WRITE};

/// The tables of this domain, in every tenant database.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "customers",
    steps: &[db::Migration {
        version: 1,
        name: "customers",
        sql: include_str!("../migrations/0001_customers.sql"),
    }],
};
