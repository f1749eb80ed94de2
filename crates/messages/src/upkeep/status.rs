//! Backlog, age and dead letters of a database, as health and metrics show them.

use std::sync::Arc;

use db::{DbError, RelayConn};
use jiff::Timestamp;
use kernel::Placement;

/// How a database's messages stand; counts stop at 10,000.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseStatus {
    /// The database.
    pub placement: Placement,
    /// When it was looked at; `None` while it cannot be reached.
    pub at: Option<Timestamp>,
    /// The process that leads, as it calls itself.
    pub leader: Option<Arc<str>>,
    /// Messages not read from the outbox yet, wanted or not.
    pub unread: i64,
    /// Deliveries on their way, one per message and consumer.
    pub pending: i64,
    /// Of these, with a failure behind them.
    pub retrying: i64,
    /// Age of the oldest message that is unread or on its way.
    pub oldest_age_ms: i64,
    /// Messages given up and not dealt with by an operator.
    pub dead_letters: i64,
}

impl DatabaseStatus {
    /// Whether this process has a session on the database to carry its messages.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.at.is_some()
    }

    /// The status of a database that cannot be reached.
    pub(crate) fn unreachable(placement: &Placement) -> Self {
        Self {
            placement: placement.clone(),
            at: None,
            leader: None,
            unread: 0,
            pending: 0,
            retrying: 0,
            oldest_age_ms: 0,
            dead_letters: 0,
        }
    }
}

/// Looks at a database.
pub(crate) async fn look(
    conn: &RelayConn,
    placement: &Placement,
    now: Timestamp,
) -> Result<DatabaseStatus, DbError> {
    let row = conn.query_one(include_str!("status.sql"), &[]).await?;
    let oldest: [Option<Timestamp>; 2] = [row.try_get("oldest_unread")?, row.try_get("oldest_pending")?];
    let oldest = oldest.into_iter().flatten().min();
    let age = oldest.map_or(0, |oldest| now.as_millisecond() - oldest.as_millisecond());
    let status = DatabaseStatus {
        placement: placement.clone(),
        at: Some(now),
        leader: row.try_get::<_, Option<&str>>("leader")?.map(Into::into),
        unread: row.try_get("unread")?,
        pending: row.try_get("pending")?,
        retrying: row.try_get("retrying")?,
        oldest_age_ms: age.max(0),
        dead_letters: row.try_get("dead_letters")?,
    };
    Ok(status)
}
