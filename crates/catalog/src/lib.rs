//! Products, categories, tax rates.
#![doc = include_str!("../README.md")]

mod barcode;
mod cache;
mod catalog;
mod epochs;
pub mod events;
mod find_sellable;
mod fold;
mod model;
pub mod problems;
mod rules;
mod tax;
mod terms;

pub use catalog::{Catalog, CatalogConfig};
pub use find_sellable::{Sellable, decode_sellable, sellable_stmt};
pub use model::ProductId;
pub use tax::TaxTable;

/// The tables of this domain.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "catalog",
    steps: &[
        db::Migration { version: 1, name: "catalog", sql: include_str!("../migrations/0001_catalog.sql") },
        db::Migration { version: 2, name: "search", sql: include_str!("../migrations/0002_search.sql") },
    ],
};
