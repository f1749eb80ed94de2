//! Use case: a role of the tenant's own.

use db::{ControlTx, DbError};
use kernel::Ctx;

use super::{Role, find_role, find_roles::MOST_ROLES};
use crate::{
    Control,
    permissions::{built_in_role, find_beyond, is_tenant_permission},
};

/// The role to make.
#[derive(Debug, Clone)]
pub struct CreateRole {
    /// Its name: `[a-z][a-z0-9_-]*`, 2 to 40 characters; never changes.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it may do.
    pub permissions: Vec<String>,
}

/// Why a role was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateRoleError {
    /// There is one of that name, built-in or own.
    #[error("the role exists")]
    Exists,
    /// The tenant has as many as it may have.
    #[error("there are too many roles")]
    TooMany,
    /// No tenant has such a permission, or no route asks for it.
    #[error("unknown permission {1}")]
    UnknownPermission(usize, String),
    /// The caller may not do that themselves.
    #[error("permission {0} is beyond the caller's")]
    Beyond(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Makes a role out of permissions that the caller has.
///
/// # Errors
/// [`CreateRoleError`].
pub async fn create_role(
    control: &Control,
    ctx: &Ctx,
    tx: &ControlTx,
    input: CreateRole,
) -> Result<Role, CreateRoleError> {
    check_permissions(control, ctx, &input.permissions)?;
    if built_in_role(&input.name).is_some() {
        return Err(CreateRoleError::Exists);
    }
    let made = tx
        .query_one(
            include_str!("create_role.sql"),
            &[&ctx.tenant_id(), &input.name, &input.description, &input.permissions, &ctx.now(), &MOST_ROLES],
        )
        .await
        .map_err(|error| if error.is_unique("role_pkey") { CreateRoleError::Exists } else { error.into() })?;
    if made.try_get::<_, i64>(0).map_err(DbError::from)? == 0 {
        return Err(CreateRoleError::TooMany);
    }
    let role = find_role(tx, ctx.tenant_id(), &input.name).await?;
    role.ok_or_else(|| DbError::Other("the role just made is gone".to_owned()).into())
}

/// Every permission is one that a tenant may have, that some route asks for, and that the caller has.
pub(crate) fn check_permissions(
    control: &Control,
    ctx: &Ctx,
    names: &[String],
) -> Result<(), CreateRoleError> {
    let unknown = |name: &String| !is_tenant_permission(name) || !control.is_known_permission(name);
    if let Some((at, name)) = names.iter().enumerate().find(|(_, name)| unknown(name)) {
        return Err(CreateRoleError::UnknownPermission(at, name.clone()));
    }
    match find_beyond(&ctx.caller.permissions, names.iter().map(String::as_str)) {
        Some(name) => Err(CreateRoleError::Beyond(name.to_owned())),
        None => Ok(()),
    }
}
