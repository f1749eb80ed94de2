//! Carts in PostgreSQL: read, locked, written, many at once.

use customers::Buyer;
use db::{DbError, Row, Stmt, TenantTx};
use kernel::{Ctx, Timestamp};

use crate::model::{Cart, CheckoutId, LIFETIME_S, Line, Times};

/// The statement that reads the carts of `owners` and locks them against every change, in the order of owners, until the
/// transaction ends. Carts that expired or were never stored have no row; read the rows with [`decode_carts`].
#[must_use]
pub fn lock_carts_stmt(ctx: &Ctx, owners: &[Buyer]) -> Stmt {
    Stmt::new(include_str!("lock_carts.sql"))
        .bind(ctx.tenant_id())
        .bind(owners.iter().map(ToString::to_string).collect::<Vec<_>>())
        .bind(ctx.now())
}

/// Reads the rows of [`lock_carts_stmt`].
///
/// # Errors
/// [`DbError::Other`] when the rows are not of that statement.
pub fn decode_carts(rows: &[Row]) -> Result<Vec<Cart>, DbError> {
    rows.iter().map(decode).collect()
}

fn decode(row: &Row) -> Result<Cart, DbError> {
    let corrupt = |what: &str| DbError::Other(format!("a stored cart has {what}"));
    let owner: String = row.try_get(0)?;
    let lines: serde_json::Value = row.try_get(1)?;
    Ok(Cart {
        owner: owner.parse().map_err(|_| corrupt("no owner"))?,
        lines: serde_json::from_value::<Vec<Line>>(lines).map_err(|_| corrupt("unreadable lines"))?,
        checkout: row.try_get::<_, Option<CheckoutId>>(2)?,
        version: row.try_get(3)?,
        times: Some(Times { updated_at: row.try_get(4)?, expires_at: row.try_get(5)? }),
    })
}

/// The cart of `owner` as it is now, empty if there is none.
///
/// # Errors
/// [`DbError`].
pub async fn find_cart(tx: &TenantTx, owner: Buyer) -> Result<Cart, DbError> {
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &owner.to_string(), &tx.ctx().now()];
    let row = tx.query_opt(include_str!("find_cart.sql"), params).await?;
    row.as_ref().map_or_else(|| Ok(Cart::empty(owner)), decode)
}

/// The cart of `owner`, locked until the transaction ends. Two requests that both make a cart meet when it is written:
/// the second one fails with a conflict and is tried again by the edge.
///
/// # Errors
/// [`DbError`].
pub async fn lock_cart(tx: &TenantTx, owner: Buyer) -> Result<Cart, DbError> {
    let rows = tx.run(lock_carts_stmt(tx.ctx(), &[owner])).await?;
    rows.first().map_or_else(|| Ok(Cart::empty(owner)), decode)
}

/// Writes a cart that was read under its lock, with one more change to its name, and returns it as stored.
///
/// # Errors
/// [`DbError::Conflict`] when somebody else made a cart for this owner meanwhile; any other [`DbError`].
pub(crate) async fn write_cart(tx: &TenantTx, cart: Cart) -> Result<Cart, DbError> {
    let now = tx.ctx().now();
    let expires_at = Timestamp::from_second(now.as_second() + LIFETIME_S).unwrap_or(now);
    let lines = serde_json::to_value(&cart.lines).map_err(|error| DbError::Other(error.to_string()))?;
    let params: &[&(dyn db::types::ToSql + Sync)] =
        &[&tx.tenant_id(), &cart.owner.to_string(), &lines, &cart.version, &now, &expires_at];
    let row = tx.query_opt(include_str!("write_cart.sql"), params).await?;
    let row = row.ok_or_else(|| DbError::Conflict("the cart changed meanwhile".to_owned()))?;
    let times = Some(Times { updated_at: now, expires_at });
    Ok(Cart { version: row.try_get(0)?, times, ..cart })
}

/// Removes the cart of `owner`.
///
/// # Errors
/// [`DbError`].
pub(crate) async fn delete_cart(tx: &TenantTx, owner: Buyer) -> Result<(), DbError> {
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &owner.to_string()];
    tx.execute(include_str!("delete_cart.sql"), params).await.map(drop)
}

fn pairs(sql: &'static str, ctx: &Ctx, carts: &[(Buyer, CheckoutId)]) -> Stmt {
    Stmt::new(sql)
        .bind(ctx.tenant_id())
        .bind(carts.iter().map(|(owner, _)| owner.to_string()).collect::<Vec<_>>())
        .bind(carts.iter().map(|(_, checkout)| checkout.0).collect::<Vec<_>>())
}

/// The statement that gives carts, locked before, to their checkouts: nobody changes them until these end.
#[must_use]
pub fn take_carts_stmt(ctx: &Ctx, carts: &[(Buyer, CheckoutId)]) -> Stmt {
    pairs(include_str!("take_carts.sql"), ctx, carts)
}

/// The statement that removes the carts whose checkouts have bought them.
#[must_use]
pub fn clear_carts_stmt(ctx: &Ctx, carts: &[(Buyer, CheckoutId)]) -> Stmt {
    pairs(include_str!("clear_carts.sql"), ctx, carts)
}

/// The statement that gives carts back whose checkouts have failed.
#[must_use]
pub fn return_carts_stmt(ctx: &Ctx, carts: &[(Buyer, CheckoutId)]) -> Stmt {
    pairs(include_str!("return_carts.sql"), ctx, carts)
}

/// Removes the carts of the tenant whose time is over; returns how many. A cart that is being checked out stays.
///
/// # Errors
/// [`DbError`].
pub(crate) async fn delete_expired(tx: &TenantTx) -> Result<u64, DbError> {
    tx.execute(include_str!("delete_expired.sql"), &[&tx.tenant_id(), &tx.ctx().now()]).await
}
