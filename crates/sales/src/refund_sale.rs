//! Use case: refund lines of a sale, in part or whole. Never more than was sold and not yet refunded, also when two
//! refunds race: the sale is locked while it is looked at.

use std::collections::BTreeMap;

use db::TenantTx;
use garde::Validate;
use kernel::{Money, Quantity, Round, div_round};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    booking::Booking,
    correct_sale::{Correctable, book, lock_sale, reverse_line, sum_up},
    error::SaleError,
    model::{MOST_LINES, MOST_TENDERS, Sale, SaleId, SaleKind, Tender, TenderMethod},
    price_sale::{BookedLine, same_currency},
    problems::*,
    registers::Register,
    schemas,
};

/// A line to take back.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefundLine {
    /// Its number on the original sale.
    #[garde(range(min = 1, max = 5000))]
    #[schema(minimum = 1, maximum = 5000)]
    pub line: i32,
    /// How many come back.
    #[garde(custom(positive))]
    #[schema(schema_with = Quantity::line_schema)]
    pub quantity: Quantity,
    /// Back to the shelf (the default), or written off.
    #[garde(skip)]
    #[serde(default = "yes")]
    pub restock: bool,
}

const fn yes() -> bool {
    true
}

fn positive(quantity: &Quantity, (): &()) -> garde::Result {
    if quantity.is_positive() { Ok(()) } else { Err(garde::Error::new("must be above 0")) }
}

/// What is refunded, why, and how the money goes back.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct RefundSale {
    /// For the books: 1 to 500 characters.
    #[garde(length(chars, min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// Which lines, each at most once.
    #[garde(length(min = 1, max = MOST_LINES), dive)]
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<RefundLine>,
    /// Where the money goes, in positive amounts; to the original tenders when left out, cards before cash.
    #[garde(inner(length(min = 1, max = MOST_TENDERS)))]
    #[schema(schema_with = schemas::returned_tenders, required = false)]
    #[serde(default)]
    pub tenders: Option<Vec<Tender>>,
    /// The register that gives the money back; the original one when left out.
    #[serde(default)]
    pub register_id: Option<crate::model::RegisterId>,
}

/// Refunds lines of the sale; `register` is the one named in `input`, if any.
///
/// # Errors
/// [`SaleError::RefundExceeds`], [`UNKNOWN_LINE`], [`REFUND_TENDER_EXCEEDED`], [`ALREADY_VOIDED`], [`NOT_A_SALE`],
/// [`SALE_NOT_FOUND`].
pub async fn refund_sale(
    tx: &TenantTx,
    id: SaleId,
    input: &RefundSale,
    register: Option<&Register>,
) -> Result<Sale, SaleError> {
    let original = lock_sale(tx, id).await?;
    let lines = reverse_lines(&original, input)?;
    let refunded = -lines.iter().map(|line| line.amounts.gross).sum::<i64>();
    let left = original.sale.totals.gross.amount - original.sale.refunded_total.amount;
    let back = match &input.tenders {
        Some(tenders) => chosen_tenders(tx, &original, tenders, refunded, refunded == left)?,
        None => default_tenders(tx, &original, refunded, refunded == left),
    };
    let paid: i64 = back.values().sum();
    let currency = original.sale.change.currency;
    let tenders = back.into_iter().filter(|(_, amount)| *amount != 0);
    let tenders = tenders.map(|(method, amount)| Tender { method, amount: Money::new(-amount, currency) });
    let sale = &original.sale;
    let booking = Booking {
        id: SaleId::new(),
        kind: SaleKind::Refund,
        channel: sale.channel,
        shop: register.map_or(sale.shop_id, |register| register.shop_id),
        register: register.map_or(sale.register_id, |register| register.id),
        receipt_prefix: register
            .map_or(&original.receipt_prefix, |register| &register.receipt_prefix)
            .clone(),
        cashier: tx.ctx().caller.actor.to_string(),
        customer: sale.customer_id,
        original: Some(sale.id),
        reason: Some(input.reason.clone()),
        policy: original.policy,
        priced: sum_up(lines, refunded - paid),
        tenders: tenders.collect(),
        occurred_at: tx.ctx().now(),
        booked_at: tx.ctx().now(),
        in_shift: true,
    };
    Ok(book(tx, &booking).await?.0)
}

/// Refunds whatever of the sale was not taken back before, to its original tenders; `None` when nothing is left or the
/// sale was voided. `restock`: the goods go back to the shelf.
///
/// # Errors
/// [`NOT_A_SALE`], [`SALE_NOT_FOUND`], a database that fails.
pub async fn refund_rest(
    tx: &TenantTx,
    id: SaleId,
    reason: &str,
    restock: bool,
) -> Result<Option<Sale>, SaleError> {
    let original = match lock_sale(tx, id).await {
        Err(SaleError::State { code, .. }) if code == ALREADY_VOIDED => return Ok(None),
        locked => locked?,
    };
    let left = |line: &crate::model::SaleLine| {
        let before = original.taken_back.get(&line.line).map_or(Quantity::ZERO, |back| back.quantity);
        let quantity = line.quantity.checked_sub(before).filter(|left| left.is_positive())?;
        Some(RefundLine { line: line.line, quantity, restock })
    };
    let lines: Vec<RefundLine> = original.sale.lines.iter().filter_map(left).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let input = RefundSale { reason: reason.to_owned(), lines, tenders: None, register_id: None };
    refund_sale(tx, id, &input, None).await.map(Some)
}

fn reverse_lines(original: &Correctable, input: &RefundSale) -> Result<Vec<BookedLine>, SaleError> {
    let mut lines: Vec<BookedLine> = Vec::with_capacity(input.lines.len());
    for (index, wanted) in input.lines.iter().enumerate() {
        let pointer = format!("/lines/{index}/line");
        if lines.iter().any(|line| line.original_line == Some(wanted.line)) {
            let detail = format!("line {} is named twice", wanted.line);
            return Err(SaleError::at(UNKNOWN_LINE, pointer, detail));
        }
        let found = original.sale.lines.iter().find(|line| line.line == wanted.line);
        let sold = found.ok_or_else(|| {
            SaleError::at(UNKNOWN_LINE, pointer, format!("the sale has no line {}", wanted.line))
        })?;
        let before = original.taken_back.get(&wanted.line).map_or(Quantity::ZERO, |back| back.quantity);
        let left = sold.quantity.checked_sub(before).unwrap_or(Quantity::ZERO);
        if wanted.quantity > left {
            return Err(SaleError::RefundExceeds { line: wanted.line, left });
        }
        let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
        lines.push(reverse_line(number, sold, before, wanted.quantity, wanted.restock));
    }
    Ok(lines)
}

/// Back to the original tenders, cash last; the refund that completes the sale empties each to the minor unit.
fn default_tenders(
    tx: &TenantTx,
    original: &Correctable,
    refunded: i64,
    completes: bool,
) -> BTreeMap<TenderMethod, i64> {
    if completes {
        return original.left_on.clone();
    }
    let mut open = refunded;
    let mut back = BTreeMap::new();
    let others = original.left_on.iter().filter(|(method, _)| **method != TenderMethod::Cash);
    for (method, left) in others {
        let part = open.min(*left).max(0);
        back.insert(*method, part);
        open -= part;
    }
    let cash = original.left_on.get(&TenderMethod::Cash).copied().unwrap_or(0);
    back.insert(TenderMethod::Cash, rounded_cash(tx, open).min(cash.max(0)));
    back
}

fn rounded_cash(tx: &TenantTx, amount: i64) -> i64 {
    let step = tx.ctx().tenant.settings.cash_rounding.0.max(1);
    let steps = div_round(i128::from(amount), i128::from(step), Round::HalfUp);
    i64::try_from(steps * i128::from(step)).unwrap_or(amount)
}

/// The caller's choice, held to what each tender took and to the refunded amount.
fn chosen_tenders(
    tx: &TenantTx,
    original: &Correctable,
    tenders: &[Tender],
    refunded: i64,
    completes: bool,
) -> Result<BTreeMap<TenderMethod, i64>, SaleError> {
    let mut back: BTreeMap<TenderMethod, i64> = BTreeMap::new();
    for (index, tender) in tenders.iter().enumerate() {
        same_currency(&tx.ctx().tenant, tender.amount, &format!("/tenders/{index}/amount/currency"))?;
        if tender.amount.amount <= 0 {
            let pointer = format!("/tenders/{index}/amount/amount");
            return Err(SaleError::at(TENDER_SHORT, pointer, "each tender must be above 0"));
        }
        *back.entry(tender.method).or_default() += tender.amount.amount;
    }
    for (method, amount) in &back {
        let left = original.left_on.get(method).copied().unwrap_or(0);
        if *amount > left {
            let detail = format!("{left} is left on that tender, {amount} was asked for");
            return Err(SaleError::state(REFUND_TENDER_EXCEEDED, detail));
        }
    }
    let given: i64 = back.values().sum();
    let due = match completes {
        true => original.left_on.values().sum(),
        false => {
            let cash = back.get(&TenderMethod::Cash).copied().unwrap_or(0);
            let others = given - cash;
            others + if cash > 0 { rounded_cash(tx, refunded - others) } else { refunded - others }
        }
    };
    if given == due { Ok(back) } else { Err(SaleError::TenderShort { due, given }) }
}
