//! The audit log of each tenant.
#![doc = include_str!("../README.md")]

mod chain;
mod config;
mod forget;
mod http;
mod invariants;
mod list_entries;
mod queue;
mod record;
mod redact;
mod spool;
mod store;
mod writer;

pub use config::{AuditConfig, KeepDays};
pub use forget::{forget_expired, jobs};
pub use http::{AUDIT_READ, AuditEntryDetail, AuditEntryView, routes};
pub use invariants::invariants;
pub use queue::Auditor;
pub use record::Record;

/// The tables of this domain.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "audit",
    steps: &[db::Migration { version: 1, name: "audit", sql: include_str!("../migrations/0001_audit.sql") }],
};
