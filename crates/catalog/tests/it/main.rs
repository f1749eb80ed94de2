//! The catalog on a real PostgreSQL, behind the real gate.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod caching;
mod fixture;
mod images;
mod imports;
mod isolation;
mod lists;
mod products;
mod real_data;
mod s3;
mod search;
mod shared_cache;
mod taxes;
mod upload_limits;
mod uploads;
mod variants;
