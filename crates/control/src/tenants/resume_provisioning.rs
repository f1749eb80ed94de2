//! Use case: go on with tenants whose setting up was interrupted or failed; run by a job.

use db::DbError;
use kernel::{TenantId, Timestamp};
use uuid::Uuid;

use super::provision::provision;
use crate::Control;

/// So many in one run; the rest wait for the next.
const AT_ONCE: i64 = 20;

/// Goes on with every tenant whose next try is due; returns how many were tried.
///
/// # Errors
/// [`DbError`] when the control database fails.
pub async fn resume_provisioning(control: &Control, now: Timestamp) -> Result<usize, DbError> {
    let tx = control.db().control().await?;
    let rows = tx.query(include_str!("list_due_provisioning.sql"), &[&now, &AT_ONCE]).await?;
    tx.commit().await?;
    for row in &rows {
        let tenant: TenantId = row.try_get(0)?;
        provision(control, tenant, Uuid::now_v7()).await?;
    }
    Ok(rows.len())
}
