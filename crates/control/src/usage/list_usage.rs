//! Use cases: what tenants used.

use db::{ControlTx, DbError, Row};
use kernel::{TenantId, Timestamp};

use super::{Days, PeriodUsage, TenantUsage, UsedView};
use crate::tenants::read_tier;

/// Which tenants' use.
#[derive(Debug, Clone)]
pub struct UsageFilter {
    /// On these days.
    pub days: Days,
    /// Of the tenant of this slug.
    pub tenant: Option<String>,
    /// Only those after this slug.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// What tenants used on some days in all, by slug; who used nothing is not there.
///
/// # Errors
/// [`DbError`].
pub async fn list_usage(tx: &ControlTx, filter: &UsageFilter) -> Result<Vec<TenantUsage>, DbError> {
    let (first, last) = (filter.days.first(), filter.days.last());
    let rows = tx
        .query(
            include_str!("list_usage.sql"),
            &[&first, &last, &filter.tenant, &filter.after, &filter.limit.max(1)],
        )
        .await?;
    let decode = |row: &Row| {
        Ok(TenantUsage { tenant: row.try_get(0)?, tier: read_tier(row.try_get(1)?)?, used: used(row, 2)? })
    };
    rows.iter().map(decode).collect()
}

/// What one tenant used, by day or by hour, oldest first, after a moment.
///
/// # Errors
/// [`DbError`].
pub async fn list_own_usage(
    tx: &ControlTx,
    tenant: TenantId,
    days: Days,
    by_hour: bool,
    after: Option<Timestamp>,
    limit: i64,
) -> Result<Vec<PeriodUsage>, DbError> {
    let statement = if by_hour { include_str!("list_hours.sql") } else { include_str!("list_days.sql") };
    let (first, last) = (days.first(), days.last());
    let rows = tx.query(statement, &[&tenant, &first, &last, &after, &limit.clamp(1, 1000)]).await?;
    rows.iter().map(|row| Ok(PeriodUsage { from: row.try_get(0)?, used: used(row, 1)? })).collect()
}

/// Reads calls, bytes in, bytes out, milliseconds, messages, rows and bytes held, milliseconds of the database and rows moved from column `at` on.
fn used(row: &Row, at: usize) -> Result<UsedView, DbError> {
    Ok(UsedView {
        calls: row.try_get(at)?,
        received_bytes: row.try_get(at + 1)?,
        sent_bytes: row.try_get(at + 2)?,
        worked_ms: row.try_get(at + 3)?,
        messages: row.try_get(at + 4)?,
        stored_rows: row.try_get(at + 5)?,
        stored_bytes: row.try_get(at + 6)?,
        database_ms: row.try_get(at + 7)?,
        moved_rows: row.try_get(at + 8)?,
    })
}
