//! What operators see and do over HTTP beside tenants: dead letters and jobs.

use kernel::Permission;

#[cfg(test)]
mod asyncapi_contract;
pub mod dead_letters;
pub mod jobs;

/// Look after messages and jobs as the operator.
pub const PLATFORM_OPERATIONS: Permission = Permission::new("platform:operations");
