//! Idempotency keys (HTTP-6): the key commits in the transaction of the effect, so that a crash can never leave one
//! without the other.

mod claims;
mod purge;
mod run_once;
mod store;

pub use claims::{Claim, claim_stmt, decode_claims, find_claimed, release_stmt};
pub use purge::{invariants, purge_expired};
pub use run_once::run_once;
pub use store::{Stored, decode, find_stmt, insert_stmt};

/// The table of keys, in every tenant database.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "edge",
    steps: &[db::Migration {
        version: 1,
        name: "idempotency",
        sql: include_str!("../../migrations/0001_idempotency.sql"),
    }],
};
