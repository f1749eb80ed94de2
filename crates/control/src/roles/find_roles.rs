//! Use cases: the roles of a tenant.

use db::{ControlTx, DbError, Row};
use kernel::TenantId;

use super::Role;
use crate::permissions::{BUILT_IN_ROLES, BuiltInRole, SUPER_ADMIN, built_in_role};

/// A tenant has at most this many roles of its own.
pub(super) const MOST_ROLES: i64 = 100;

/// All roles: the built-in ones, then the tenant's own by name.
///
/// # Errors
/// [`DbError`].
pub async fn list_roles(tx: &ControlTx, tenant: TenantId) -> Result<Vec<Role>, DbError> {
    let rows = tx.query(include_str!("list_roles.sql"), &[&tenant, &None::<&str>, &MOST_ROLES]).await?;
    let mut roles: Vec<Role> =
        BUILT_IN_ROLES.iter().filter(|role| role.name != SUPER_ADMIN).map(view).collect();
    for row in &rows {
        roles.push(decode(row)?);
    }
    Ok(roles)
}

/// The role of that name.
///
/// # Errors
/// [`DbError`].
pub async fn find_role(tx: &ControlTx, tenant: TenantId, name: &str) -> Result<Option<Role>, DbError> {
    if let Some(role) = built_in_role(name).filter(|role| role.name != SUPER_ADMIN) {
        return Ok(Some(view(role)));
    }
    let row = tx.query_opt(include_str!("list_roles.sql"), &[&tenant, &Some(name), &1_i64]).await?;
    row.map(|row| decode(&row)).transpose()
}

fn view(role: &BuiltInRole) -> Role {
    Role {
        name: role.name.to_owned(),
        description: role.description.to_owned(),
        permissions: role.permissions.iter().map(|name| (*name).to_owned()).collect(),
        built_in: true,
        assignable: role.assignable,
        updated_at: None,
        version: 1,
    }
}

fn decode(row: &Row) -> Result<Role, DbError> {
    Ok(Role {
        name: row.try_get(0)?,
        description: row.try_get(1)?,
        permissions: row.try_get(2)?,
        built_in: false,
        assignable: true,
        updated_at: row.try_get(3)?,
        version: row.try_get(4)?,
    })
}
