//! One row of a sales file, read and checked by itself.

use csvio::{Column, Columns, Record, Reject};
use kernel::{Ctx, Money, Quantity, Timestamp};

use crate::model::TenderMethod;

/// The columns of a sales file.
pub const COLUMNS: Columns = Columns {
    required: &["external_id", "occurred_at", "sku", "quantity", "unit_price"],
    optional: &["shop", "register", "customer", "discount", "tender"],
};

/// Where the columns are in this file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) external_id: Column,
    occurred_at: Column,
    sku: Column,
    quantity: Column,
    unit_price: Column,
    shop: Option<Column>,
    register: Option<Column>,
    customer: Option<Column>,
    discount: Option<Column>,
    tender: Option<Column>,
}

impl Places {
    /// `None` when a required column is missing, which the reader has refused before.
    pub(super) fn find(column: impl Fn(&str) -> Option<Column>) -> Option<Self> {
        Some(Self {
            external_id: column("external_id")?,
            occurred_at: column("occurred_at")?,
            sku: column("sku")?,
            quantity: column("quantity")?,
            unit_price: column("unit_price")?,
            shop: column("shop"),
            register: column("register"),
            customer: column("customer"),
            discount: column("discount"),
            tender: column("tender"),
        })
    }
}

/// What all rows of a sale share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) shop: String,
    pub(super) register: String,
    pub(super) occurred_at: Timestamp,
    pub(super) customer: String,
    pub(super) tender: TenderMethod,
}

/// A row that is fine by itself.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) head: Head,
    pub(super) sku: String,
    pub(super) quantity: Quantity,
    pub(super) unit_price: i64,
    pub(super) discount: i64,
}

/// Reads a row of `ctx`'s tenant.
///
/// # Errors
/// What is wrong with it, by column.
pub(super) fn read_row(ctx: &Ctx, record: &Record<'_>, places: &Places) -> Result<Row, Reject> {
    let text = |column: Option<Column>, longest: usize| -> Result<String, Reject> {
        let Some(column) = column else { return Ok(String::new()) };
        let text = record.text(column)?.trim();
        if text.chars().count() > longest {
            return Err(record.reject(column.name, "TOO_LONG", format!("at most {longest} characters")));
        }
        Ok(text.to_owned())
    };
    let sku = text(Some(places.sku), 64)?;
    if sku.is_empty() {
        return Err(record.reject("sku", "REQUIRED", "a sku is required"));
    }
    let register = text(places.register, 8)?;
    if !register.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
        return Err(record.reject("register", "INVALID_VALUE", "a register is 1 to 8 of A-Z and 0-9"));
    }
    let head = Head {
        shop: text(places.shop, 200)?,
        register,
        occurred_at: read_time(ctx, record, places)?,
        customer: text(places.customer, 100)?,
        tender: read_tender(record, places.tender)?,
    };
    let quantity = record.raw(places.quantity).trim().parse::<Quantity>();
    let quantity = quantity.map_err(|error| record.reject("quantity", "INVALID_VALUE", error.to_string()))?;
    let money = |column: Column| -> Result<Option<i64>, Reject> {
        let text = record.raw(column).trim();
        if text.is_empty() {
            return Ok(None);
        }
        let money = Money::parse_decimal(text, ctx.tenant.currency);
        match money {
            Ok(money) if money.amount >= 0 => Ok(Some(money.amount)),
            _ => {
                let reason = format!("must be a decimal in {}, not negative", ctx.tenant.currency);
                Err(record.reject(column.name, "INVALID_VALUE", reason))
            }
        }
    };
    // Today's price would be a guess about the past.
    let unit_price = money(places.unit_price)?
        .ok_or_else(|| record.reject("unit_price", "REQUIRED", "a unit price is required"))?;
    let discount = places.discount.map(money).transpose()?.flatten().unwrap_or(0);
    Ok(Row { line: record.line(), head, sku, quantity, unit_price, discount })
}

fn read_time(ctx: &Ctx, record: &Record<'_>, places: &Places) -> Result<Timestamp, Reject> {
    let refuse = |reason: &'static str| record.reject("occurred_at", "INVALID_VALUE", reason);
    let time: Timestamp = record
        .raw(places.occurred_at)
        .trim()
        .parse()
        .map_err(|_| refuse("must be a time such as 2026-11-21T10:15:00Z"))?;
    if time.as_second() > ctx.now().as_second() + 300 {
        return Err(refuse("lies in the future"));
    }
    if time.as_second() < 0 {
        return Err(refuse("lies before 1970"));
    }
    Timestamp::from_microsecond(time.as_microsecond()).map_err(|_| refuse("is out of range"))
}

fn read_tender(record: &Record<'_>, column: Option<Column>) -> Result<TenderMethod, Reject> {
    let word = column.map_or("", |column| record.raw(column).trim());
    if word.is_empty() {
        return Ok(TenderMethod::Cash);
    }
    serde_json::from_value(word.into()).map_err(|_| {
        record.reject("tender", "INVALID_VALUE", "must be cash, card, voucher, gift_card or account")
    })
}
