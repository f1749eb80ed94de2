//! What every change of a tenant's webhooks has in common: one at a time, and the relay is told what they wait for.

use db::{DbError, TenantTx};

use crate::collect::CONSUMER;

/// Until the end of the transaction nobody else changes webhooks of this tenant. Taken before any row of them.
pub(crate) async fn lock_webhooks(tx: &TenantTx) -> Result<(), DbError> {
    tx.query(include_str!("lock_webhooks.sql"), &[&tx.tenant_id()]).await.map(drop)
}

/// Asks for the messages that the tenant's active webhooks wait for, and no others; after a change, behind the lock.
pub(crate) async fn request_messages(tx: &TenantTx) -> Result<(), DbError> {
    let rows = tx.query(include_str!("wanted_types.sql"), &[&tx.tenant_id()]).await?;
    let mut kinds = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<&str>, _>>()?;
    if kinds.contains(&messages::EVERY_KIND) {
        kinds = vec![messages::EVERY_KIND];
    }
    messages::request(tx, CONSUMER, &kinds).await
}
