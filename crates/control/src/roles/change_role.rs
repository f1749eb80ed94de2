//! Use cases: change or remove a role of the tenant's own. Tokens of those who have it end within moments; their
//! next refresh brings the new permissions.

use db::{ControlTx, DbError};
use kernel::Ctx;

use super::{
    Role,
    create_role::{CreateRoleError, check_permissions},
    find_role,
};
use crate::{Control, change::Change, permissions::find_beyond, staff::lock_staff};

/// How a role shall be.
#[derive(Debug, Clone)]
pub struct UpdateRole {
    /// What it is for.
    pub description: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// The version to change; any when `None`.
    pub version: Option<i32>,
}

/// Why a role was not changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeRoleError {
    /// There is none of that name among the tenant's own.
    #[error("there is no such role")]
    NotFound,
    /// It has been changed since it was read.
    #[error("the role has changed")]
    Changed,
    /// Somebody has it.
    #[error("the role is in use")]
    InUse,
    /// Its permissions are not to be had.
    #[error(transparent)]
    Permissions(CreateRoleError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Changes a role; nobody adds, or takes from others, what they do not have themselves.
///
/// # Errors
/// [`ChangeRoleError`].
pub async fn update_role(
    control: &Control,
    ctx: &Ctx,
    tx: &ControlTx,
    name: &str,
    input: UpdateRole,
) -> Result<Role, ChangeRoleError> {
    let tenant = ctx.tenant_id();
    own_role(ctx, tx, name).await?;
    check_permissions(control, ctx, &input.permissions).map_err(ChangeRoleError::Permissions)?;
    let changed = tx
        .execute(
            include_str!("update_role.sql"),
            &[&tenant, &name, &input.description, &input.permissions, &input.version, &ctx.now()],
        )
        .await?;
    if changed == 0 {
        return Err(ChangeRoleError::Changed);
    }
    tx.execute(include_str!("end_role_tokens.sql"), &[&tenant, &name]).await?;
    control.announce(tx, Change::Roles(tenant)).await?;
    find_role(tx, tenant, name).await?.ok_or(ChangeRoleError::NotFound)
}

/// Removes a role that nobody has.
///
/// # Errors
/// [`ChangeRoleError`].
pub async fn delete_role(
    control: &Control,
    ctx: &Ctx,
    tx: &ControlTx,
    name: &str,
    version: Option<i32>,
) -> Result<(), ChangeRoleError> {
    let tenant = ctx.tenant_id();
    // Nobody gets the role while it goes.
    lock_staff(tx, tenant).await?;
    let role = own_role(ctx, tx, name).await?;
    if version.is_some_and(|version| version != role.version) {
        return Err(ChangeRoleError::Changed);
    }
    let removed = tx.execute(include_str!("delete_role.sql"), &[&tenant, &name]).await?;
    if removed == 0 {
        return Err(ChangeRoleError::InUse);
    }
    Ok(control.announce(tx, Change::Roles(tenant)).await?)
}

async fn own_role(ctx: &Ctx, tx: &ControlTx, name: &str) -> Result<Role, ChangeRoleError> {
    let found = find_role(tx, ctx.tenant_id(), name).await?;
    let role = found.filter(|role| !role.built_in).ok_or(ChangeRoleError::NotFound)?;
    match find_beyond(&ctx.caller.permissions, role.permissions.iter().map(String::as_str)) {
        Some(name) => Err(ChangeRoleError::Permissions(CreateRoleError::Beyond(name.to_owned()))),
        None => Ok(role),
    }
}
