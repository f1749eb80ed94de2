//! Roles: the built-in ones, and those that a tenant makes out of permissions.

mod change_role;
mod create_role;
mod find_roles;
mod http;
mod resolve;

use kernel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

pub use change_role::{ChangeRoleError, UpdateRole, delete_role, update_role};
pub(crate) use create_role::check_permissions;
pub use create_role::{CreateRole, CreateRoleError, create_role};
pub use find_roles::{find_role, list_roles};
pub(crate) use http::routes;
pub(crate) use resolve::{AssignError, check_assignable, resolve};

/// A role as the tenant sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// Its name in tokens and on the staff.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Comes with the program and cannot be changed.
    pub built_in: bool,
    /// Whether staff can have it.
    pub assignable: bool,
    /// When it was changed last; null for built-in ones.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_at: Option<Timestamp>,
    /// The version for `If-Match`.
    #[serde(skip)]
    pub version: i32,
}
