//! Use cases for bills: how many sales were booked on which day, and which. The book of record is never changed, so that both
//! give the same whenever they are asked; history that was imported is no sale made here.

use db::{DbError, TenantTx};
use kernel::Timestamp;

use crate::{booking::receipt_number, model::SaleId};

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
    let rows = tx.query(include_str!("count_booked.sql"), &[&tx.tenant_id(), &from, &until]).await?;
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
    let (at, id) = after.unzip();
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &from, &until, &at, &id, &limit];
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
