//! Keeping messages in order: numbers for health and metrics, invariants, retention.

mod invariants;
mod purge;
mod status;

pub use invariants::{database_invariants, invariants};
pub use purge::{Retention, purge, purge_job};
pub use status::DatabaseStatus;

pub(crate) use status::look;
