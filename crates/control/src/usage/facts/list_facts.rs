//! Use case: the facts behind a number, one by one.

use db::{DbError, TenantTx};
use jiff::civil::Date;
use kernel::Timestamp;
use uuid::Uuid;

use super::{BillableFacts, Fact};
use crate::usage::range::moments;

/// The facts of one kind on one day (UTC), as many as its count says once the day is settled.
///
/// # Errors
/// [`DbError`].
pub async fn list_facts(
    tx: &TenantTx,
    facts: &dyn BillableFacts,
    day: Date,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<Fact>, DbError> {
    let (from, until) = moments(day, day)?;
    facts.list(tx, from, until, after, limit.clamp(1, 1000)).await
}
