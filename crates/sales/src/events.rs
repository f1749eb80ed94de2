//! The messages of this domain: a contract, fields are only ever added.

use customers::CustomerId;
use inventory::ShopId;
use kernel::{Ctx, Money, Timestamp};
use messages::{Draft, MessageType};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    booking::Booking,
    model::{Channel, RegisterId, SaleId, SaleKind, ShiftId},
    shift::{Shift, ShiftReport},
};

/// Goods were sold.
pub const SALE_RECORDED: MessageType =
    MessageType::of::<SaleBooked>("SaleRecorded", "Goods were sold; the subject is the sale.");
/// A sale was voided.
pub const SALE_VOIDED: MessageType =
    MessageType::of::<SaleBooked>("SaleVoided", "A sale was voided; the subject is the original sale.");
/// A sale was refunded.
pub const SALE_REFUNDED: MessageType = MessageType::of::<SaleBooked>(
    "SaleRefunded",
    "A sale was refunded, in part or whole; the subject is the original sale.",
);
/// A shift was opened.
pub const SHIFT_OPENED: MessageType =
    MessageType::of::<ShiftOpened>("ShiftOpened", "A shift was opened; the subject is the shift.");
/// A shift was closed.
pub const SHIFT_CLOSED: MessageType =
    MessageType::of::<ShiftClosed>("ShiftClosed", "A shift was closed; the subject is the shift.");

/// All of them, for the catalogue.
pub const MESSAGE_TYPES: [MessageType; 5] =
    [SALE_RECORDED, SALE_VOIDED, SALE_REFUNDED, SHIFT_OPENED, SHIFT_CLOSED];

/// Something was written into the book of record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SaleBooked {
    /// The sale, void or refund.
    pub sale_id: SaleId,
    /// What it corrects.
    pub original: Option<SaleId>,
    /// Where.
    pub shop_id: ShopId,
    /// On which register.
    pub register_id: RegisterId,
    /// Where it came from.
    pub channel: Channel,
    /// Who bought.
    pub customer_id: Option<CustomerId>,
    /// With VAT; negative on corrections.
    pub gross: Money,
    /// The VAT.
    pub vat: Money,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
}

/// A shift was opened.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShiftOpened {
    /// The shift.
    pub shift_id: ShiftId,
    /// Its register.
    pub register_id: RegisterId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
}

/// A shift was closed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShiftClosed {
    /// The shift.
    pub shift_id: ShiftId,
    /// Its register.
    pub register_id: RegisterId,
    /// The Z number.
    pub z_number: i64,
    /// What was sold, with VAT.
    pub gross: Money,
    /// Counted cash less expected cash.
    pub difference: Money,
}

/// The news of a booking, caused by the caller of `ctx`.
#[must_use]
pub(crate) fn booked(ctx: &Ctx, booking: &Booking) -> Draft {
    let message = match booking.kind {
        SaleKind::Sale => &SALE_RECORDED,
        SaleKind::Void => &SALE_VOIDED,
        SaleKind::Refund => &SALE_REFUNDED,
    };
    let money = |amount| Money::new(amount, ctx.tenant.currency);
    let data = SaleBooked {
        sale_id: booking.id,
        original: booking.original,
        shop_id: booking.shop,
        register_id: booking.register,
        channel: booking.channel,
        customer_id: booking.customer,
        gross: money(booking.priced.totals.gross),
        vat: money(booking.priced.totals.vat),
        occurred_at: booking.occurred_at,
    };
    Draft::of(message, booking.original.unwrap_or(booking.id), &data).caused_by(&ctx.caller)
}

pub(crate) fn opened(shift: &Shift) -> Draft {
    let data = ShiftOpened { shift_id: shift.id, register_id: shift.register_id, opened_at: shift.opened_at };
    Draft::of(&SHIFT_OPENED, shift.id, &data)
}

pub(crate) fn closed(report: &ShiftReport, z_number: i64, difference: Money) -> Draft {
    let data = ShiftClosed {
        shift_id: report.shift_id,
        register_id: report.register_id,
        z_number,
        gross: report.gross,
        difference,
    };
    Draft::of(&SHIFT_CLOSED, report.shift_id, &data)
}
