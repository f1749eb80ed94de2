//! Confirming holds whose goods leave by a sale: the hold ends, the sale's own movements take the units.

use db::Stmt;
use kernel::Ctx;
use uuid::Uuid;

use crate::model::ReservationId;

/// The statement that confirms those of `sold` (each with the sale that takes the units) that are open, each exactly
/// once, whether or not their time is over: as long as they are open the units are there.
///
/// Nothing leaves the shelf by it. In the same transaction the caller posts the sales' movements, for which the units
/// are available again, and nobody else comes between, as the stock rows are locked. Read its rows with
/// [`crate::decode_closed`].
#[must_use]
pub fn sell_reservations_stmt(ctx: &Ctx, sold: &[(ReservationId, Uuid)]) -> Stmt {
    Stmt::new(include_str!("sell_reservations.sql"))
        .bind(ctx.tenant_id())
        .bind(sold.iter().map(|(reservation, _)| reservation.0).collect::<Vec<_>>())
        .bind(sold.iter().map(|(_, sale)| *sale).collect::<Vec<_>>())
        .bind(ctx.now())
}
