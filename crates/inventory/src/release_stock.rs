//! Use case: give held units back.

use db::TenantTx;

use crate::{
    close_reservations::Ending,
    confirm_stock::{CloseReservationError, close},
    model::ReservationId,
    reservation::{Reservation, ReservationState},
};

/// Gives the units of a reservation back, once, and publishes `StockReleased`.
///
/// Releasing one that is released or expired already changes nothing and succeeds: the units are back.
///
/// # Errors
/// [`CloseReservationError::Closed`] when it was confirmed.
pub async fn release_stock(tx: &TenantTx, id: ReservationId) -> Result<Reservation, CloseReservationError> {
    close(tx, id, Ending::Released, &[ReservationState::Released, ReservationState::Expired]).await
}
