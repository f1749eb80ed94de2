//! The tenant registry: who a name is, from memory; the control database is asked rarely and missed gracefully.

mod breaker;
mod cache;
mod find_tenant;
mod origins;

pub(crate) use breaker::Breaker;
pub(crate) use cache::{Lifetimes, TenantCache};
pub(crate) use origins::Origins;
