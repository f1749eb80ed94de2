//! Booking what other channels sold: a set of statements for the transaction in which an order is paid (SAL-8).

use std::sync::Arc;

use customers::CustomerId;
use db::Stmt;
use inventory::{Guard, Movement};
use kernel::{Ctx, Money, Timestamp};
use messages::Draft;

pub use crate::{booking::Receipt, insert_sales::decode_receipts};
use crate::{
    booking::{Booking, movements},
    insert_sales::insert_sales_stmt,
    model::{Channel, SaleId, SaleKind, Tender, TenderMethod},
    price_sale::{PricedSale, policy},
    registers::Register,
};

/// A sale whose every figure was decided before, by the channel that sold.
#[derive(Debug, Clone)]
pub struct ChannelSale {
    /// Its identity, chosen by the channel so that booking again is recognised.
    pub id: SaleId,
    /// Which channel.
    pub channel: Channel,
    /// The register it is booked on.
    pub register: Arc<Register>,
    /// Who bought, if they are known.
    pub customer: Option<CustomerId>,
    /// What, and what it comes to. Paid in full by `method`.
    pub priced: PricedSale,
    /// How it was paid.
    pub method: TenderMethod,
    /// When it was paid.
    pub occurred_at: Timestamp,
}

/// The statement that books `sales` of one tenant in the book of record; [`decode_receipts`] reads its rows. Their goods
/// leave the shelves by [`goods_stmt`], or by the reservations that the caller confirms in the same transaction.
///
/// A sale that is in the book already fails the transaction.
#[must_use]
pub fn book_stmt(ctx: &Ctx, sales: &[ChannelSale]) -> Stmt {
    let bookings: Vec<Booking> = sales.iter().map(|sale| booking(ctx, sale)).collect();
    insert_sales_stmt(ctx, &bookings)
}

/// The statement by which the goods of `sales` leave the shelves, whatever these hold; read its rows with
/// [`inventory::decode_applied`].
#[must_use]
pub fn goods_stmt(ctx: &Ctx, sales: &[ChannelSale]) -> Stmt {
    let bookings: Vec<Booking> = sales.iter().map(|sale| booking(ctx, sale)).collect();
    let goods: Vec<Movement> = bookings.iter().flat_map(movements).collect();
    inventory::post_movements_stmt(ctx, &goods, Guard::Allow)
}

/// What the world is told about a sale of `ctx`'s request.
#[must_use]
pub fn news(ctx: &Ctx, sale: &ChannelSale) -> Draft {
    crate::events::booked(ctx, &booking(ctx, sale))
}

fn booking(ctx: &Ctx, sale: &ChannelSale) -> Booking {
    let gross = sale.priced.totals.gross;
    let tender = Tender { method: sale.method, amount: Money::new(gross, ctx.tenant.currency) };
    Booking {
        id: sale.id,
        kind: SaleKind::Sale,
        channel: sale.channel,
        shop: sale.register.shop_id,
        register: sale.register.id,
        receipt_prefix: sale.register.receipt_prefix.clone(),
        cashier: ctx.caller.actor.to_string(),
        customer: sale.customer,
        original: None,
        reason: None,
        policy: policy(&ctx.tenant),
        priced: sale.priced.clone(),
        tenders: if gross == 0 { Vec::new() } else { vec![tender] },
        occurred_at: sale.occurred_at,
        booked_at: ctx.now(),
        in_shift: true,
    }
}
