//! Writing into the book of record: sales of every kind and channel end in a [`Booking`].

use customers::CustomerId;
use inventory::{Guard, Movement, Reason, ShopId};
use kernel::{Ctx, Money, Timestamp, vat::Policy};

use crate::{
    model::{
        Channel, RegisterId, Sale, SaleId, SaleKind, SaleLine, SaleStatus, ShiftId, TaxTotal, Tender, Totals,
    },
    price_sale::PricedSale,
};

/// Everything about a sale that is decided before it is written; the receipt number and shift are given when it is.
#[derive(Debug, Clone)]
pub(crate) struct Booking {
    /// Identity.
    pub id: SaleId,
    /// Sale, void or refund.
    pub kind: SaleKind,
    /// Where it came from.
    pub channel: Channel,
    /// The shop.
    pub shop: ShopId,
    /// The register.
    pub register: RegisterId,
    /// `S01-R02-`, what its receipt numbers begin with.
    pub receipt_prefix: String,
    /// Who.
    pub cashier: String,
    /// Who bought.
    pub customer: Option<CustomerId>,
    /// What it corrects.
    pub original: Option<SaleId>,
    /// Why it corrects.
    pub reason: Option<String>,
    /// The VAT policy, frozen.
    pub policy: Policy,
    /// Lines, taxes and sums.
    pub priced: PricedSale,
    /// How it was paid.
    pub tenders: Vec<Tender>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was booked; the same for all of one statement.
    pub booked_at: Timestamp,
    /// Whether it belongs to the shift that is open now; history does not.
    pub in_shift: bool,
}

/// What the book gave a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its place in the register's gapless sequence.
    pub number: i64,
    /// The shift that was open.
    pub shift: Option<ShiftId>,
}

/// `S01-R02-000123`.
#[must_use]
pub(crate) fn receipt_number(prefix: &str, number: i64) -> String {
    format!("{prefix}{number:06}")
}

pub(crate) const fn kind_word(kind: SaleKind) -> &'static str {
    match kind {
        SaleKind::Sale => "sale",
        SaleKind::Void => "void",
        SaleKind::Refund => "refund",
    }
}

pub(crate) const fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Till => "till",
        Channel::Web => "web",
        Channel::Chat => "chat",
        Channel::Api => "api",
        Channel::Event => "event",
    }
}

/// The goods that leave with a sale, or come back with a correction that restocks.
#[must_use]
pub(crate) fn movements(booking: &Booking) -> Vec<Movement> {
    let reason = match booking.kind {
        SaleKind::Sale => Reason::Sale,
        SaleKind::Void => Reason::Void,
        SaleKind::Refund => Reason::Refund,
    };
    let moved = booking.priced.lines.iter().filter(|line| line.restocked != Some(false));
    moved
        .map(|line| Movement {
            shop: booking.shop,
            sku: line.sku.clone(),
            quantity: line.quantity.negated(),
            reason,
            reference: Some(booking.id.0),
            note: None,
            occurred_at: booking.occurred_at,
        })
        .collect()
}

/// How strictly the shelf is guarded against a booking of this kind.
#[must_use]
pub(crate) fn guard(ctx: &Ctx, kind: SaleKind) -> Guard {
    match (kind, ctx.tenant.settings.shortage_policy) {
        (SaleKind::Sale, kernel::ShortagePolicy::Refuse) => Guard::Refuse,
        _ => Guard::Allow,
    }
}

/// The sale as clients see it right after it was booked.
#[must_use]
pub(crate) fn booked_sale(ctx: &Ctx, booking: &Booking, receipt: Receipt) -> Sale {
    let currency = ctx.tenant.currency;
    let money = |amount| Money::new(amount, currency);
    let line = |line: &crate::price_sale::BookedLine| SaleLine {
        line: line.line,
        sku: line.sku.clone(),
        name: line.name.clone(),
        category: line.category.clone(),
        quantity: line.quantity,
        unit_price: money(line.unit_price),
        discount: money(line.discount),
        net: money(line.amounts.net),
        vat: money(line.amounts.vat),
        gross: money(line.amounts.gross),
        vat_rate: line.rate.0,
        original_line: line.original_line,
        restocked: line.restocked,
    };
    let priced = &booking.priced;
    let tax = |tax: &kernel::vat::TaxLine| TaxTotal {
        rate: tax.rate.0,
        net: money(tax.amounts.net),
        vat: money(tax.amounts.vat),
    };
    Sale {
        id: booking.id,
        receipt_number: receipt_number(&booking.receipt_prefix, receipt.number),
        kind: booking.kind,
        status: SaleStatus::Completed,
        channel: booking.channel,
        shop_id: booking.shop,
        register_id: booking.register,
        shift_id: receipt.shift,
        cashier: booking.cashier.clone(),
        customer_id: booking.customer,
        lines: priced.lines.iter().map(line).collect(),
        vat: priced.taxes.iter().map(tax).collect(),
        totals: Totals {
            net: money(priced.totals.net),
            vat: money(priced.totals.vat),
            gross: money(priced.totals.gross),
            discount: money(priced.discount),
            cash_rounding: money(priced.cash_rounding),
        },
        tenders: booking.tenders.clone(),
        change: money(priced.change),
        occurred_at: booking.occurred_at,
        created_at: booking.booked_at,
        refunded_total: money(0),
        original: booking.original,
        reason: booking.reason.clone(),
        explanation: None,
    }
}
