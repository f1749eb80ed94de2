//! Customers on a real PostgreSQL, behind the real gate, with real tokens.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod accounts;
mod crud;
mod guests;
mod loyalty;
mod merge;
mod profile;
mod purchases;
mod world;
