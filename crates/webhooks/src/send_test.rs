//! Use case: send a message that says nothing, to see whether a receiver hears.

use db::{DbError, TenantTx};
use messages::MessageId;
use serde_json::json;

use crate::{
    delivery::{Delivery, decode_delivery},
    model::{DeliveryId, WebhookId},
    subscription::find_webhook,
};

/// The type of test messages; no webhook needs to wait for it.
pub const TEST_KIND: &str = "WebhookTest";

/// Why no test message is sent.
#[derive(Debug, thiserror::Error)]
pub enum SendTestError {
    /// No such webhook in this tenant.
    #[error("no such webhook")]
    NotFound,
    /// It is off.
    #[error("the webhook is off")]
    Off,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Makes a delivery of a `WebhookTest` message, signed, retried and logged as any other.
///
/// # Errors
/// [`SendTestError`].
pub async fn send_test(tx: &TenantTx, webhook: WebhookId) -> Result<Delivery, SendTestError> {
    let (tenant, now, message) = (tx.tenant_id(), tx.ctx().now(), MessageId::new());
    let subject = webhook.to_string();
    let body = json!({
        "type": TEST_KIND, "timestamp": now, "data": { "webhookId": webhook }, "tenant": tenant, "subject": subject,
        "id": message
    });
    let row = tx
        .query_opt(
            include_str!("send_test.sql"),
            &[&tenant, &subject, &DeliveryId::new(), &message, &TEST_KIND, &body.to_string(), &now, &webhook],
        )
        .await?;
    match row {
        Some(row) => Ok(decode_delivery(&row)?),
        None if find_webhook(tx, webhook).await?.is_none() => Err(SendTestError::NotFound),
        None => Err(SendTestError::Off),
    }
}
