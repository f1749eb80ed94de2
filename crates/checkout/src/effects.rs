//! What the life of orders means for the books, the shelves and the money.

use async_trait::async_trait;
use db::TenantTx;
use edge::Problem;
use kernel::{
    Rate,
    vat::{Amounts, TaxLine},
};
use orders::{Order, OrderEffects, OrderLine, OrderStatus};
use payments::{PaymentId, RefundError, Source};
use sales::{BookedLine, Channel, ChannelSale, PricedSale, SaleId, TenderMethod};

use crate::checkouts::Checkouts;

#[async_trait]
impl OrderEffects for Checkouts {
    async fn moved(&self, tx: &TenantTx, order: &Order, before: OrderStatus) -> Result<(), Problem> {
        match order.status {
            OrderStatus::Paid => self.book(tx, order).await,
            OrderStatus::Cancelled | OrderStatus::Refunded if before.is_paid() => self.undo(tx, order).await,
            _ => Ok(()),
        }
    }
}

impl Checkouts {
    /// Staff has the money for an order that was not paid in a checkout: its sale goes into the books, its goods leave the
    /// shelf. It counts as paid on account.
    async fn book(&self, tx: &TenantTx, order: &Order) -> Result<(), Problem> {
        let sale = ChannelSale {
            id: SaleId(order.sale),
            channel: channel(&order.channel),
            register: self.0.sales.web_register_in(tx, order.shop_id).await?,
            customer: order.customer_id,
            priced: priced(order),
            method: TenderMethod::Account,
            occurred_at: tx.ctx().now(),
        };
        let sales = std::slice::from_ref(&sale);
        tx.run(sales::book_stmt(tx.ctx(), sales)).await?;
        let applied = inventory::decode_applied(&tx.run(sales::goods_stmt(tx.ctx(), sales)).await?)?;
        let mut news = vec![sales::news(tx.ctx(), &sale)];
        news.extend(inventory::low_stock_alerts(&applied));
        messages::publish(tx, &news).await?;
        // Before the commit, which hardly ever fails: whoever commits does not know of sales.
        self.0.sales.count_sale(tx.ctx().tenant.tier);
        Ok(())
    }

    /// A paid order was called off or taken back: its sale is refunded, the goods are back on the shelf, and what was paid is
    /// promised back; the job of payments carries that out.
    async fn undo(&self, tx: &TenantTx, order: &Order) -> Result<(), Problem> {
        let reason = format!("{} was {}", order.id, order.status.as_str());
        if sales::refund_rest(tx, SaleId(order.sale), &reason, true).await?.is_some() {
            self.0.sales.count_refund(tx.ctx().tenant.tier);
        }
        let Some(payment) = &order.payment_id else { return Ok(()) };
        let payment: PaymentId = payment.parse().map_err(Problem::internal)?;
        match payments::request_refund(tx, payment, None, &reason, Source::Checkout).await {
            // Nothing is left of it: it went back before.
            Ok(_) | Err(RefundError::Exceeds { .. }) => Ok(()),
            Err(RefundError::Db(error)) => Err(error.into()),
            Err(error) => Err(Problem::internal(error)),
        }
    }
}

fn channel(word: &str) -> Channel {
    serde_json::from_value(word.into()).unwrap_or(Channel::Api)
}

/// What was ordered, as it is sold.
fn priced(order: &Order) -> PricedSale {
    let lines: Vec<BookedLine> = order.lines.iter().map(booked).collect();
    let mut taxes: Vec<TaxLine> = Vec::new();
    for line in &lines {
        let same = taxes.iter().position(|tax| tax.rate == line.rate);
        let at = same.unwrap_or_else(|| {
            taxes.push(TaxLine { rate: line.rate, amounts: Amounts::default() });
            taxes.len() - 1
        });
        let sum = &mut taxes[at].amounts;
        sum.net += line.amounts.net;
        sum.vat += line.amounts.vat;
        sum.gross += line.amounts.gross;
    }
    taxes.sort_by_key(|tax| tax.rate);
    let totals = &order.totals;
    PricedSale {
        lines,
        taxes,
        totals: Amounts { net: totals.net.amount, vat: totals.vat.amount, gross: totals.gross.amount },
        discount: totals.discount.amount,
        cash_rounding: 0,
        change: 0,
    }
}

fn booked(line: &OrderLine) -> BookedLine {
    BookedLine {
        line: line.line,
        sku: line.sku.clone(),
        name: line.name.clone(),
        category: line.category.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price.amount,
        discount: line.discount.amount,
        amounts: Amounts { net: line.net.amount, vat: line.vat.amount, gross: line.gross.amount },
        rate: Rate(line.vat_rate),
        original_line: None,
        restocked: None,
    }
}
