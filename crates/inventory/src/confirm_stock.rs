//! Use case: the held units leave the shelf.

use db::{DbError, TenantTx};

use crate::{
    close_reservations::{Ending, close_reservations},
    events::reservations_closed,
    model::ReservationId,
    reservation::{Reservation, ReservationState, find_reservation},
};

/// Why a reservation was not ended.
#[derive(Debug, thiserror::Error)]
pub enum CloseReservationError {
    /// No such reservation in this tenant.
    #[error("no such reservation")]
    NotFound,
    /// It has ended in another way.
    #[error("the reservation is {0:?}")]
    Closed(ReservationState),
    /// It is too late to confirm it.
    #[error("the reservation has expired")]
    Overdue,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Takes the units of a reservation from the shelf by movements, once, and publishes `StockConfirmed`.
///
/// Confirming again changes nothing and succeeds. From its expiry on it is refused, whether or not the job that
/// gives the units back has already run.
///
/// # Errors
/// [`CloseReservationError`].
pub async fn confirm_stock(tx: &TenantTx, id: ReservationId) -> Result<Reservation, CloseReservationError> {
    close(tx, id, Ending::Confirmed, &[ReservationState::Confirmed]).await
}

/// Ends one reservation, or finds it in one of the states that are as good.
pub(crate) async fn close(
    tx: &TenantTx,
    id: ReservationId,
    ending: Ending,
    as_good: &[ReservationState],
) -> Result<Reservation, CloseReservationError> {
    let closed = close_reservations(tx, &[id], ending).await?;
    if !closed.is_empty() {
        messages::publish(tx, &reservations_closed(&closed, ending)).await?;
    }
    let reservation = find_reservation(tx, id).await?.ok_or(CloseReservationError::NotFound)?;
    match reservation.state {
        state if as_good.contains(&state) => Ok(reservation),
        ReservationState::Open | ReservationState::Expired => Err(CloseReservationError::Overdue),
        state => Err(CloseReservationError::Closed(state)),
    }
}
