//! Use case: page through the shops in the order of their codes.

use db::{DbError, TenantTx};

use crate::{find_shops::decode_shops, shop::Shop};

/// At most `limit` shops with a code after `after`.
///
/// # Errors
/// [`DbError`].
pub async fn list_shops(tx: &TenantTx, after: Option<&str>, limit: i64) -> Result<Vec<Shop>, DbError> {
    let rows = tx.query(include_str!("list_shops.sql"), &[&tx.tenant_id(), &after, &limit]).await?;
    decode_shops(&rows)
}
