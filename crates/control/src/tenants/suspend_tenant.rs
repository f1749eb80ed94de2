//! Use cases: stop a tenant, and let it trade again.

use db::{ControlTx, DbError};
use kernel::{TenantId, TenantStatus, Timestamp};

use super::{
    find_tenant::find_tenant_by_id,
    model::{TenantView, status_text},
};
use crate::{Control, change::Change};

/// Why a tenant was not suspended or resumed.
#[derive(Debug, thiserror::Error)]
pub enum SuspendError {
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NotFound,
    /// It stands where neither makes sense: it is still being set up.
    #[error("the tenant is {0}")]
    NotPossible(&'static str),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Stops an active tenant: nobody signs in, every request is refused. One that is suspended stays so.
///
/// # Errors
/// [`SuspendError`].
pub async fn suspend_tenant(
    control: &Control,
    now: Timestamp,
    tx: &ControlTx,
    id: TenantId,
) -> Result<TenantView, SuspendError> {
    change_status(control, now, tx, id, TenantStatus::Active, TenantStatus::Suspended).await
}

/// Lets a suspended tenant trade again. One that is active stays so.
///
/// # Errors
/// [`SuspendError`].
pub async fn resume_tenant(
    control: &Control,
    now: Timestamp,
    tx: &ControlTx,
    id: TenantId,
) -> Result<TenantView, SuspendError> {
    change_status(control, now, tx, id, TenantStatus::Suspended, TenantStatus::Active).await
}

async fn change_status(
    control: &Control,
    now: Timestamp,
    tx: &ControlTx,
    id: TenantId,
    from: TenantStatus,
    to: TenantStatus,
) -> Result<TenantView, SuspendError> {
    let changed = tx
        .execute(include_str!("change_status.sql"), &[&id, &status_text(from), &status_text(to), &now])
        .await?;
    let tenant = find_tenant_by_id(tx, id).await?.ok_or(SuspendError::NotFound)?;
    if changed == 1 {
        control.announce(tx, Change::Tenant(id)).await?;
        tracing::info!(tenant.id = %id, status = status_text(to), "tenant status changed");
    } else if tenant.status != to {
        return Err(SuspendError::NotPossible(status_text(tenant.status)));
    }
    Ok(tenant)
}
