//! Pure: what a wanted sale comes to. Prices, VAT, totals, cash rounding and change are the server's.

use std::collections::HashMap;

use catalog::{Sellable, TaxTable};
use kernel::{
    Money, Quantity, Rate, Tenant, Timestamp, VatRounding,
    vat::{self, Amounts, Policy, PricedLine, TaxLine},
};

use serde::{Deserialize, Serialize};

use crate::{
    error::SaleError,
    model::{MOST_AMOUNT, NewLine, NewSale, Tender, TenderMethod},
    problems::*,
};

/// A line as it will be booked. Amounts in minor units; negative on corrections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedLine {
    /// Number on the receipt.
    pub line: i32,
    /// SKU.
    pub sku: String,
    /// Name at the time.
    pub name: String,
    /// Category at the time.
    pub category: String,
    /// How many.
    pub quantity: Quantity,
    /// Price of one.
    pub unit_price: i64,
    /// Taken off.
    pub discount: i64,
    /// Net, VAT, gross.
    pub amounts: Amounts,
    /// VAT rate.
    pub rate: Rate,
    /// Line of the original on corrections.
    pub original_line: Option<i32>,
    /// Whether the goods went back to the shelf, on corrections.
    pub restocked: Option<bool>,
}

/// A sale with every figure decided. Written and read back by workflows that book it later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedSale {
    /// The lines.
    pub lines: Vec<BookedLine>,
    /// By rate.
    pub taxes: Vec<TaxLine>,
    /// The sums.
    pub totals: Amounts,
    /// Taken off in all.
    pub discount: i64,
    /// Added to (or taken off) the gross total because cash has no smaller coin.
    pub cash_rounding: i64,
    /// Given back in cash.
    pub change: i64,
}

/// The VAT policy a tenant trades under now; frozen on each sale.
#[must_use]
pub(crate) fn policy(tenant: &Tenant) -> Policy {
    Policy { prices_include_vat: tenant.settings.prices_include_vat, rounding: tenant.settings.vat_rounding }
}

/// The stored word of a rounding rule.
#[must_use]
pub(crate) const fn rounding_word(rounding: VatRounding) -> &'static str {
    match rounding {
        VatRounding::Line => "line",
        VatRounding::Total => "total",
    }
}

/// Prices `sale` as of `at` from the catalog's `products`.
///
/// # Errors
/// [`SaleError`] with a pointer to the line or tender that does not fit.
pub fn price_sale(
    tenant: &Tenant,
    sale: &NewSale,
    products: &HashMap<&str, &Sellable>,
    taxes: &TaxTable,
    at: Timestamp,
) -> Result<PricedSale, SaleError> {
    let mut priced = price_lines(tenant, &sale.lines, products, taxes, at)?;
    let gross = priced.totals.gross;
    if let Some(sent) = sale.total {
        same_currency(tenant, sent, "/total")?;
        if sent.amount != gross {
            return Err(SaleError::TotalMismatch { computed: gross, sent: sent.amount });
        }
    }
    (priced.cash_rounding, priced.change) = settle(tenant, gross, &sale.tenders)?;
    Ok(priced)
}

/// Prices `lines` as of `at`, however they will be paid: no cash rounding, no change.
///
/// # Errors
/// [`SaleError`] with a pointer to the line that does not fit.
pub fn price_lines(
    tenant: &Tenant,
    lines: &[NewLine],
    products: &HashMap<&str, &Sellable>,
    taxes: &TaxTable,
    at: Timestamp,
) -> Result<PricedSale, SaleError> {
    let mut booked = Vec::with_capacity(lines.len());
    let mut priced = Vec::with_capacity(lines.len());
    for (index, wanted) in lines.iter().enumerate() {
        let product = find_product(index, wanted, products)?;
        let (line, terms) = price_line(tenant, index, wanted, product, taxes, at)?;
        booked.push(line);
        priced.push(terms);
    }
    let computed = vat::compute(policy(tenant), &priced)?;
    for (line, amounts) in booked.iter_mut().zip(&computed.lines) {
        line.amounts = *amounts;
    }
    let discount = booked.iter().map(|line| line.discount).sum();
    let (taxes, totals) = (computed.taxes, computed.totals);
    Ok(PricedSale { lines: booked, taxes, totals, discount, cash_rounding: 0, change: 0 })
}

fn find_product<'a>(
    index: usize,
    wanted: &NewLine,
    products: &HashMap<&str, &'a Sellable>,
) -> Result<&'a Sellable, SaleError> {
    let pointer = || format!("/lines/{index}/sku");
    let Some(product) = products.get(wanted.sku.as_str()) else {
        return Err(SaleError::at(UNKNOWN_SKU, pointer(), format!("no product has SKU {}", wanted.sku)));
    };
    if !product.active {
        let detail = format!("{} is not sold any more", wanted.sku);
        return Err(SaleError::at(PRODUCT_INACTIVE, pointer(), detail));
    }
    Ok(product)
}

fn price_line(
    tenant: &Tenant,
    index: usize,
    wanted: &NewLine,
    product: &Sellable,
    taxes: &TaxTable,
    at: Timestamp,
) -> Result<(BookedLine, PricedLine), SaleError> {
    let pointer = |field: &str| format!("/lines/{index}/{field}");
    if let Some(price) = wanted.unit_price {
        same_currency(tenant, price, &pointer("unitPrice"))?;
    }
    if let Some(discount) = wanted.discount {
        same_currency(tenant, discount, &pointer("discount"))?;
    }
    let rate = taxes.rate_at(&product.tax_category, at).ok_or_else(|| {
        let detail = format!("no rate is valid for tax category {}", product.tax_category);
        SaleError::at(TAX_RATE_MISSING, pointer("sku"), detail)
    })?;
    let line = PricedLine {
        unit_price: wanted.unit_price.map_or(product.price, |price| price.amount),
        quantity: wanted.quantity,
        discount: wanted.discount.map_or(0, |discount| discount.amount),
        rate,
    };
    if vat::line_value(&line)? < 0 {
        let detail = "the discount is larger than the line".to_owned();
        return Err(SaleError::at(DISCOUNT_TOO_LARGE, pointer("discount"), detail));
    }
    let booked = BookedLine {
        line: i32::try_from(index + 1).unwrap_or(i32::MAX),
        sku: product.sku.clone(),
        name: product.name.clone(),
        category: product.category.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount: line.discount,
        amounts: Amounts::default(),
        rate,
        original_line: None,
        restocked: None,
    };
    Ok((booked, line))
}

pub(crate) fn same_currency(tenant: &Tenant, money: Money, pointer: &str) -> Result<(), SaleError> {
    if money.currency == tenant.currency {
        return Ok(());
    }
    let detail = format!("the merchant's currency is {}", tenant.currency);
    Err(SaleError::at(CURRENCY_MISMATCH, pointer, detail))
}

/// The most change that one sale gives, in minor units.
const MOST_CHANGE: i64 = 10_000_000_000;

/// What cash rounding adds and how much change is due when `tenders` pay `gross`.
///
/// Only the part paid in cash is rounded, to the tenant's smallest cash step, half away from zero.
fn settle(tenant: &Tenant, gross: i64, tenders: &[Tender]) -> Result<(i64, i64), SaleError> {
    let (mut cash, mut other) = (0_i64, 0_i64);
    for (index, tender) in tenders.iter().enumerate() {
        same_currency(tenant, tender.amount, &format!("/tenders/{index}/amount/currency"))?;
        let sum = if tender.method == TenderMethod::Cash { &mut cash } else { &mut other };
        *sum += tender.amount.amount;
    }
    let step = tenant.settings.cash_rounding.0.max(1);
    let left = gross - other;
    let rounding = if cash > 0 && left > 0 {
        let steps = kernel::div_round(i128::from(left), i128::from(step), kernel::Round::HalfUp);
        i64::try_from(steps * i128::from(step)).unwrap_or(left) - left
    } else {
        0
    };
    let due = gross + rounding;
    if due > MOST_AMOUNT {
        let detail = format!("a sale may come to {MOST_AMOUNT} minor units at most");
        return Err(SaleError::at(AMOUNT_OUT_OF_RANGE, "/lines", detail));
    }
    let given = cash + other;
    if given < due {
        return Err(SaleError::TenderShort { due, given });
    }
    let change = given - due;
    if change > MOST_CHANGE {
        let detail = format!("change may come to {MOST_CHANGE} minor units at most");
        return Err(SaleError::at(AMOUNT_OUT_OF_RANGE, "/tenders", detail));
    }
    if change > cash {
        let detail = format!("{due} is due, {given} was tendered, and change is given only for cash");
        return Err(SaleError::at(TENDER_OVERPAID, "/tenders", detail));
    }
    Ok((rounding, change))
}
