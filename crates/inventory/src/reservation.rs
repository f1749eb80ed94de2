//! What a reservation is, and how it is read.

use db::{DbError, Row, TenantTx};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::model::{ReservationId, ShopId};

/// Where a reservation stands. It leaves `open` once and for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReservationState {
    /// Units are held.
    Open,
    /// The units have left the shelf.
    Confirmed,
    /// The units were given back.
    Released,
    /// Time was up, the units were given back.
    Expired,
}

/// Units of one SKU at one shop that are held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationLine {
    /// Where.
    pub shop: ShopId,
    /// What.
    pub sku: String,
    /// How many, in thousandths.
    pub quantity: i64,
}

/// Units held for a checkout until confirmed, released or expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Identity.
    pub id: ReservationId,
    /// Where it stands.
    pub state: ReservationState,
    /// What it is for, in the caller's words.
    pub reference: Option<String>,
    /// From then on it cannot be confirmed.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it left `open`.
    pub closed_at: Option<Timestamp>,
    /// What is held, sorted by SKU and shop.
    pub lines: Vec<ReservationLine>,
}

/// The reservation with this id, if the tenant has it.
///
/// # Errors
/// [`DbError`].
pub async fn find_reservation(tx: &TenantTx, id: ReservationId) -> Result<Option<Reservation>, DbError> {
    let ids: [Uuid; 1] = [id.0];
    let rows = tx.query(include_str!("find_reservations.sql"), &[&tx.tenant_id(), &ids.as_slice()]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let mut reservation = decode_head(first)?;
    for row in &rows {
        reservation.lines.push(ReservationLine {
            shop: row.try_get(6)?,
            sku: row.try_get(7)?,
            quantity: row.try_get(8)?,
        });
    }
    Ok(Some(reservation))
}

fn decode_head(row: &Row) -> Result<Reservation, DbError> {
    let state = match row.try_get(1)? {
        "open" => ReservationState::Open,
        "confirmed" => ReservationState::Confirmed,
        "released" => ReservationState::Released,
        "expired" => ReservationState::Expired,
        other => return Err(DbError::Other(format!("a reservation is in the unknown state {other}"))),
    };
    Ok(Reservation {
        id: row.try_get(0)?,
        state,
        reference: row.try_get(2)?,
        expires_at: row.try_get(3)?,
        created_at: row.try_get(4)?,
        closed_at: row.try_get(5)?,
        lines: Vec::new(),
    })
}
