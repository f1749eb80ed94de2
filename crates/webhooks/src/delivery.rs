//! What a delivery is, and how its rows are read.

use db::{DbError, Row, TenantTx};
use jiff::Timestamp;
use messages::MessageId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{DeliveryId, DeliveryState, WebhookId};

/// One message on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Identity.
    pub id: DeliveryId,
    /// Where it goes.
    pub webhook_id: WebhookId,
    /// The message, as in the header `webhook-id`; the same in every attempt and replay.
    #[schema(value_type = String)]
    pub message_id: MessageId,
    /// The message's type.
    #[serde(rename = "type")]
    #[schema(max_length = 100)]
    pub kind: String,
    /// What the message is about.
    #[schema(max_length = 200)]
    pub subject: String,
    /// What became of it.
    pub state: DeliveryState,
    /// Attempts so far, replays included.
    #[schema(minimum = 0)]
    pub attempts: i32,
    /// When it is sent next; absent when it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    /// When it was last sent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub attempted_at: Option<Timestamp>,
    /// How long the last attempt took, in milliseconds.
    #[schema(minimum = 0)]
    pub duration_ms: Option<i32>,
    /// The HTTP status of the last answer; absent when none came.
    #[schema(minimum = 100, maximum = 999)]
    pub response_status: Option<i32>,
    /// How the last answer began: at most 1,024 bytes.
    #[schema(max_length = 1024)]
    pub response_body: Option<String>,
    /// What was wrong with the last attempt.
    #[schema(max_length = 500)]
    pub error: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was delivered, given up or dropped.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

/// The delivery of that id.
///
/// # Errors
/// [`DbError`].
pub async fn find_delivery(tx: &TenantTx, id: DeliveryId) -> Result<Option<Delivery>, DbError> {
    let row = tx.query_opt(include_str!("find_delivery.sql"), &[&tx.tenant_id(), &id]).await?;
    row.as_ref().map(decode_delivery).transpose()
}

/// At most `limit` deliveries of a webhook, latest first, before `before`; of all states or of one.
///
/// # Errors
/// [`DbError`].
pub async fn list_deliveries(
    tx: &TenantTx,
    webhook: WebhookId,
    state: Option<DeliveryState>,
    before: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<Delivery>, DbError> {
    let state = state.map(DeliveryState::as_str);
    let params: [&(dyn db::types::ToSql + Sync); 5] = [&tx.tenant_id(), &webhook, &state, &before, &limit];
    let rows = tx.query(include_str!("list_deliveries.sql"), &params).await?;
    rows.iter().map(decode_delivery).collect()
}

/// Reads a row of the columns that every statement about deliveries returns.
pub(crate) fn decode_delivery(row: &Row) -> Result<Delivery, DbError> {
    Ok(Delivery {
        id: row.try_get("id")?,
        webhook_id: row.try_get("subscription_id")?,
        message_id: row.try_get("message_id")?,
        kind: row.try_get("kind")?,
        subject: row.try_get("subject")?,
        state: DeliveryState::parse(row.try_get("state")?),
        attempts: row.try_get("attempts")?,
        next_attempt_at: row.try_get("next_attempt_at")?,
        attempted_at: row.try_get("attempted_at")?,
        duration_ms: row.try_get("duration_ms")?,
        response_status: row.try_get("response_status")?,
        response_body: row.try_get("response_body")?,
        error: row.try_get("error")?,
        created_at: row.try_get("created_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}
