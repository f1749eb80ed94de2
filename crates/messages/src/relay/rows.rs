//! Messages as rows of the outbox.

use std::sync::Arc;

use db::{DbError, Row, types::Json};
use serde_json::value::RawValue;

use crate::Message;

/// Reads the outbox columns of `row`.
pub(crate) fn message(row: &Row) -> Result<Message, DbError> {
    let text = |name: &str| -> Result<Arc<str>, DbError> { Ok(row.try_get::<_, &str>(name)?.into()) };
    let Json(data): Json<Box<RawValue>> = row.try_get("data")?;
    Ok(Message {
        id: row.try_get("id")?,
        seq: row.try_get("seq")?,
        tenant: row.try_get("tenant_id")?,
        kind: text("kind")?,
        subject: text("subject")?,
        time: row.try_get("created_at")?,
        correlation_id: text("correlation_id")?,
        traceparent: row.try_get::<_, Option<&str>>("traceparent")?.map(Into::into),
        data,
    })
}
