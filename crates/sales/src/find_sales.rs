//! Use cases: one sale, and lists of sales. Sales are read as booked, with what became of them since.

use std::collections::HashMap;

use customers::CustomerId;
use db::{DbError, Row, TenantTx};
use edge::page::{Page, PageQuery};
use inventory::ShopId;
use kernel::{Currency, Money, Quantity, Timestamp, VatRounding, vat::Policy};

use crate::{
    booking::receipt_number,
    model::{
        Channel, RegisterId, Sale, SaleId, SaleKind, SaleLine, SaleStatus, TaxTotal, Tender, TenderMethod,
        Totals,
    },
};

/// Lines in one answer at most; one sale has no more.
const MOST_LINES: i64 = 5000;

/// Which sales are wanted; all conditions hold together.
#[derive(Debug, Clone, Default)]
pub struct SaleFilter {
    /// Occurred at or after.
    pub from: Option<Timestamp>,
    /// Occurred before.
    pub to: Option<Timestamp>,
    /// In this shop.
    pub shop: Option<ShopId>,
    /// On this register.
    pub register: Option<RegisterId>,
    /// By this cashier.
    pub cashier: Option<String>,
    /// By this customer.
    pub customer: Option<CustomerId>,
    /// From this channel.
    pub channel: Option<Channel>,
    /// With this receipt number.
    pub receipt: Option<(String, i64)>,
}

/// The sale of that id, with its corrections seen; `None` for another tenant's.
///
/// # Errors
/// [`DbError`].
pub async fn find_sale(tx: &TenantTx, id: SaleId) -> Result<Option<Sale>, DbError> {
    let rows = tx.query(include_str!("find_sale.sql"), &[&tx.tenant_id(), &id]).await?;
    Ok(assemble(tx, &rows).await?.pop())
}

/// The sale as it was answered when it was booked: what an idempotent retry is told.
///
/// # Errors
/// [`DbError`].
pub(crate) async fn find_sale_as_booked(tx: &TenantTx, id: SaleId) -> Result<Option<Sale>, DbError> {
    Ok(find_sale(tx, id).await?.map(|mut sale| {
        sale.status = SaleStatus::Completed;
        sale.refunded_total.amount = 0;
        sale
    }))
}

/// A page of sales, latest first by the time they occurred.
///
/// # Errors
/// [`DbError`]; a cursor that is not of this list.
pub async fn list_sales(
    tx: &TenantTx,
    filter: &SaleFilter,
    page: &PageQuery,
) -> Result<Page<Sale>, edge::Problem> {
    let after: Option<(Timestamp, SaleId)> = page.after()?;
    let (prefix, number) = filter.receipt.clone().unzip();
    let channel = filter.channel.map(crate::booking::channel_word);
    let (from, to) = (filter.from.map(db::storable), filter.to.map(db::storable));
    let rows = tx
        .query(
            include_str!("list_sales.sql"),
            &[
                &tx.tenant_id(),
                &from,
                &to,
                &filter.shop,
                &filter.register,
                &filter.cashier,
                &filter.customer,
                &channel,
                &prefix,
                &number,
                &after.map(|(at, _)| db::storable(at)),
                &after.map(|(_, id)| id),
                &page.limit.sql(),
            ],
        )
        .await?;
    let sales = assemble(tx, &rows).await?;
    let key = |last: &Sale| (last.occurred_at, last.id);
    Ok(if sales.len() < rows.len() {
        Page::ending_early(sales, key)
    } else {
        Page::from_rows(sales, page.limit, key)
    })
}

/// The VAT policy frozen on a sale, and what its receipt number begins with.
///
/// # Errors
/// [`DbError`]; the sale must exist.
pub(crate) async fn find_policy(tx: &TenantTx, id: SaleId) -> Result<(Policy, String), DbError> {
    let row = tx.query_one(include_str!("find_policy.sql"), &[&tx.tenant_id(), &id]).await?;
    let rounding: &str = row.try_get(1)?;
    let rounding = if rounding == "total" { VatRounding::Total } else { VatRounding::Line };
    Ok((Policy { prices_include_vat: row.try_get(0)?, rounding }, row.try_get(2)?))
}

/// Sales with their lines; the last ones stay away where all of them have more lines than an answer may hold.
async fn assemble(tx: &TenantTx, rows: &[Row]) -> Result<Vec<Sale>, DbError> {
    let currency = tx.ctx().tenant.currency;
    let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<SaleId>, _>>()?;
    let most = MOST_LINES + 1;
    let mut lines = tx.query(include_str!("find_sale_lines.sql"), &[&tx.tenant_id(), &ids, &most]).await?;
    let mut whole = rows.len();
    if lines.len() as i64 == most
        && let Some(last) = lines.last()
    {
        let cut: SaleId = last.try_get(0)?;
        whole = ids.iter().position(|id| *id == cut).unwrap_or(whole);
        lines.pop();
    }
    let rows = &rows[..whole];
    let mut by_sale: HashMap<SaleId, Vec<SaleLine>> = HashMap::with_capacity(ids.len());
    for row in &lines {
        by_sale.entry(row.try_get(0)?).or_default().push(decode_line(row, currency)?);
    }
    let lines = |id| by_sale.remove(&id).unwrap_or_default();
    decode_sales(rows, currency, lines)
}

fn decode_sales(
    rows: &[Row],
    currency: Currency,
    mut lines: impl FnMut(SaleId) -> Vec<SaleLine>,
) -> Result<Vec<Sale>, DbError> {
    rows.iter().map(|row| decode_sale(row, currency, &mut lines)).collect()
}

fn decode_sale(
    row: &Row,
    currency: Currency,
    lines: &mut impl FnMut(SaleId) -> Vec<SaleLine>,
) -> Result<Sale, DbError> {
    let money = |column: usize| Ok::<_, DbError>(Money::new(row.try_get(column)?, currency));
    let id: SaleId = row.try_get(0)?;
    let (gross, refunded, voided): (i64, i64, bool) = (row.try_get(14)?, row.try_get(23)?, row.try_get(24)?);
    Ok(Sale {
        id,
        kind: word(row, 1)?,
        channel: word(row, 2)?,
        shop_id: row.try_get(3)?,
        register_id: row.try_get(4)?,
        shift_id: row.try_get(5)?,
        receipt_number: receipt_number(row.try_get(6)?, row.try_get(7)?),
        cashier: row.try_get(8)?,
        customer_id: row.try_get(9)?,
        original: row.try_get(10)?,
        reason: row.try_get(11)?,
        status: status(gross, refunded, voided),
        lines: lines(id),
        vat: decode_taxes(row.try_get(18)?, currency)?,
        totals: Totals {
            net: money(12)?,
            vat: money(13)?,
            gross: money(14)?,
            discount: money(15)?,
            cash_rounding: money(16)?,
        },
        change: money(17)?,
        tenders: decode_tenders(row.try_get(19)?, currency)?,
        occurred_at: row.try_get(20)?,
        created_at: row.try_get(21)?,
        refunded_total: Money::new(refunded, currency),
        explanation: None,
    })
}

/// How a sale of `gross` stands after `refunded` was taken back.
fn status(gross: i64, refunded: i64, voided: bool) -> SaleStatus {
    match refunded {
        _ if voided => SaleStatus::Voided,
        0 => SaleStatus::Completed,
        all if all == gross => SaleStatus::Refunded,
        _ => SaleStatus::PartiallyRefunded,
    }
}

fn decode_line(row: &Row, currency: Currency) -> Result<SaleLine, DbError> {
    let money = |column: usize| Ok::<_, DbError>(Money::new(row.try_get(column)?, currency));
    let quantity = Quantity::from_thousandths(row.try_get(5)?);
    Ok(SaleLine {
        line: row.try_get(1)?,
        sku: row.try_get(2)?,
        name: row.try_get(3)?,
        category: row.try_get(4)?,
        quantity: quantity.ok_or_else(|| unreadable("quantity"))?,
        unit_price: money(6)?,
        discount: money(7)?,
        net: money(8)?,
        vat: money(9)?,
        gross: money(10)?,
        vat_rate: row.try_get(11)?,
        original_line: row.try_get(12)?,
        restocked: row.try_get(13)?,
    })
}

pub(crate) fn decode_tenders(stored: serde_json::Value, currency: Currency) -> Result<Vec<Tender>, DbError> {
    let pairs: Vec<(TenderMethod, i64)> =
        serde_json::from_value(stored).map_err(|_| unreadable("tenders"))?;
    let tender = |(method, amount)| Tender { method, amount: Money::new(amount, currency) };
    Ok(pairs.into_iter().map(tender).collect())
}

fn decode_taxes(stored: serde_json::Value, currency: Currency) -> Result<Vec<TaxTotal>, DbError> {
    let triples: Vec<(i32, i64, i64)> = serde_json::from_value(stored).map_err(|_| unreadable("taxes"))?;
    let tax =
        |(rate, net, vat)| TaxTotal { rate, net: Money::new(net, currency), vat: Money::new(vat, currency) };
    Ok(triples.into_iter().map(tax).collect())
}

fn word<T: serde::de::DeserializeOwned>(row: &Row, column: usize) -> Result<T, DbError> {
    let text: &str = row.try_get(column)?;
    serde_json::from_value(text.into()).map_err(|_| unreadable(text))
}

fn unreadable(what: &str) -> DbError {
    DbError::Other(format!("the book of sales holds an unreadable {what}"))
}

/// The kind of a booked sale.
pub(crate) fn is_sale(sale: &Sale) -> bool {
    sale.kind == SaleKind::Sale
}
