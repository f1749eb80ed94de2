//! Webhooks on a real PostgreSQL, sent to a real HTTP server, verified by an independent implementation.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod claims;
mod failing;
mod http_webhooks;
mod receiver;
mod refused;
mod sending;
mod upkeep;
mod world;
