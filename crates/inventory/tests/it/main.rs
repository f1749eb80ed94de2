//! Stock on a real PostgreSQL: what must hold whatever happens at the same time.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod alerts;
mod changes;
mod fixture;
mod http_reservations;
mod http_stock;
mod imports;
mod isolation;
mod model;
mod movements;
mod races;
mod reservations;
mod shops;
