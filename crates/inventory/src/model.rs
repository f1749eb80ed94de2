//! The words of stock: shops, levels, movements and their reasons. Pure.

use jiff::Timestamp;
use kernel::Quantity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

kernel::id!(
    /// A place where a tenant sells; stock lives at a shop.
    ShopId,
    "shp"
);
kernel::id!(
    /// One line in the book of stock. Its time is when the goods moved, not when that was written down.
    MovementId,
    "mov"
);
kernel::id!(
    /// Units held for a checkout until confirmed, released or expired.
    ReservationId,
    "rsv"
);
kernel::id!(
    /// Goods sent from one shop to another: the two movements of each line share it.
    TransferId,
    "trf"
);

impl MovementId {
    /// A new identifier whose time is `occurred_at`, so that the book lists in the order things happened.
    #[must_use]
    pub fn at(occurred_at: Timestamp) -> Self {
        let millis = u64::try_from(occurred_at.as_millisecond()).unwrap_or(0);
        let nanos = u32::try_from(millis % 1000 * 1_000_000).unwrap_or(0);
        let time = uuid::Timestamp::from_unix(uuid::NoContext, millis / 1000, nanos);
        Self(Uuid::new_v7(time))
    }

    /// The smallest identifier of that time: ids at or after `time` are not below it.
    #[must_use]
    pub fn floor(time: Timestamp) -> Self {
        let millis = u64::try_from(time.as_millisecond()).unwrap_or(0);
        Self(Uuid::from_u128(u128::from(millis) << 80))
    }
}

/// Why stock changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Sold.
    Sale,
    /// A sale was undone.
    Void,
    /// Goods came back from a customer.
    Refund,
    /// A reservation was confirmed.
    Confirmed,
    /// Goods were received.
    Restock,
    /// The shelf was counted.
    Count,
    /// The level was set by an import.
    Import,
    /// Sent to another shop.
    TransferOut,
    /// Received from another shop.
    TransferIn,
    /// Broken or spoilt.
    Damaged,
    /// Past its date.
    Expired,
    /// Missing.
    Lost,
    /// Turned up again.
    Found,
    /// Used by the shop itself.
    OwnUse,
    /// An earlier entry was wrong.
    Correction,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 15] = [
        Self::Sale,
        Self::Void,
        Self::Refund,
        Self::Confirmed,
        Self::Restock,
        Self::Count,
        Self::Import,
        Self::TransferOut,
        Self::TransferIn,
        Self::Damaged,
        Self::Expired,
        Self::Lost,
        Self::Found,
        Self::OwnUse,
        Self::Correction,
    ];

    /// The stored and written form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Void => "void",
            Self::Refund => "refund",
            Self::Confirmed => "confirmed",
            Self::Restock => "restock",
            Self::Count => "count",
            Self::Import => "import",
            Self::TransferOut => "transfer_out",
            Self::TransferIn => "transfer_in",
            Self::Damaged => "damaged",
            Self::Expired => "expired",
            Self::Lost => "lost",
            Self::Found => "found",
            Self::OwnUse => "own_use",
            Self::Correction => "correction",
        }
    }

    /// The reason of that written form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// Whether it says that someone looked at the shelf: from then on the stock row is tracked, and guarded.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Restock | Self::Count | Self::Import | Self::TransferIn)
    }

    /// The prefix of what a movement of this reason refers to.
    #[must_use]
    pub const fn reference_prefix(self) -> Option<&'static str> {
        match self {
            Self::Sale | Self::Void | Self::Refund => Some("sal"),
            Self::Confirmed => Some(ReservationId::PREFIX),
            Self::TransferIn | Self::TransferOut => Some(TransferId::PREFIX),
            _ => None,
        }
    }
}

/// Units of one SKU at one shop that come (positive) or go (negative).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Where.
    pub shop: ShopId,
    /// What.
    pub sku: String,
    /// How many; negative when they leave. Zero changes nothing and leaves no trace in the book.
    pub quantity: Quantity,
    /// Why.
    pub reason: Reason,
    /// The sale, reservation or transfer it belongs to.
    pub reference: Option<Uuid>,
    /// A remark by a person, at most 500 characters.
    pub note: Option<String>,
    /// When the goods moved.
    pub occurred_at: Timestamp,
}

/// Whether a tracked shelf may be taken below what is available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Not applied where on hand less reserved would fall below zero and the row is tracked.
    Refuse,
    /// Applied in any case: history, voids, counts, and tenants whose policy is to flag.
    Allow,
}

/// A stock row; figures as stored, since sums of history may exceed what one line may say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Where.
    pub shop: ShopId,
    /// What.
    pub sku: String,
    /// Units there, in thousandths.
    pub on_hand: i64,
    /// Units held by open reservations, in thousandths.
    pub reserved: i64,
    /// Counted, restocked or imported at least once; only then it is guarded.
    pub tracked: bool,
    /// At or below this many thousandths available it is low.
    pub threshold: Option<i64>,
}

impl Level {
    /// What can still be promised, in thousandths; negative when more was sold than was there.
    #[must_use]
    pub const fn available(&self) -> i64 {
        self.on_hand.saturating_sub(self.reserved)
    }
}

/// What a change left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The stock row after the change.
    pub level: Level,
    /// This very change took it from above its threshold to it or below.
    pub crossed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_back_and_agree_with_json() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
            let json = serde_json::to_value(reason).unwrap();
            assert_eq!(json, serde_json::Value::from(reason.as_str()));
        }
    }

    #[test]
    fn movement_ids_sort_by_the_time_the_goods_moved() {
        let early: Timestamp = "2017-01-01T07:30:00.123Z".parse().unwrap();
        let late: Timestamp = "2026-11-21T10:15:00Z".parse().unwrap();
        assert!(MovementId::at(early) < MovementId::at(late));
        assert!(MovementId::floor(early) <= MovementId::at(early));
        assert!(MovementId::at(early) < MovementId::floor(late));
    }
}
