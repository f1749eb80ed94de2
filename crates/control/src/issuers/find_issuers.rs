//! Use cases: the issuers of a tenant.

use db::{ControlTx, DbError, Row};
use kernel::TenantId;
use serde_json::Value;

use super::{Issuer, SigningAlgorithm};

/// All tenants' issuers together; they are kept in memory.
const MOST: i64 = 10_000;

/// The issuers of one tenant by name; at most [`super::change_issuer::MOST_PER_TENANT`].
///
/// # Errors
/// [`DbError`].
pub async fn list_issuers(tx: &ControlTx, tenant: TenantId) -> Result<Vec<Issuer>, DbError> {
    list(tx, Some(tenant), None, false).await
}

/// The issuer of that name.
///
/// # Errors
/// [`DbError`].
pub async fn find_issuer(tx: &ControlTx, tenant: TenantId, name: &str) -> Result<Option<Issuer>, DbError> {
    Ok(list(tx, Some(tenant), Some(name), false).await?.pop())
}

pub(super) async fn list_active_issuers(tx: &ControlTx) -> Result<Vec<Issuer>, DbError> {
    list(tx, None, None, true).await
}

async fn list(
    tx: &ControlTx,
    tenant: Option<TenantId>,
    name: Option<&str>,
    active_only: bool,
) -> Result<Vec<Issuer>, DbError> {
    let rows = tx.query(include_str!("list_issuers.sql"), &[&tenant, &name, &active_only, &MOST]).await?;
    rows.iter().map(decode).collect()
}

fn decode(row: &Row) -> Result<Issuer, DbError> {
    let algorithms: Vec<&str> = row.try_get(6)?;
    let mapping: Value = row.try_get(7)?;
    let broken = |error: serde_json::Error| DbError::Other(format!("claim mapping: {error}"));
    Ok(Issuer {
        tenant: row.try_get(0)?,
        tenant_slug: row.try_get(1)?,
        id: row.try_get(2)?,
        name: row.try_get(3)?,
        url: row.try_get(4)?,
        audience: row.try_get(5)?,
        // An algorithm that a newer program allows is not allowed by this one.
        algorithms: algorithms.into_iter().filter_map(SigningAlgorithm::read).collect(),
        mapping: serde_json::from_value(mapping).map_err(broken)?,
        active: row.try_get(8)?,
        created_at: row.try_get(9)?,
        updated_at: row.try_get(10)?,
        version: row.try_get(11)?,
    })
}
