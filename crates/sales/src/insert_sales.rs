//! Writing bookings into the book of record: heads, lines and receipt numbers in one statement.

use std::collections::HashMap;

use customers::CustomerId;
use db::{DbError, Row, Stmt};
use inventory::ShopId;
use kernel::{Ctx, Timestamp};
use postgres_types::ToSql;
use serde_json::{Value, json};

use crate::{
    booking::{Booking, Receipt, channel_word, kind_word},
    model::{RegisterId, SaleId},
    price_sale::{BookedLine, rounding_word},
};

/// `sales.new_sale`.
#[derive(Debug, ToSql)]
#[postgres(name = "new_sale")]
struct SaleRow {
    id: SaleId,
    kind: &'static str,
    channel: &'static str,
    shop_id: ShopId,
    register_id: RegisterId,
    receipt_prefix: String,
    cashier: String,
    customer_id: Option<CustomerId>,
    original_id: Option<SaleId>,
    reason: Option<String>,
    prices_include_vat: bool,
    vat_rounding: &'static str,
    net: i64,
    vat: i64,
    gross: i64,
    discount: i64,
    cash_rounding: i64,
    change: i64,
    tenders: Value,
    taxes: Value,
    occurred_at: Timestamp,
    in_shift: bool,
}

/// `sales.new_sale_line`.
#[derive(Debug, ToSql)]
#[postgres(name = "new_sale_line")]
struct LineRow {
    sale_id: SaleId,
    line: i32,
    sku: String,
    name: String,
    category: String,
    quantity: i64,
    unit_price: i64,
    discount: i64,
    net: i64,
    vat: i64,
    gross: i64,
    vat_rate: i32,
    original_line: Option<i32>,
    restock: Option<bool>,
}

/// The statement that writes sales, their lines and receipt numbers: gapless per register, as number and sale are one
/// statement. Read its rows with [`decode_receipts`].
#[must_use]
pub(crate) fn insert_sales_stmt(ctx: &Ctx, bookings: &[Booking]) -> Stmt {
    let booked_at = bookings.iter().map(|booking| booking.booked_at).max().unwrap_or_else(|| ctx.now());
    let lines = bookings
        .iter()
        .flat_map(|booking| booking.priced.lines.iter().map(|line| line_row(booking.id, line)));
    Stmt::new(include_str!("insert_sales.sql"))
        .bind(ctx.tenant_id())
        .bind(booked_at)
        .bind(bookings.iter().map(sale_row).collect::<Vec<_>>())
        .bind(lines.collect::<Vec<_>>())
}

fn sale_row(booking: &Booking) -> SaleRow {
    let priced = &booking.priced;
    SaleRow {
        id: booking.id,
        kind: kind_word(booking.kind),
        channel: channel_word(booking.channel),
        shop_id: booking.shop,
        register_id: booking.register,
        receipt_prefix: booking.receipt_prefix.clone(),
        cashier: booking.cashier.clone(),
        customer_id: booking.customer,
        original_id: booking.original,
        reason: booking.reason.clone(),
        prices_include_vat: booking.policy.prices_include_vat,
        vat_rounding: rounding_word(booking.policy.rounding),
        net: priced.totals.net,
        vat: priced.totals.vat,
        gross: priced.totals.gross,
        discount: priced.discount,
        cash_rounding: priced.cash_rounding,
        change: priced.change,
        tenders: tenders_json(booking),
        taxes: taxes_json(booking),
        occurred_at: booking.occurred_at,
        in_shift: booking.in_shift,
    }
}

fn line_row(sale: SaleId, line: &BookedLine) -> LineRow {
    LineRow {
        sale_id: sale,
        line: line.line,
        sku: line.sku.clone(),
        name: line.name.clone(),
        category: line.category.clone(),
        quantity: line.quantity.thousandths(),
        unit_price: line.unit_price,
        discount: line.discount,
        net: line.amounts.net,
        vat: line.amounts.vat,
        gross: line.amounts.gross,
        vat_rate: line.rate.0,
        original_line: line.original_line,
        restock: line.restocked,
    }
}

/// Tenders as stored: `[["cash", 2000]]`, in minor units of the tenant's currency.
fn tenders_json(booking: &Booking) -> Value {
    booking.tenders.iter().map(|tender| json!([tender.method, tender.amount.amount])).collect()
}

/// Tax lines as stored: `[[rate, net, vat]]`.
fn taxes_json(booking: &Booking) -> Value {
    let taxes = booking.priced.taxes.iter();
    taxes.map(|tax| json!([tax.rate.0, tax.amounts.net, tax.amounts.vat])).collect()
}

/// Reads the rows of [`insert_sales_stmt`].
///
/// # Errors
/// [`DbError::Other`] when the rows are not of that statement.
pub fn decode_receipts(rows: &[Row]) -> Result<HashMap<SaleId, Receipt>, DbError> {
    let read = |row: &Row| {
        Ok::<_, DbError>((row.try_get(0)?, Receipt { number: row.try_get(1)?, shift: row.try_get(2)? }))
    };
    rows.iter().map(read).collect()
}
