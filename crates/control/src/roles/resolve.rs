//! From the name of a role to what it may do.

use db::{ControlTx, DbError};
use kernel::{PermissionSet, TenantId};

use super::find_role;
use crate::permissions::find_beyond;

/// What `role` may do in `tenant`; `None` when there is no such role.
pub(crate) async fn resolve(
    tx: &ControlTx,
    tenant: TenantId,
    role: &str,
) -> Result<Option<PermissionSet>, DbError> {
    let found = find_role(tx, tenant, role).await?;
    Ok(found.map(|role| PermissionSet::new(role.permissions)))
}

/// Why somebody may not give a role away.
#[derive(Debug)]
pub(crate) enum AssignError {
    Unknown,
    Beyond(String),
    Database(DbError),
}

/// Whether `giver` may give `role` to staff of `tenant`: it exists, is for staff, and holds no more than they have.
pub(crate) async fn check_assignable(
    tx: &ControlTx,
    tenant: TenantId,
    giver: &PermissionSet,
    role: &str,
) -> Result<(), AssignError> {
    let found = find_role(tx, tenant, role).await.map_err(AssignError::Database)?;
    let found = found.filter(|role| role.assignable).ok_or(AssignError::Unknown)?;
    match find_beyond(giver, found.permissions.iter().map(String::as_str)) {
        Some(permission) => Err(AssignError::Beyond(permission.to_owned())),
        None => Ok(()),
    }
}
