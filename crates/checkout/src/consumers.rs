//! What follows from the life of orders for the books, the shelves and the money: handled by message, once.

use db::TenantTx;
use kernel::Ctx;
use messages::{Consumer, ConsumerError, Message};
use orders::{OrderStatus, events::OrderNews};
use payments::{PaymentId, RefundError, Source};
use sales::{SaleError, SaleId};

/// The messages that this domain handles.
#[must_use]
pub fn consumers() -> Vec<Consumer> {
    vec![Consumer::new("checkout.undo_orders", &["OrderCancelled", "OrderRefunded"], |ctx, tx, message| {
        Box::pin(undo(ctx, tx, message))
    })]
}

/// A paid order was called off or taken back: its sale is refunded, the goods are back on the shelf, and what was paid is
/// promised back; the job of payments carries that out.
async fn undo(_ctx: &Ctx, tx: &TenantTx, message: &Message) -> Result<(), ConsumerError> {
    let news: OrderNews = message.data()?;
    if !news.before.is_some_and(OrderStatus::is_paid) {
        return Ok(());
    }
    let reason = format!("{} was {}", news.order_id, news.status.as_str());
    if let Some(sale) = &news.sale_id {
        let sale: SaleId = sale.parse().map_err(|_| poison("no sale id"))?;
        match sales::refund_rest(tx, sale, &reason, true).await {
            Ok(_) => {}
            Err(SaleError::Db(error)) => return Err(error.into()),
            Err(error) => return Err(ConsumerError::failed(error)),
        }
    }
    if let Some(payment) = &news.payment_id {
        let payment: PaymentId = payment.parse().map_err(|_| poison("no payment id"))?;
        match payments::request_refund(tx, payment, None, &reason, Source::Checkout).await {
            // Nothing is left of it: it went back before.
            Ok(_) | Err(RefundError::Exceeds { .. }) => {}
            Err(RefundError::Db(error)) => return Err(error.into()),
            Err(error) => return Err(ConsumerError::failed(error)),
        }
    }
    Ok(())
}

fn poison(what: &str) -> ConsumerError {
    ConsumerError::Poison(format!("an order's message has {what}"))
}
