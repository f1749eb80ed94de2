//! Use case: the tenants, in the order of their names.

use std::sync::Arc;

use db::{ControlTx, DbError};
use kernel::{Placement, Tenant, TenantId, TenantStatus};

use super::model::{TenantView, decode_tenant, decode_view, status_text};
use crate::Control;

/// Which tenants.
#[derive(Debug, Clone, Default)]
pub struct TenantFilter {
    /// Only those that stand there.
    pub status: Option<TenantStatus>,
    /// Only those after this slug.
    pub after: Option<String>,
    /// At most so many, 1 to 1000.
    pub limit: i64,
}

/// A page of tenants by slug.
///
/// # Errors
/// [`DbError`].
pub async fn list_tenants(tx: &ControlTx, filter: &TenantFilter) -> Result<Vec<TenantView>, DbError> {
    let status = filter.status.map(status_text);
    let after = filter.after.as_deref().unwrap_or_default();
    let limit = filter.limit.clamp(1, 1000);
    let rows = tx.query(include_str!("list_tenants.sql"), &[&after, &status, &limit]).await?;
    rows.iter().map(decode_view).collect()
}

/// Tenants whose data exists, by identifier, at most `limit` of those after `after`; for jobs and checks.
///
/// # Errors
/// [`DbError`].
pub async fn list_tenants_by_id(
    control: &Control,
    tx: &ControlTx,
    after: Option<TenantId>,
    limit: i64,
) -> Result<Vec<Arc<Tenant>>, DbError> {
    let rows = tx.query(include_str!("list_tenants_by_id.sql"), &[&after, &limit.clamp(1, 1000)]).await?;
    rows.iter().map(|row| decode_tenant(row, control.flags()).map(Arc::new)).collect()
}

/// Every database in which tenants live, whatever their status, each once.
///
/// # Errors
/// [`DbError`].
pub async fn list_placements(tx: &ControlTx) -> Result<Vec<Placement>, DbError> {
    let rows = tx.query(include_str!("list_placements.sql"), &[]).await?;
    let decode = |row: &db::Row| {
        Ok(Placement {
            shard: row.try_get::<_, &str>(0)?.into(),
            database: row.try_get::<_, &str>(1)?.into(),
            dedicated: row.try_get(2)?,
        })
    };
    rows.iter().map(decode).collect()
}
