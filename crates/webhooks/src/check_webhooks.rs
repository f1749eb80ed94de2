//! What `markethall check` asks about webhooks.

use db::{DbError, TenantTx};
use kernel::Violation;

use crate::{model::DeliveryId, schedule::TRIES_MAX};

const KNOWN: [&str; 3] =
    ["webhook_delivery_has_message", "webhook_delivery_has_webhook", "webhook_attempts_add_up"];

/// Checks one tenant's webhooks: every delivery has what it sends and where to, and no more attempts than there may be.
///
/// # Errors
/// [`DbError`].
pub async fn invariants(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let rows = tx.query(include_str!("check_webhooks.sql"), &[&tx.tenant_id(), &TRIES_MAX]).await?;
    let mut found = Vec::new();
    for row in rows {
        let (name, id): (&str, DeliveryId) = (row.try_get("invariant")?, row.try_get("id")?);
        let invariant = KNOWN.into_iter().find(|known| *known == name).unwrap_or("webhooks");
        found.push(Violation { invariant, subject: id.to_string(), detail: row.try_get("detail")? });
    }
    Ok(found)
}
