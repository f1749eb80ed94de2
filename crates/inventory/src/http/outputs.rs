//! Answers.

use kernel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    list_levels::ShopLevel,
    list_movements::PostedMovement,
    model::{Applied, Level, MovementId, Reason, ReservationId, ShopId, TransferId},
    reservation::{Reservation, ReservationState},
    units::Units,
};

/// Units of one SKU at one shop.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StockLevel {
    shop_id: ShopId,
    sku: String,
    /// Units there.
    on_hand: Units,
    /// Units held for checkouts.
    reserved: Units,
    /// On hand less reserved; negative when more was sold than was there.
    available: Units,
    /// Counted, restocked or imported at least once; from then on sales beyond it are refused.
    tracked: bool,
    /// At or below this many available it is low.
    threshold: Option<Units>,
    /// Whether it is low.
    low: bool,
}

impl From<Level> for StockLevel {
    fn from(level: Level) -> Self {
        let available = level.available();
        Self {
            shop_id: level.shop,
            on_hand: Units(level.on_hand),
            reserved: Units(level.reserved),
            available: Units(available),
            tracked: level.tracked,
            threshold: level.threshold.map(Units),
            low: level.threshold.is_some_and(|threshold| available <= threshold),
            sku: level.sku,
        }
    }
}

/// Units of one SKU at one shop, with what the shop is called.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShopStock {
    shop_code: String,
    shop_name: String,
    #[serde(flatten)]
    level: StockLevel,
}

impl From<ShopLevel> for ShopStock {
    fn from(row: ShopLevel) -> Self {
        Self { shop_code: row.shop_code, shop_name: row.shop_name, level: row.level.into() }
    }
}

/// The levels after a change, by shop and SKU.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StockLevels {
    #[schema(max_items = 1000)]
    levels: Vec<StockLevel>,
}

impl From<Vec<Applied>> for StockLevels {
    fn from(changes: Vec<Applied>) -> Self {
        Self { levels: changes.into_iter().map(|change| change.level.into()).collect() }
    }
}

/// A transfer with the levels at both shops after it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transfer {
    pub(crate) id: TransferId,
    #[schema(max_items = 1000)]
    pub(crate) levels: Vec<StockLevel>,
}

/// A line in the book of stock.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MovementEntry {
    id: MovementId,
    shop_id: ShopId,
    sku: String,
    /// Negative when the units left.
    quantity: Units,
    reason: Reason,
    /// The sale, reservation or transfer it belongs to.
    reference: Option<String>,
    note: Option<String>,
    /// When the goods moved.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// When it was written down.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl MovementEntry {
    pub(crate) fn id(&self) -> MovementId {
        self.id
    }
}

impl From<PostedMovement> for MovementEntry {
    fn from(row: PostedMovement) -> Self {
        let prefix = row.reason.reference_prefix().unwrap_or("ref");
        Self {
            id: row.id,
            shop_id: row.shop,
            sku: row.sku,
            quantity: Units(row.quantity),
            reason: row.reason,
            reference: row.reference.map(|id| kernel::encode_id(prefix, id)),
            note: row.note,
            occurred_at: row.occurred_at,
            created_at: row.created_at,
        }
    }
}

/// Units held.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeldUnits {
    shop_id: ShopId,
    sku: String,
    quantity: Units,
}

/// Units held for a checkout.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Reservation)]
pub(crate) struct ReservationView {
    pub(crate) id: ReservationId,
    state: ReservationState,
    /// What it is for, in the caller's words.
    reference: Option<String>,
    /// From then on it cannot be confirmed.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was confirmed, released or expired.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    #[schema(max_items = 100)]
    lines: Vec<HeldUnits>,
}

impl From<Reservation> for ReservationView {
    fn from(held: Reservation) -> Self {
        let lines = held.lines.into_iter().map(|line| HeldUnits {
            shop_id: line.shop,
            sku: line.sku,
            quantity: Units(line.quantity),
        });
        Self {
            id: held.id,
            state: held.state,
            reference: held.reference,
            expires_at: held.expires_at,
            created_at: held.created_at,
            closed_at: held.closed_at,
            lines: lines.collect(),
        }
    }
}
