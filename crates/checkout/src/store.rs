//! Checkouts in PostgreSQL: written, locked, moved on.

use std::{collections::HashMap, time::Duration};

use cart::CheckoutId;
use customers::Buyer;
use db::{DbError, Row, Stmt, TenantTx};
use inventory::{ReservationId, ShopId};
use kernel::{Ctx, Timestamp};
use orders::OrderId;
use payments::PaymentId;
use postgres_types::ToSql;
use sales::SaleId;
use serde_json::{Value, json};

use crate::{begin::later, model::Checkout};

/// `checkout.new_checkout`.
#[derive(Debug, ToSql)]
#[postgres(name = "new_checkout")]
struct CheckoutRow {
    id: CheckoutId,
    owner: String,
    shop_id: ShopId,
    reservation_id: ReservationId,
    payment_id: Option<PaymentId>,
    order_id: OrderId,
    sale_id: SaleId,
    provider: String,
    method: String,
    total: i64,
    plan: Value,
    ship_to: Option<Value>,
    note: String,
    steps: Value,
}

/// The statement that writes checkouts of one tenant, all leased to this process.
pub(crate) fn insert_checkouts_stmt(ctx: &Ctx, checkouts: &[&Checkout], lease: Duration) -> Stmt {
    let row = |checkout: &&Checkout| CheckoutRow {
        id: checkout.id,
        owner: checkout.owner.to_string(),
        shop_id: checkout.shop,
        reservation_id: checkout.reservation,
        payment_id: checkout.payment,
        order_id: checkout.order,
        sale_id: checkout.sale,
        provider: checkout.provider.clone(),
        method: checkout.method.clone(),
        total: checkout.total.amount,
        plan: json!(checkout.plan),
        ship_to: checkout.ship_to.as_ref().map(|address| json!(address)),
        note: checkout.note.clone(),
        steps: json!(checkout.steps),
    };
    let deadline = checkouts.iter().map(|checkout| checkout.deadline_at).max();
    Stmt::new(include_str!("insert_checkouts.sql"))
        .bind(ctx.tenant_id())
        .bind(ctx.now())
        .bind(later(ctx.now(), lease))
        .bind(deadline.unwrap_or_else(|| ctx.now()))
        .bind(checkouts.iter().map(row).collect::<Vec<_>>())
}

/// The checkout of that id, if the tenant has it.
pub(crate) async fn find_checkout(tx: &TenantTx, id: CheckoutId) -> Result<Option<Checkout>, DbError> {
    let row = tx.query_opt(include_str!("find_checkout.sql"), &[&tx.tenant_id(), &id]).await?;
    row.map(|row| Checkout::decode(&row, tx.ctx())).transpose()
}

/// The checkout of that id, locked against everybody else who would move it on.
pub(crate) async fn lock_checkout(tx: &TenantTx, id: CheckoutId) -> Result<Option<Checkout>, DbError> {
    let row = tx.query_opt(include_str!("lock_checkout.sql"), &[&tx.tenant_id(), &id]).await?;
    row.map(|row| Checkout::decode(&row, tx.ctx())).transpose()
}

/// The statement that locks those of `ids` that are running and names them with whose they are.
pub(crate) fn lock_running_stmt(ctx: &Ctx, ids: &[CheckoutId]) -> Stmt {
    Stmt::new(include_str!("lock_running.sql"))
        .bind(ctx.tenant_id())
        .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
}

/// Reads the rows of [`lock_running_stmt`].
pub(crate) fn decode_owners(rows: &[Row]) -> Result<HashMap<CheckoutId, Buyer>, DbError> {
    let corrupt = |_| DbError::Other("a checkout's owner cannot be read".to_owned());
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get::<_, &str>(1)?.parse().map_err(corrupt)?)))
        .collect()
}

/// Gives the running checkouts of `from` to `to`: who signs in while they pay gets the order.
///
/// # Errors
/// [`DbError`].
pub async fn move_checkouts(tx: &TenantTx, from: Buyer, to: Buyer) -> Result<(), DbError> {
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &from.to_string(), &to.to_string()];
    tx.execute(include_str!("move_checkouts.sql"), params).await.map(drop)
}

/// The statement that completes checkouts, locked before; with the history of each.
pub(crate) fn complete_stmt(ctx: &Ctx, checkouts: &[&Checkout]) -> Stmt {
    Stmt::new(include_str!("complete.sql"))
        .bind(ctx.tenant_id())
        .bind(ctx.now())
        .bind(checkouts.iter().map(|checkout| checkout.id.0).collect::<Vec<_>>())
        .bind(checkouts.iter().map(|checkout| json!(checkout.steps)).collect::<Vec<_>>())
}

/// Writes down how a checkout, locked before, stands now; until `lease_until` it is left alone.
pub(crate) async fn save(tx: &TenantTx, checkout: &Checkout, lease_until: Timestamp) -> Result<(), DbError> {
    let params: &[&(dyn db::types::ToSql + Sync)] = &[
        &tx.tenant_id(),
        &checkout.id,
        &state_word(checkout),
        &checkout.phase.as_str(),
        &checkout.reservation,
        &checkout.failure.as_ref().map(|failure| json!(failure)),
        &checkout.action,
        &json!(checkout.steps),
        &lease_until,
        &tx.ctx().now(),
    ];
    tx.execute(include_str!("save.sql"), params).await.map(drop)
}

fn state_word(checkout: &Checkout) -> &'static str {
    use crate::model::CheckoutState::{Completed, Failed, Running};
    match checkout.state {
        Running => "running",
        Completed => "completed",
        Failed => "failed",
    }
}

/// Takes over checkouts that nobody works on any more; at most `most`.
pub(crate) async fn claim_overdue(
    tx: &TenantTx,
    lease: Duration,
    most: i64,
) -> Result<Vec<Checkout>, DbError> {
    let now = tx.ctx().now();
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &now, &later(now, lease), &most];
    let rows = tx.query(include_str!("claim_overdue.sql"), params).await?;
    rows.iter().map(|row| Checkout::decode(row, tx.ctx())).collect()
}

/// Takes over one checkout, if it is running: whoever worked on it has to look again before the next step.
pub(crate) async fn claim(
    tx: &TenantTx,
    id: CheckoutId,
    lease: Duration,
) -> Result<Option<Checkout>, DbError> {
    let now = tx.ctx().now();
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &id, &later(now, lease), &now];
    let row = tx.query_opt(include_str!("claim.sql"), params).await?;
    row.map(|row| Checkout::decode(&row, tx.ctx())).transpose()
}
