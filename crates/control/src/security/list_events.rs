//! Use case: security events, the youngest first.

use db::{ControlTx, DbError, Row};
use kernel::{TenantId, Timestamp};

use super::{EventKind, SecurityEventId, SecurityEventView};

/// Which events; all conditions hold together.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// Of this kind.
    pub kind: Option<EventKind>,
    /// By this user, key, customer or guest.
    pub actor: Option<String>,
    /// At or after.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Only those that follow this one in the list.
    pub after: Option<(Timestamp, SecurityEventId)>,
    /// At most so many, 1 to 1000.
    pub limit: i64,
}

/// A page of events.
///
/// # Errors
/// [`DbError`].
pub async fn list_events(tx: &ControlTx, filter: &EventFilter) -> Result<Vec<SecurityEventView>, DbError> {
    let kind = filter.kind.map(EventKind::as_str);
    let (time, id) = filter.after.unzip();
    let limit = filter.limit.clamp(1, 1000);
    let rows = tx
        .query(
            include_str!("list_events.sql"),
            &[&filter.tenant, &kind, &filter.actor, &filter.from, &filter.to, &time, &id, &limit],
        )
        .await?;
    rows.iter().map(decode).collect()
}

fn decode(row: &Row) -> Result<SecurityEventView, DbError> {
    let kind: &str = row.try_get(2)?;
    let unknown = || DbError::Other(format!("a security event is of the unknown kind {kind}"));
    Ok(SecurityEventView {
        id: row.try_get(0)?,
        occurred_at: row.try_get(1)?,
        kind: EventKind::parse(kind).ok_or_else(unknown)?,
        tenant_id: row.try_get(3)?,
        actor: row.try_get(4)?,
        address: row.try_get(5)?,
        agent: row.try_get(6)?,
        reason: row.try_get(7)?,
        subject: row.try_get(8)?,
        operation: row.try_get(9)?,
        correlation_id: row.try_get(10)?,
        times: row.try_get(11)?,
    })
}
