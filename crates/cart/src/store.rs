//! Carts in PostgreSQL: read, locked, written, many at once.

use std::collections::HashMap;

use customers::Buyer;
use db::{DbError, Row, Stmt, TenantTx};
use kernel::{Ctx, Timestamp};

use crate::{
    model::{Cart, CheckoutId, LIFETIME_S, Line, Times},
    shared_carts::Stamp,
};

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
    find_stamped(tx, owner).await.map(|(cart, _)| cart)
}

/// The cart of `owner` as it is now, with its stamp; empty and without one if there is none.
pub(crate) async fn find_stamped(tx: &TenantTx, owner: Buyer) -> Result<(Cart, Option<Stamp>), DbError> {
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &owner.to_string(), &tx.ctx().now()];
    match tx.query_opt(include_str!("find_cart.sql"), params).await? {
        Some(row) => Ok((decode(&row)?, Some(decode_stamp(&row)?))),
        None => Ok((Cart::empty(owner), None)),
    }
}

/// The stamp of the cart of `owner` as it is now; `None` if there is none.
pub(crate) async fn find_stamp(tx: &TenantTx, owner: Buyer) -> Result<Option<Stamp>, DbError> {
    let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &owner.to_string(), &tx.ctx().now()];
    tx.query_opt(include_str!("find_stamp.sql"), params).await?.as_ref().map(decode_stamp).transpose()
}

fn decode_stamp(row: &Row) -> Result<Stamp, DbError> {
    Ok(Stamp { version: row.try_get("version")?, row_state: row.try_get("row_state")? })
}

/// When a cart that is changed now was changed, and when it will be gone.
pub(crate) fn lifetime(now: Timestamp) -> Times {
    let expires_at = Timestamp::from_second(now.as_second() + LIFETIME_S).unwrap_or(now);
    Times { updated_at: now, expires_at }
}

/// A cart to be written over the one that was locked.
pub(crate) struct CartWrite<'a> {
    /// The version that was stored; 0 for none.
    pub(crate) base: i32,
    /// As it is now.
    pub(crate) cart: &'a Cart,
}

/// The statement that writes carts read under their lock. Returns a row for each that was written, see
/// [`decode_written`]: fewer mean that somebody else made a cart for its owner meanwhile, and the caller must roll back.
pub(crate) fn write_carts_stmt(ctx: &Ctx, writes: &[CartWrite<'_>]) -> Stmt {
    let Times { updated_at, expires_at } = lifetime(ctx.now());
    let lines = |write: &CartWrite<'_>| serde_json::json!(write.cart.lines);
    Stmt::new(include_str!("write_carts.sql"))
        .bind(ctx.tenant_id())
        .bind(updated_at)
        .bind(expires_at)
        .bind(writes.iter().map(|write| write.cart.owner.to_string()).collect::<Vec<_>>())
        .bind(writes.iter().map(lines).collect::<Vec<_>>())
        .bind(writes.iter().map(|write| write.base).collect::<Vec<_>>())
        .bind(writes.iter().map(|write| write.cart.version).collect::<Vec<_>>())
}

/// What a cart was written as.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// What its row is known by from the commit on.
    pub(crate) row_state: String,
    /// As stored, to the microsecond.
    pub(crate) times: Times,
}

/// Reads the rows of [`write_carts_stmt`], by owner.
pub(crate) fn decode_written(rows: &[Row]) -> Result<HashMap<String, Written>, DbError> {
    let written = |row: &Row| {
        let times = Times { updated_at: row.try_get("updated_at")?, expires_at: row.try_get("expires_at")? };
        Ok((row.try_get("owner")?, Written { row_state: row.try_get("row_state")?, times }))
    };
    rows.iter().map(written).collect()
}

/// The statement that removes the carts of `owners`, locked before.
pub(crate) fn delete_carts_stmt(ctx: &Ctx, owners: &[Buyer]) -> Stmt {
    Stmt::new(include_str!("delete_carts.sql"))
        .bind(ctx.tenant_id())
        .bind(owners.iter().map(ToString::to_string).collect::<Vec<_>>())
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
