//! Use case: a rate limit of a tenant's own, or that of its tier again.

use db::{ControlTx, DbError};
use kernel::{RateLimit, TenantId, Timestamp};

use super::{find_tenant::find_tenant_by_id, model::TenantView, update_tenant::UpdateTenantError};
use crate::{Control, change::Change};

/// Gives a tenant a limit of its own (HTTP-10), or, with `None`, that of its tier; every process knows within a moment of
/// the commit. `version` is the one to change, any when `None`.
///
/// # Errors
/// [`UpdateTenantError`].
pub async fn set_rate_limit(
    control: &Control,
    now: Timestamp,
    tx: &ControlTx,
    id: TenantId,
    limit: Option<RateLimit>,
    version: Option<i32>,
) -> Result<TenantView, UpdateTenantError> {
    let json = limit.map(serde_json::to_value).transpose();
    let json = json.map_err(|error| DbError::Other(format!("a rate limit: {error}")))?;
    let changed = tx.execute(include_str!("set_rate_limit.sql"), &[&id, &json, &version, &now]).await?;
    let tenant = find_tenant_by_id(tx, id).await?.ok_or(UpdateTenantError::NotFound)?;
    if changed == 0 {
        return Err(UpdateTenantError::Changed);
    }
    control.announce(tx, Change::Tenant(id)).await?;
    Ok(tenant)
}
