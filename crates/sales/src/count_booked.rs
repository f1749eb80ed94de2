//! Use cases for bills: how many sales were booked on which day, and which. The book of record is never changed, so that both
//! give the same whenever they are asked; history that was imported is no sale made here.

use db::{DbError, TenantTx};
use jiff::SignedDuration;
use kernel::Timestamp;

use crate::{booking::receipt_number, model::SaleId};

/// What was booked so soon after it happened is found by when it happened; as in the index `sales.sale_late`.
const IN_TIME: SignedDuration = SignedDuration::from_hours(24);

/// A sale as it was booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedSale {
    /// Identity.
    pub id: SaleId,
    /// The number on the receipt.
    pub receipt_number: String,
    /// When it was written into the book.
    pub booked_at: Timestamp,
}

/// How many sales were booked at or after `from` and before `until`, by day (UTC) as `yyyy-mm-dd`; days without any are left out.
///
/// # Errors
/// [`DbError`].
pub async fn count_booked(
    tx: &TenantTx,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<(String, i64)>, DbError> {
    let (early, late) = around(from, until);
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &from, &until, &early, &late];
    let rows = tx.query(include_str!("count_booked.sql"), params).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// These sales one by one, at most `limit`, by time of booking and identifier, those after `after`.
///
/// # Errors
/// [`DbError`].
pub async fn list_booked(
    tx: &TenantTx,
    from: Timestamp,
    until: Timestamp,
    after: Option<(Timestamp, SaleId)>,
    limit: i64,
) -> Result<Vec<BookedSale>, DbError> {
    let ((early, late), (at, id)) = (around(from, until), after.unzip());
    let params: &[&(dyn db::types::ToSql + Sync)] =
        &[&tx.tenant_id(), &from, &until, &early, &late, &at, &id, &limit];
    let rows = tx.query(include_str!("list_booked.sql"), params).await?;
    let decode = |row: &db::Row| {
        Ok(BookedSale {
            id: row.try_get(0)?,
            booked_at: row.try_get(1)?,
            receipt_number: receipt_number(row.try_get(2)?, row.try_get(3)?),
        })
    };
    rows.iter().map(decode).collect()
}

/// When that happened which was booked in time: a day on either side.
fn around(from: Timestamp, until: Timestamp) -> (Timestamp, Timestamp) {
    let early = from.checked_sub(IN_TIME).unwrap_or(Timestamp::MIN);
    (db::storable(early), until.checked_add(IN_TIME).unwrap_or(until))
}
