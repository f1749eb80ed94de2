//! The database crate on a real PostgreSQL.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test says where")]

mod cluster;
mod combiner;
mod encrypted;
mod invalidation;
mod isolation;
mod measure;
mod migrate;
mod servers;
mod shares;
mod shelf;
mod slow;
mod spending;
