//! The messages of this domain: a contract, fields are only ever added.

use kernel::{Ctx, Money};
use messages::{Draft, MessageType};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{NewOrder, Order, OrderId, OrderStatus};

/// An order was taken.
pub const ORDER_CREATED: MessageType =
    MessageType::of::<OrderNews>("OrderCreated", "An order was taken; the subject is the order.");
/// An order was paid.
pub const ORDER_PAID: MessageType =
    MessageType::of::<OrderNews>("OrderPaid", "An order was paid; the subject is the order.");
/// An order came to nothing.
pub const ORDER_FAILED: MessageType =
    MessageType::of::<OrderNews>("OrderFailed", "An order came to nothing; the subject is the order.");
/// The parcel is packed.
pub const ORDER_PACKED: MessageType =
    MessageType::of::<OrderNews>("OrderPacked", "The goods are packed; the subject is the order.");
/// The parcel is on its way.
pub const ORDER_SHIPPED: MessageType =
    MessageType::of::<OrderNews>("OrderShipped", "The goods are on their way; the subject is the order.");
/// The parcel has arrived.
pub const ORDER_DELIVERED: MessageType =
    MessageType::of::<OrderNews>("OrderDelivered", "The goods have arrived; the subject is the order.");
/// The order was called off.
pub const ORDER_CANCELLED: MessageType = MessageType::of::<OrderNews>(
    "OrderCancelled",
    "The order was called off, what was paid goes back; the subject is the order.",
);
/// The order was taken back.
pub const ORDER_REFUNDED: MessageType = MessageType::of::<OrderNews>(
    "OrderRefunded",
    "The order was taken back, what was paid goes back; the subject is the order.",
);

/// All of them, for the catalogue.
pub const MESSAGE_TYPES: [MessageType; 8] = [
    ORDER_CREATED,
    ORDER_PAID,
    ORDER_FAILED,
    ORDER_PACKED,
    ORDER_SHIPPED,
    ORDER_DELIVERED,
    ORDER_CANCELLED,
    ORDER_REFUNDED,
];

/// Something happened to an order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderNews {
    /// The order.
    pub order_id: OrderId,
    /// How it stands now.
    pub status: OrderStatus,
    /// How it stood before, if it did.
    pub before: Option<OrderStatus>,
    /// Where it came from.
    pub channel: String,
    /// Whose: `cus_..`, `gst_..`, `mem_..`.
    pub customer: String,
    /// The payment that paid it, `pay_..`.
    pub payment_id: Option<String>,
    /// The sale in the books, `sal_..`.
    pub sale_id: Option<String>,
    /// What it comes to, with VAT.
    pub gross: Money,
}

/// What the world is told about an order that was just written: that it was created, and that it was paid if it was.
#[must_use]
pub fn placed(ctx: &Ctx, order: &NewOrder) -> Vec<Draft> {
    let news = |status, before, sale: bool| OrderNews {
        order_id: order.id,
        status,
        before,
        channel: order.channel.to_owned(),
        customer: order.owner.to_string(),
        payment_id: order.payment.map(|id| kernel::encode_id("pay", id)),
        sale_id: sale.then(|| kernel::encode_id("sal", order.sale)),
        gross: Money::new(order.sums.gross, ctx.tenant.currency),
    };
    let created = news(OrderStatus::Created, None, false);
    let mut drafts = vec![Draft::of(&ORDER_CREATED, order.id, &created).caused_by(&ctx.caller)];
    if order.status == OrderStatus::Paid {
        let paid = news(OrderStatus::Paid, Some(OrderStatus::Created), true);
        drafts.push(Draft::of(&ORDER_PAID, order.id, &paid).caused_by(&ctx.caller));
    }
    drafts
}

/// What the world is told about an order that has moved on.
pub(crate) fn status_changed(order: &Order, before: OrderStatus) -> Draft {
    let data = OrderNews {
        order_id: order.id,
        status: order.status,
        before: Some(before),
        channel: order.channel.clone(),
        customer: order.customer.clone(),
        payment_id: order.payment_id.clone(),
        sale_id: order.sale_id.clone(),
        gross: order.totals.gross,
    };
    let message = match order.status {
        OrderStatus::Created => &ORDER_CREATED,
        OrderStatus::Paid => &ORDER_PAID,
        OrderStatus::Failed => &ORDER_FAILED,
        OrderStatus::Packed => &ORDER_PACKED,
        OrderStatus::Shipped => &ORDER_SHIPPED,
        OrderStatus::Delivered => &ORDER_DELIVERED,
        OrderStatus::Cancelled => &ORDER_CANCELLED,
        OrderStatus::Refunded => &ORDER_REFUNDED,
    };
    Draft::of(message, order.id, &data)
}
