//! What an order is. Money in minor units of the tenant's currency.

use customers::{Address, Buyer};
use inventory::ShopId;
use kernel::{Money, Quantity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

kernel::id!(
    /// A customer's commitment.
    OrderId,
    "ord"
);

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OrderStatus {
    /// Taken, not yet paid.
    Created,
    /// Paid; a sale is in the books.
    Paid,
    /// It came to nothing.
    Failed,
    /// The goods are in their parcel.
    Packed,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// Called off; what was paid goes back.
    Cancelled,
    /// Taken back; what was paid goes back.
    Refunded,
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Paid,
        Self::Failed,
        Self::Packed,
        Self::Shipped,
        Self::Delivered,
        Self::Cancelled,
        Self::Refunded,
    ];

    /// The stored and written form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Packed => "packed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
        }
    }

    /// The status of that written form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// What may come next.
    #[must_use]
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Created => &[Self::Paid, Self::Failed, Self::Cancelled],
            Self::Paid => &[Self::Packed, Self::Cancelled, Self::Refunded],
            Self::Packed => &[Self::Shipped, Self::Cancelled, Self::Refunded],
            Self::Shipped => &[Self::Delivered, Self::Refunded],
            Self::Delivered => &[Self::Refunded],
            Self::Failed | Self::Cancelled | Self::Refunded => &[],
        }
    }

    /// Whether its money is with the merchant.
    #[must_use]
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::Paid | Self::Packed | Self::Shipped | Self::Delivered)
    }
}

/// A line as stored: amounts in minor units, the quantity in thousandths, the rate in basis points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLine {
    /// SKU.
    pub sku: String,
    /// Name when it was ordered.
    pub name: String,
    /// Category when it was ordered.
    pub category: String,
    /// How many, in thousandths.
    pub units: i64,
    /// Price of one.
    pub unit_price: i64,
    /// Taken off.
    pub discount: i64,
    /// Without VAT.
    pub net: i64,
    /// The VAT.
    pub vat: i64,
    /// With VAT.
    pub gross: i64,
    /// VAT rate.
    pub rate: i32,
}

/// What an order comes to, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderSums {
    /// Without VAT.
    pub net: i64,
    /// The VAT.
    pub vat: i64,
    /// With VAT.
    pub gross: i64,
    /// Taken off.
    pub discount: i64,
}

/// An order to be written.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Its identity, chosen by the caller so that writing again is recognised.
    pub id: OrderId,
    /// Created, or paid already.
    pub status: OrderStatus,
    /// `web`, `chat`, `api`, ..
    pub channel: &'static str,
    /// Whose.
    pub owner: Buyer,
    /// The shop that sells.
    pub shop: ShopId,
    /// The checkout it came from.
    pub checkout: Option<Uuid>,
    /// The payment that paid it.
    pub payment: Option<Uuid>,
    /// The sale that is, or will be, in the books.
    pub sale: Uuid,
    /// What it comes to.
    pub sums: OrderSums,
    /// What.
    pub lines: Vec<StoredLine>,
    /// Where to.
    pub ship_to: Option<Address>,
    /// A remark.
    pub note: String,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderLine {
    /// Its number, from 1.
    pub line: i32,
    /// The product's SKU.
    pub sku: String,
    /// Its name when it was ordered.
    pub name: String,
    /// Its category when it was ordered.
    pub category: String,
    /// How many.
    #[schema(value_type = String)]
    pub quantity: Quantity,
    /// The price of one.
    pub unit_price: Money,
    /// Taken off.
    pub discount: Money,
    /// Without VAT.
    pub net: Money,
    /// The VAT.
    pub vat: Money,
    /// With VAT.
    pub gross: Money,
    /// The VAT rate in basis points.
    pub vat_rate: i32,
}

/// The sums of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderTotals {
    /// Without VAT.
    pub net: Money,
    /// The VAT.
    pub vat: Money,
    /// With VAT.
    pub gross: Money,
    /// Taken off.
    pub discount: Money,
}

/// One step in the life of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderEvent {
    /// What it became.
    pub status: OrderStatus,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An order as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Identity.
    pub id: OrderId,
    /// For people; counts up per merchant.
    pub number: i64,
    /// Where it stands.
    pub status: OrderStatus,
    /// Where it came from.
    pub channel: String,
    /// Whose: `cus_..`, `gst_..` of a guest, `mem_..` of somebody who works here.
    pub customer: String,
    /// The customer, where it is one.
    pub customer_id: Option<customers::CustomerId>,
    /// The shop that sells.
    pub shop_id: ShopId,
    /// The checkout it came from, `chk_..`.
    pub checkout_id: Option<String>,
    /// The payment that paid it, `pay_..`.
    pub payment_id: Option<String>,
    /// The sale in the books, `sal_..`, once it is paid.
    pub sale_id: Option<String>,
    /// The sale that is, or will be, in the books.
    #[serde(skip)]
    #[schema(ignore)]
    pub sale: Uuid,
    /// What.
    pub lines: Vec<OrderLine>,
    /// The sums.
    pub totals: OrderTotals,
    /// Where to.
    pub ship_to: Option<Address>,
    /// A remark.
    pub note: String,
    /// How it came to stand where it stands, oldest first.
    pub history: Vec<OrderEvent>,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    pub version: i32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    // ORD-1
    #[test]
    fn an_order_only_goes_forward_and_ends_somewhere() {
        for status in OrderStatus::ALL {
            assert_eq!(OrderStatus::parse(status.as_str()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert!(!status.next().contains(&status));
            assert!(!status.next().contains(&OrderStatus::Created));
        }
        assert!(OrderStatus::Failed.next().is_empty());
        assert!(!OrderStatus::Shipped.next().contains(&OrderStatus::Cancelled));
    }
}
