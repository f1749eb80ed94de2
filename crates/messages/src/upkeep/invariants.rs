//! What `markethall check` asks about messages.

use db::{Db, DbError, TenantTx};
use jiff::Timestamp;
use kernel::{Placement, Violation};

use crate::MessageId;

const TENANT: [&str; 3] =
    ["delivery_has_message", "handled_message_is_not_pending", "dead_letter_was_not_handled"];
const DATABASE: [&str; 3] =
    ["relay_cursor_is_sane", "message_read_within_a_minute", "message_delivered_within_a_minute"];

/// Checks one tenant's messages: every delivery has its message; nothing handled is on its way or given up.
///
/// # Errors
/// Any [`DbError`].
pub async fn invariants(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let rows = tx.query(include_str!("tenant_invariants.sql"), &[&tx.tenant_id()]).await?;
    let mut found = Vec::new();
    for row in rows {
        let (id, consumer): (MessageId, &str) = (row.try_get("message_id")?, row.try_get("consumer")?);
        found.push(Violation {
            invariant: named(&TENANT, row.try_get("invariant")?),
            subject: id.to_string(),
            detail: format!("for consumer {consumer}"),
        });
    }
    Ok(found)
}

/// Checks the relay of one database: its cursor is behind no number not given out, and while a process has been leading
/// for a minute no message waits longer than that, unless it is being retried.
///
/// # Errors
/// Any [`DbError`].
pub async fn database_invariants(
    db: &Db,
    placement: &Placement,
    now: Timestamp,
) -> Result<Vec<Violation>, DbError> {
    let conn = db.relay(placement).await?;
    let rows = conn.query(include_str!("database_invariants.sql"), &[&now]).await?;
    let mut found = Vec::new();
    for row in rows {
        let subject: &str = row.try_get("subject")?;
        found.push(Violation {
            invariant: named(&DATABASE, row.try_get("invariant")?),
            subject: format!("{}: {subject}", placement.database),
            detail: row.try_get("detail")?,
        });
    }
    Ok(found)
}

fn named(known: &[&'static str], name: &str) -> &'static str {
    known.iter().find(|known| **known == name).copied().unwrap_or("messages")
}
