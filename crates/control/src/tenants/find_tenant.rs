//! Use case: one tenant as operators see it.

use db::{ControlTx, DbError};
use kernel::TenantId;

use super::model::{TenantView, decode_view};

/// The tenant of that name.
///
/// # Errors
/// [`DbError`].
pub async fn find_tenant(tx: &ControlTx, slug: &str) -> Result<Option<TenantView>, DbError> {
    let row = tx.query_opt(include_str!("find_tenant.sql"), &[&Some(slug), &None::<TenantId>]).await?;
    row.map(|row| decode_view(&row)).transpose()
}

/// The tenant with that identifier.
///
/// # Errors
/// [`DbError`].
pub async fn find_tenant_by_id(tx: &ControlTx, id: TenantId) -> Result<Option<TenantView>, DbError> {
    let row = tx.query_opt(include_str!("find_tenant.sql"), &[&None::<&str>, &Some(id)]).await?;
    row.map(|row| decode_view(&row)).transpose()
}
