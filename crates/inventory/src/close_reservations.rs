//! The capacity primitive, second half: end holds by confirming, releasing or expiring them.

use db::{DbError, Row, Stmt, TenantTx};
use kernel::Ctx;
use uuid::Uuid;

use crate::model::{ReservationId, ShopId};

/// How a reservation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The units leave the shelf; only before it expires.
    Confirmed,
    /// The units are given back because they are not wanted any more.
    Released,
    /// The units are given back because time is up; only from then on.
    Expired,
}

impl Ending {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }
}

/// One line of a reservation that has just ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClosedLine {
    /// The reservation.
    pub reservation: ReservationId,
    /// Where.
    pub shop: ShopId,
    /// What.
    pub sku: String,
    /// How many, in thousandths.
    pub quantity: i64,
}

/// The statement that ends those of `ids` that are open (and in time for `ending`), each exactly once.
///
/// Reservations that are not among the answered lines were left as they are. Row locks: reservations by id, then
/// stock by (SKU, shop); a caller that holds stock rows already must be ready to retry a [`DbError::Conflict`].
#[must_use]
pub fn close_reservations_stmt(ctx: &Ctx, ids: &[ReservationId], ending: Ending) -> Stmt {
    close_stmt(ctx, ids.iter().map(|id| id.0).collect(), ending, None)
}

/// The statement that confirms those of `sold` (each with the sale that takes the units) that are open, each exactly
/// once, whether or not their time is over: as long as they are open the units are there. The units leave the shelf by
/// movements of the sale. Otherwise as [`close_reservations_stmt`].
#[must_use]
pub fn sell_reservations_stmt(ctx: &Ctx, sold: &[(ReservationId, Uuid)]) -> Stmt {
    let (ids, sales) = sold.iter().map(|(reservation, sale)| (reservation.0, *sale)).unzip();
    close_stmt(ctx, ids, Ending::Confirmed, Some(sales))
}

fn close_stmt(ctx: &Ctx, ids: Vec<Uuid>, ending: Ending, sales: Option<Vec<Uuid>>) -> Stmt {
    Stmt::new(include_str!("close_reservations.sql"))
        .bind(ctx.tenant_id())
        .bind(ids)
        .bind(ending.as_str())
        .bind(ctx.now())
        .bind(sales)
}

/// Reads the rows of [`close_reservations_stmt`] and [`sell_reservations_stmt`], ordered by reservation.
///
/// # Errors
/// [`DbError::Other`] when the rows are not of that statement.
pub fn decode_closed(rows: &[Row]) -> Result<Vec<ClosedLine>, DbError> {
    rows.iter()
        .map(|row| {
            Ok(ClosedLine {
                reservation: row.try_get(0)?,
                shop: row.try_get(1)?,
                sku: row.try_get(2)?,
                quantity: row.try_get(3)?,
            })
        })
        .collect()
}

/// Ends reservations; see [`close_reservations_stmt`].
///
/// # Errors
/// [`DbError`].
pub async fn close_reservations(
    tx: &TenantTx,
    ids: &[ReservationId],
    ending: Ending,
) -> Result<Vec<ClosedLine>, DbError> {
    decode_closed(&tx.run(close_reservations_stmt(tx.ctx(), ids, ending)).await?)
}
