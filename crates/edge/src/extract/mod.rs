//! What handlers take. Every extractor also describes itself, so that the documentation cannot disagree.

mod context;
mod describe;
mod idempotency;
mod json;
mod path;
mod preconditions;
mod query;
mod serde_errors;
mod strict;

pub use context::{Caller, Operator, Tenanted, Visitor};
pub use describe::{Input, Inputs};
pub use idempotency::Idempotency;
pub use json::{Json, RawBody};
pub use path::{Path, Path2};
pub use preconditions::{IfMatch, IfNoneMatch};
pub use query::Query;

#[cfg(test)]
pub(crate) use query::read as read_query;
pub(crate) use {
    idempotency::key as idempotency_key,
    preconditions::{check_tags, none_match},
};
