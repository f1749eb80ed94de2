//! Use cases: one order, and lists of orders, latest first.

use customers::Buyer;
use db::{DbError, Row, TenantTx};
use edge::page::{Page, PageQuery};
use kernel::{Currency, Money, Quantity, Timestamp};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::model::{Order, OrderId, OrderLine, OrderStatus, OrderTotals, StoredLine};

/// Which orders are wanted; all conditions hold together.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// Whose.
    pub owner: Option<Buyer>,
    /// Where they stand.
    pub status: Option<OrderStatus>,
    /// Made at or after.
    pub from: Option<Timestamp>,
    /// Made before.
    pub to: Option<Timestamp>,
    /// With this number.
    pub number: Option<i64>,
}

/// The order of that id; `None` for another tenant's.
///
/// # Errors
/// [`DbError`].
pub async fn find_order(tx: &TenantTx, id: OrderId) -> Result<Option<Order>, DbError> {
    let row = tx.query_opt(include_str!("find_order.sql"), &[&tx.tenant_id(), &id]).await?;
    row.map(|row| decode(&row, tx.ctx().tenant.currency)).transpose()
}

/// The order of that id, locked against every change until the transaction ends.
///
/// # Errors
/// [`DbError`].
pub async fn lock_order(tx: &TenantTx, id: OrderId) -> Result<Option<Order>, DbError> {
    let row = tx.query_opt(include_str!("lock_order.sql"), &[&tx.tenant_id(), &id]).await?;
    row.map(|row| decode(&row, tx.ctx().tenant.currency)).transpose()
}

/// A page of orders, latest first.
///
/// # Errors
/// [`DbError`]; a cursor that is not of this list.
pub async fn list_orders(
    tx: &TenantTx,
    filter: &OrderFilter,
    page: &PageQuery,
) -> Result<Page<Order>, edge::Problem> {
    let after: Option<(Timestamp, OrderId)> = page.after()?;
    let owner = filter.owner.map(|owner| owner.to_string());
    let (from, to) = (filter.from.map(db::storable), filter.to.map(db::storable));
    let (after_at, after_id) = (after.map(|(at, _)| db::storable(at)), after.map(|(_, id)| id));
    let params: &[&(dyn db::types::ToSql + Sync)] = &[
        &tx.tenant_id(),
        &owner,
        &filter.status.map(OrderStatus::as_str),
        &from,
        &to,
        &filter.number,
        &after_at,
        &after_id,
        &page.limit.sql(),
    ];
    let rows = tx.query(include_str!("list_orders.sql"), params).await?;
    let currency = tx.ctx().tenant.currency;
    let orders = rows.iter().map(|row| decode(row, currency)).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_rows(orders, page.limit, |last| (last.created_at, last.id)))
}

/// Reads the columns of `find_order.sql`.
pub(crate) fn decode(row: &Row, currency: Currency) -> Result<Order, DbError> {
    let money = |column: &str| Ok::<_, DbError>(Money::new(row.try_get(column)?, currency));
    let owner: String = row.try_get("owner")?;
    let owner: Buyer = owner.parse().map_err(|_| corrupt("owner"))?;
    let status = OrderStatus::parse(row.try_get("status")?).ok_or_else(|| corrupt("status"))?;
    let reached_books = status.is_paid() || matches!(status, OrderStatus::Refunded);
    let history: Vec<crate::model::OrderEvent> = json(row, "history")?;
    let was_paid = reached_books || history.iter().any(|event| event.status == OrderStatus::Paid);
    let lines: Vec<StoredLine> = json(row, "lines")?;
    let sale: Uuid = row.try_get("sale_id")?;
    let id = |prefix: &str, id: Option<Uuid>| id.map(|id| kernel::encode_id(prefix, id));
    Ok(Order {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        status,
        channel: row.try_get("channel")?,
        customer: owner.to_string(),
        customer_id: owner.customer(),
        shop_id: row.try_get("shop_id")?,
        checkout_id: id("chk", row.try_get("checkout_id")?),
        payment_id: id("pay", row.try_get("payment_id")?),
        sale_id: id("sal", Some(sale).filter(|_| was_paid)),
        sale,
        lines: lines.into_iter().zip(1..).map(|(line, number)| shown(line, number, currency)).collect(),
        totals: OrderTotals {
            net: money("net")?,
            vat: money("vat")?,
            gross: money("gross")?,
            discount: money("discount")?,
        },
        ship_to: row
            .try_get::<_, Option<serde_json::Value>>("ship_to")?
            .map(serde_json::from_value)
            .transpose()
            .map_err(|_| corrupt("ship_to"))?,
        note: row.try_get("note")?,
        history,
        version: row.try_get("version")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

fn corrupt(column: &str) -> DbError {
    DbError::Other(format!("an order's {column} cannot be read"))
}

fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T, DbError> {
    serde_json::from_value(row.try_get(column)?).map_err(|_| corrupt(column))
}

fn shown(line: StoredLine, number: i32, currency: Currency) -> OrderLine {
    let money = |amount| Money::new(amount, currency);
    OrderLine {
        line: number,
        sku: line.sku,
        name: line.name,
        category: line.category,
        quantity: Quantity::from_thousandths(line.units).unwrap_or_default(),
        unit_price: money(line.unit_price),
        discount: money(line.discount),
        net: money(line.net),
        vat: money(line.vat),
        gross: money(line.gross),
        vat_rate: line.rate,
    }
}
