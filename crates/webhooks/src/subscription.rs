//! What a webhook is, and how its rows are read.

use db::{DbError, Row, TenantTx};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{DisabledReason, WebhookId};

/// A merchant's wish to be told of messages at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Identity.
    pub id: WebhookId,
    /// Where messages are sent.
    #[schema(min_length = 1, max_length = 2048)]
    pub url: String,
    /// Names of message types; `*` alone for all of them.
    #[schema(min_items = 1, max_items = 200)]
    pub types: Vec<String>,
    /// A remark for people.
    #[schema(max_length = 500)]
    pub description: String,
    /// Whether messages are sent.
    pub active: bool,
    /// Since when no message has arrived; absent while they do.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// When Markethall switched it off.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub disabled_at: Option<Timestamp>,
    /// Why Markethall switched it off.
    pub disabled_reason: Option<DisabledReason>,
    /// Until when messages are signed with the secret before the last rotation too.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub old_secret_until: Option<Timestamp>,
    /// Counts the changes; the `ETag`.
    #[schema(minimum = 1)]
    pub version: i32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// The webhook of that id.
///
/// # Errors
/// [`DbError`].
pub async fn find_webhook(tx: &TenantTx, id: WebhookId) -> Result<Option<Webhook>, DbError> {
    let row = tx.query_opt(include_str!("find_webhook.sql"), &[&tx.tenant_id(), &id]).await?;
    row.as_ref().map(decode_webhook).transpose()
}

/// At most `limit` webhooks with an id after `after`.
///
/// # Errors
/// [`DbError`].
pub async fn list_webhooks(
    tx: &TenantTx,
    after: Option<WebhookId>,
    limit: i64,
) -> Result<Vec<Webhook>, DbError> {
    let rows = tx.query(include_str!("list_webhooks.sql"), &[&tx.tenant_id(), &after, &limit]).await?;
    rows.iter().map(decode_webhook).collect()
}

/// Reads a row of the columns that every statement about webhooks returns.
pub(crate) fn decode_webhook(row: &Row) -> Result<Webhook, DbError> {
    Ok(Webhook {
        id: row.try_get("id")?,
        url: row.try_get("url")?,
        types: row.try_get("types")?,
        description: row.try_get("description")?,
        active: row.try_get("active")?,
        failing_since: row.try_get("failing_since")?,
        disabled_at: row.try_get("disabled_at")?,
        disabled_reason: row.try_get::<_, Option<&str>>("disabled_reason")?.map(DisabledReason::parse),
        old_secret_until: row.try_get("old_secret_until")?,
        version: row.try_get("version")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}
