//! The tenant registry: who a name is, from memory; the control database is asked rarely and missed gracefully.

mod cache;
mod find_tenant;
mod origins;

pub(crate) use cache::{Lifetimes, TenantCache};
pub(crate) use origins::Origins;
