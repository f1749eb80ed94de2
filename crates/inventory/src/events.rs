//! The messages that inventory publishes: a contract, fields are only ever added.

use kernel::Timestamp;
use messages::{Draft, MessageType};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    close_reservations::{ClosedLine, Ending},
    hold_stock::Hold,
    model::{Applied, ReservationId, ShopId},
    units::Units,
};

/// Units are held.
pub const STOCK_RESERVED: MessageType = MessageType::of::<StockReserved>(
    "StockReserved",
    "Units are held for a checkout; the subject is the reservation.",
);
/// Held units were given back.
pub const STOCK_RELEASED: MessageType = MessageType::of::<StockReleased>(
    "StockReleased",
    "Held units were given back, on request or because time was up; the subject is the reservation.",
);
/// Held units have left the shelf.
pub const STOCK_CONFIRMED: MessageType = MessageType::of::<StockConfirmed>(
    "StockConfirmed",
    "Held units have left the shelf; the subject is the reservation.",
);
/// A shelf is low.
pub const LOW_STOCK_ALERT: MessageType = MessageType::of::<LowStockAlert>(
    "LowStockAlert",
    "What is available has fallen to the threshold or below, once per crossing; the subject is shop/SKU.",
);

/// All of them, for the catalogue.
pub const MESSAGE_TYPES: [MessageType; 4] =
    [STOCK_RESERVED, STOCK_RELEASED, STOCK_CONFIRMED, LOW_STOCK_ALERT];

/// Units of one SKU at one shop.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReservedUnits {
    shop_id: ShopId,
    sku: String,
    quantity: Units,
}

/// Units are held.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockReserved {
    reservation_id: ReservationId,
    #[schema(required)]
    reference: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    lines: Vec<ReservedUnits>,
}

/// Why held units were given back.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseCause {
    /// Somebody asked for it.
    Released,
    /// Time was up.
    Expired,
}

/// Held units were given back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockReleased {
    reservation_id: ReservationId,
    cause: ReleaseCause,
    lines: Vec<ReservedUnits>,
}

/// Held units have left the shelf.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockConfirmed {
    reservation_id: ReservationId,
    lines: Vec<ReservedUnits>,
}

/// A shelf is low.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LowStockAlert {
    shop_id: ShopId,
    sku: String,
    on_hand: Units,
    reserved: Units,
    available: Units,
    threshold: Units,
}

/// `StockReserved` for a hold that was granted.
#[must_use]
pub fn stock_reserved(hold: &Hold) -> Draft {
    let lines = hold.lines.iter().map(|line| ReservedUnits {
        shop_id: line.shop,
        sku: line.sku.clone(),
        quantity: Units(line.quantity.thousandths()),
    });
    let data = StockReserved {
        reservation_id: hold.id,
        reference: hold.reference.clone(),
        expires_at: hold.expires_at,
        lines: lines.collect(),
    };
    Draft::of(&STOCK_RESERVED, hold.id, &data)
}

/// `StockConfirmed` or `StockReleased`, one per reservation among `lines`, which are ordered by reservation.
#[must_use]
pub fn reservations_closed(lines: &[ClosedLine], ending: Ending) -> Vec<Draft> {
    lines
        .chunk_by(|a, b| a.reservation == b.reservation)
        .filter_map(|chunk| Some(reservation_closed(chunk.first()?.reservation, chunk, ending)))
        .collect()
}

fn reservation_closed(reservation_id: ReservationId, lines: &[ClosedLine], ending: Ending) -> Draft {
    let lines = lines.iter().map(|line| ReservedUnits {
        shop_id: line.shop,
        sku: line.sku.clone(),
        quantity: Units(line.quantity),
    });
    let lines = lines.collect();
    let released = |cause, lines| {
        Draft::of(&STOCK_RELEASED, reservation_id, &StockReleased { reservation_id, cause, lines })
    };
    match ending {
        Ending::Confirmed => {
            Draft::of(&STOCK_CONFIRMED, reservation_id, &StockConfirmed { reservation_id, lines })
        }
        Ending::Released => released(ReleaseCause::Released, lines),
        Ending::Expired => released(ReleaseCause::Expired, lines),
    }
}

/// One `LowStockAlert` for each change that crossed its threshold.
///
/// Whoever posts movements or holds through the statements of this crate publishes these in the same transaction.
#[must_use]
pub fn low_stock_alerts(changes: &[Applied]) -> Vec<Draft> {
    let crossed = changes.iter().filter(|change| change.crossed);
    crossed
        .map(|Applied { level, .. }| {
            let data = LowStockAlert {
                shop_id: level.shop,
                sku: level.sku.clone(),
                on_hand: Units(level.on_hand),
                reserved: Units(level.reserved),
                available: Units(level.available()),
                threshold: Units(level.threshold.unwrap_or_default()),
            };
            Draft::of(&LOW_STOCK_ALERT, format_args!("{}/{}", level.shop, level.sku), &data)
        })
        .collect()
}
