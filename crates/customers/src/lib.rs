//! Customers: who buys, how they sign in, and what is theirs.
#![doc = include_str!("../README.md")]

mod accounts;
mod buyer;
mod ensure_customers;
pub mod events;
mod hooks;
mod http;
mod invariants;
mod jobs;
mod loyalty;
mod manage_customers;
mod merge_customers;
mod model;
pub mod problems;
mod profile;

pub use buyer::{Buyer, GuestId, MemberId};
pub use ensure_customers::{decode_exists, ensure_customers, exists, exists_stmt};
pub use hooks::{CustomerMerge, GuestMerge, Hooks};
pub use http::{CustomerQuery, Customers, routes};
pub use invariants::invariants;
pub use jobs::{jobs, purge};
pub use loyalty::{
    Burned, LoyaltyEntry, LoyaltyEntryId, LoyaltyError, LoyaltyReason, LoyaltyRule, Purchase, Purchases,
    burn, earn, earn_purchases, expire_points, find_balance, find_rule, reverse,
};
pub use manage_customers::CustomerError;
pub use model::{Customer, CustomerId, CustomerInput, is_reference};
pub use problems::{CODES, CUSTOMER_NOT_FOUND, CUSTOMER_REFERENCE_EXISTS, CUSTOMERS_READ, CUSTOMERS_WRITE};
pub use profile::{
    Address, AddressId, Consent, ConsentId, ConsentInput, CountryCode, Note, NoteId, Purpose, SavedAddress,
    has_consent, record_consent,
};

/// The tables of this domain, in every tenant database.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "customers",
    steps: &[
        db::Migration {
            version: 1,
            name: "customers",
            sql: include_str!("../migrations/0001_customers.sql"),
        },
        db::Migration { version: 2, name: "accounts", sql: include_str!("../migrations/0002_accounts.sql") },
        db::Migration { version: 3, name: "merged", sql: include_str!("../migrations/0003_merged.sql") },
    ],
};
