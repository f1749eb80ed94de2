//! What operators see and do over HTTP beside tenants: dead letters and jobs.

use kernel::Permission;

pub mod dead_letters;
pub mod jobs;

/// Look after messages and jobs as the operator.
pub const PLATFORM_OPERATIONS: Permission = Permission::new("platform:operations");
