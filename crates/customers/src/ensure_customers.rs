//! For other domains: customers by id or by the merchant's own reference, set-based.

use std::collections::{HashMap, HashSet};

use db::{DbError, Row, Stmt, TenantTx};
use kernel::Ctx;
use uuid::Uuid;

use crate::CustomerId;

/// Finds customers by reference and creates those that do not exist, for imports. Every reference given is a key of
/// the answer; references beyond the rules of [`crate::is_reference`] are the caller's to refuse.
///
/// # Errors
/// [`DbError`].
pub async fn ensure_customers(
    tx: &TenantTx,
    references: &[&str],
) -> Result<HashMap<String, CustomerId>, DbError> {
    let mut wanted: Vec<&str> = references.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let mut found = find_references(tx, &wanted).await?;
    wanted.retain(|reference| !found.contains_key(*reference));
    if wanted.is_empty() {
        return Ok(found);
    }
    let ids: Vec<Uuid> = wanted.iter().map(|_| CustomerId::new().0).collect();
    let now = tx.ctx().now();
    tx.execute(include_str!("create_references.sql"), &[&tx.tenant_id(), &ids, &wanted, &now]).await?;
    // Read again: another transaction may have created some of them first.
    found.extend(find_references(tx, &wanted).await?);
    Ok(found)
}

async fn find_references(tx: &TenantTx, references: &[&str]) -> Result<HashMap<String, CustomerId>, DbError> {
    if references.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = tx.query(include_str!("find_references.sql"), &[&tx.tenant_id(), &references]).await?;
    rows.iter().map(|row| Ok((row.try_get("reference")?, row.try_get("id")?))).collect()
}

/// Asks which of `ids` are customers of the tenant; read the rows with [`decode_exists`].
#[must_use]
pub fn exists_stmt(ctx: &Ctx, ids: &[CustomerId]) -> Stmt {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    Stmt::new(include_str!("exists.sql")).bind(ctx.tenant_id()).bind(ids)
}

/// Reads the rows of [`exists_stmt`].
///
/// # Errors
/// [`DbError::Other`] when a column is not what it should be.
pub fn decode_exists(rows: &[Row]) -> Result<HashSet<CustomerId>, DbError> {
    rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
}

/// Whether `id` is a customer of the tenant, active or not.
///
/// # Errors
/// [`DbError`].
pub async fn exists(tx: &TenantTx, id: CustomerId) -> Result<bool, DbError> {
    let rows = tx.run(exists_stmt(tx.ctx(), &[id])).await?;
    Ok(!rows.is_empty())
}
