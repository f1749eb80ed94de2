//! Use case: another name, tier or settings for a tenant.

use db::{ControlTx, DbError};
use kernel::{TenantId, TenantSettings, Tier, Timestamp};

use super::{
    find_tenant::find_tenant_by_id,
    model::{TenantView, settings_json},
};
use crate::{Control, change::Change};

/// What shall be different; `None` leaves as it is.
#[derive(Debug, Clone, Default)]
pub struct UpdateTenant {
    /// The name for people.
    pub name: Option<String>,
    /// The tier; where the data lives stays the same.
    pub tier: Option<Tier>,
    /// How it trades, from the next sale on.
    pub settings: Option<TenantSettings>,
    /// The version to change; any when `None`.
    pub version: Option<i32>,
}

/// Why a tenant was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateTenantError {
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NotFound,
    /// It has been changed since it was read.
    #[error("the tenant has changed")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Changes a tenant; every process knows within a moment of the commit.
///
/// # Errors
/// [`UpdateTenantError`].
pub async fn update_tenant(
    control: &Control,
    now: Timestamp,
    tx: &ControlTx,
    id: TenantId,
    input: UpdateTenant,
) -> Result<TenantView, UpdateTenantError> {
    let settings = input.settings.as_ref().map(settings_json).transpose()?;
    let tier = input.tier.map(Tier::as_str);
    let changed = tx
        .execute(
            include_str!("update_tenant.sql"),
            &[&id, &input.name, &tier, &settings, &input.version, &now],
        )
        .await?;
    let tenant = find_tenant_by_id(tx, id).await?.ok_or(UpdateTenantError::NotFound)?;
    if changed == 0 {
        return Err(UpdateTenantError::Changed);
    }
    control.announce(tx, Change::Tenant(id)).await?;
    Ok(tenant)
}
