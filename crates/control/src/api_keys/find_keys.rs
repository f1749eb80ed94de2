//! Use cases: the API keys of a tenant.

use db::{ControlTx, DbError, Row};
use kernel::TenantId;

use super::{ApiKey, ApiKeyId};

/// A page of keys, the youngest first; `limit` as SQL needs it.
///
/// # Errors
/// [`DbError`].
pub async fn list_keys(
    tx: &ControlTx,
    tenant: TenantId,
    before: Option<ApiKeyId>,
    limit: i64,
) -> Result<Vec<ApiKey>, DbError> {
    let rows = tx.query(include_str!("list_keys.sql"), &[&tenant, &before, &limit]).await?;
    rows.iter().map(decode).collect()
}

/// One key.
///
/// # Errors
/// [`DbError`].
pub async fn find_key(tx: &ControlTx, tenant: TenantId, id: ApiKeyId) -> Result<Option<ApiKey>, DbError> {
    let row = tx.query_opt(include_str!("find_key.sql"), &[&tenant, &id]).await?;
    row.map(|row| decode(&row)).transpose()
}

fn decode(row: &Row) -> Result<ApiKey, DbError> {
    Ok(ApiKey {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        permissions: row.try_get(2)?,
        created_by: row.try_get(3)?,
        created_at: row.try_get(4)?,
        expires_at: row.try_get(5)?,
        revoked_at: row.try_get(6)?,
        last_used_at: row.try_get(7)?,
    })
}
