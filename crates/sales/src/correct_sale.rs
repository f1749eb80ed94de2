//! What voids and refunds share: the lock on the original, what was taken back before, and booking the correction.

use std::collections::{BTreeMap, HashMap};

use db::{DbError, TenantTx};
use kernel::{
    Money, Quantity, Rate,
    vat::{Amounts, Policy, TaxLine},
};

use crate::{
    booking::{self, Booking, Receipt},
    error::SaleError,
    find_sales::{decode_tenders, find_policy, find_sale, is_sale},
    insert_sales::{decode_receipts, insert_sales_stmt},
    model::{Sale, SaleId, SaleLine, SaleStatus, Tender, TenderMethod},
    price_sale::{BookedLine, PricedSale},
    problems::*,
};

/// What earlier refunds took back of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TakenBack {
    pub(crate) quantity: Quantity,
}

/// A sale that can be corrected, locked until the transaction ends, with what happened to it before.
#[derive(Debug)]
pub(crate) struct Correctable {
    pub(crate) sale: Sale,
    pub(crate) policy: Policy,
    pub(crate) receipt_prefix: String,
    pub(crate) taken_back: HashMap<i32, TakenBack>,
    /// What each means of payment took and has not given back, in minor units.
    pub(crate) left_on: BTreeMap<TenderMethod, i64>,
}

/// Locks the sale against every other correction, in this and other processes, and reads how it stands.
///
/// # Errors
/// [`SALE_NOT_FOUND`], [`NOT_A_SALE`], [`ALREADY_VOIDED`], [`DbError`].
pub(crate) async fn lock_sale(tx: &TenantTx, id: SaleId) -> Result<Correctable, SaleError> {
    tx.query("select pg_advisory_xact_lock(hashtextextended($1::text, 0))", &[&id.to_string()]).await?;
    let Some(sale) = find_sale(tx, id).await? else {
        return Err(SaleError::state(SALE_NOT_FOUND, format!("there is no sale {id}")));
    };
    if !is_sale(&sale) {
        return Err(SaleError::state(NOT_A_SALE, format!("{id} is a correction")));
    }
    if sale.status == SaleStatus::Voided {
        return Err(SaleError::state(ALREADY_VOIDED, format!("{id} was voided")));
    }
    let (policy, receipt_prefix) = find_policy(tx, id).await?;
    let mut taken_back = HashMap::new();
    for row in tx.query(include_str!("sum_corrections.sql"), &[&tx.tenant_id(), &id]).await? {
        let quantity = Quantity::from_thousandths(row.try_get(1)?)
            .ok_or_else(|| DbError::Other("refunded quantities are out of range".to_owned()))?;
        taken_back.insert(row.try_get(0)?, TakenBack { quantity });
    }
    let mut left_on = taken(&sale.tenders, sale.change);
    for row in tx.query(include_str!("find_correction_tenders.sql"), &[&tx.tenant_id(), &id]).await? {
        for tender in decode_tenders(row.try_get(0)?, sale.change.currency)? {
            *left_on.entry(tender.method).or_default() += tender.amount.amount;
        }
    }
    Ok(Correctable { sale, policy, receipt_prefix, taken_back, left_on })
}

/// What each means took, change given back.
fn taken(tenders: &[Tender], change: Money) -> BTreeMap<TenderMethod, i64> {
    let mut taken = BTreeMap::new();
    for tender in tenders {
        *taken.entry(tender.method).or_default() += tender.amount.amount;
    }
    if change.amount != 0 {
        *taken.entry(TenderMethod::Cash).or_default() -= change.amount;
    }
    taken
}

/// The line of a correction that takes back `quantity` of `line` after `before` units were taken back already.
///
/// The parts of a line taken back one after the other add up to the line in every amount, so the last one mirrors
/// whatever residual rounding left on it.
pub(crate) fn reverse_line(
    number: i32,
    line: &SaleLine,
    before: Quantity,
    quantity: Quantity,
    restock: bool,
) -> BookedLine {
    let upto = before.checked_add(quantity).unwrap_or(line.quantity);
    // A whole line goes back as it is, also one of history with a quantity of zero or below.
    let part = |whole: i64| match quantity == line.quantity {
        true => -whole,
        false => -kernel::vat::slice(whole, before, upto, line.quantity),
    };
    let (gross, vat) = (part(line.gross.amount), part(line.vat.amount));
    BookedLine {
        line: number,
        sku: line.sku.clone(),
        name: line.name.clone(),
        category: line.category.clone(),
        quantity: quantity.negated(),
        unit_price: line.unit_price.amount,
        discount: part(line.discount.amount),
        amounts: Amounts { net: gross - vat, vat, gross },
        rate: Rate(line.vat_rate),
        original_line: Some(line.line),
        restocked: Some(restock),
    }
}

/// Adds up reversed lines; `cash_rounding` is what was due beyond the gross amount.
pub(crate) fn sum_up(lines: Vec<BookedLine>, cash_rounding: i64) -> PricedSale {
    let mut by_rate: BTreeMap<Rate, Amounts> = BTreeMap::new();
    let mut totals = Amounts::default();
    for line in &lines {
        for sum in [by_rate.entry(line.rate).or_default(), &mut totals] {
            sum.net += line.amounts.net;
            sum.vat += line.amounts.vat;
            sum.gross += line.amounts.gross;
        }
    }
    PricedSale {
        discount: lines.iter().map(|line| line.discount).sum(),
        taxes: by_rate.into_iter().map(|(rate, amounts)| TaxLine { rate, amounts }).collect(),
        lines,
        totals,
        cash_rounding,
        change: 0,
    }
}

/// Books a correction: book, stock and news in the caller's transaction.
///
/// # Errors
/// [`DbError`].
pub(crate) async fn book(tx: &TenantTx, booking: &Booking) -> Result<(Sale, Receipt), SaleError> {
    let ctx = tx.ctx();
    let rows = tx.run(insert_sales_stmt(ctx, std::slice::from_ref(booking))).await?;
    let receipt = decode_receipts(&rows)?.get(&booking.id).copied();
    let receipt = receipt.ok_or_else(|| DbError::Other("a booking got no receipt".to_owned()))?;
    let movements = booking::movements(booking);
    let applied = inventory::post_movements(tx, &movements, booking::guard(ctx, booking.kind)).await?;
    let mut news = vec![crate::events::booked(ctx, booking)];
    news.extend(inventory::low_stock_alerts(&applied));
    messages::publish(tx, &news).await?;
    if let Some(original) = booking.original {
        tx.notify_invalidate(&crate::cache::key(ctx.tenant_id(), original)).await?;
    }
    Ok((booking::booked_sale(ctx, booking, receipt), receipt))
}
