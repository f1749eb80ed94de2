//! Reports over real books in a real PostgreSQL, each compared with a recomputation from the sales themselves.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod books;
mod recomputed;
mod routes;
