//! Writing orders, many at once: heads with their lines and numbers in one statement.

use std::collections::HashMap;

use db::{DbError, Row, Stmt};
use inventory::ShopId;
use kernel::{Ctx, Timestamp};
use postgres_types::ToSql;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::model::{NewOrder, OrderEvent, OrderId, OrderStatus};

/// `orders.new_order`.
#[derive(Debug, ToSql)]
#[postgres(name = "new_order")]
struct OrderRow {
    id: OrderId,
    status: &'static str,
    channel: &'static str,
    owner: String,
    shop_id: ShopId,
    checkout_id: Option<Uuid>,
    payment_id: Option<Uuid>,
    sale_id: Uuid,
    net: i64,
    vat: i64,
    gross: i64,
    discount: i64,
    lines: Value,
    ship_to: Option<Value>,
    note: String,
    history: Value,
}

/// The statement that writes `orders` of one tenant and numbers them in their order, all at one time.
///
/// An order whose id is taken already is left as it is and has no row; read the others' with [`decode_numbers`].
#[must_use]
pub fn insert_orders_stmt(ctx: &Ctx, orders: &[NewOrder]) -> Stmt {
    Stmt::new(include_str!("insert_orders.sql"))
        .bind(ctx.tenant_id())
        .bind(ctx.now())
        .bind(orders.iter().map(|order| row(ctx, order)).collect::<Vec<_>>())
}

fn row(ctx: &Ctx, order: &NewOrder) -> OrderRow {
    OrderRow {
        id: order.id,
        status: order.status.as_str(),
        channel: order.channel,
        owner: order.owner.to_string(),
        shop_id: order.shop,
        checkout_id: order.checkout,
        payment_id: order.payment,
        sale_id: order.sale,
        net: order.sums.net,
        vat: order.sums.vat,
        gross: order.sums.gross,
        discount: order.sums.discount,
        lines: json!(order.lines),
        ship_to: order.ship_to.as_ref().map(|address| json!(address)),
        note: order.note.clone(),
        history: json!(beginning(order, ctx.now(), &ctx.caller.actor.to_string())),
    }
}

/// An order that is paid from the start was created in the same moment.
fn beginning(order: &NewOrder, at: Timestamp, by: &str) -> Vec<OrderEvent> {
    let event = |status| OrderEvent { status, at, by: by.to_owned(), reason: None };
    match order.status {
        OrderStatus::Created => vec![event(OrderStatus::Created)],
        status => vec![event(OrderStatus::Created), event(status)],
    }
}

/// The numbers given to the orders of [`insert_orders_stmt`].
///
/// # Errors
/// [`DbError::Other`] when the rows are not of that statement.
pub fn decode_numbers(rows: &[Row]) -> Result<HashMap<OrderId, i64>, DbError> {
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
