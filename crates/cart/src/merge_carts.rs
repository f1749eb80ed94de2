//! Use case: a guest has signed in, or two customers were one: their carts become one.

use customers::Buyer;
use db::{DbError, TenantTx};

use crate::{
    change_cart::put,
    model::{Cart, Line},
    store::{CartWrite, decode_carts, delete_carts_stmt, lifetime, lock_carts_stmt, write_carts_stmt},
};

/// Puts what is in the cart of `from` into that of `to`, and removes it. Of a SKU that is in both the larger quantity
/// stays, as it is most likely the same wish twice; what does not fit is left out, the newest first. A cart that is
/// being checked out stays where it is.
///
/// # Errors
/// [`DbError::Conflict`] when somebody made a cart for `to` meanwhile; any other [`DbError`].
pub async fn merge_carts(tx: &TenantTx, from: Buyer, to: Buyer) -> Result<(), DbError> {
    let ctx = tx.ctx();
    let mut carts = decode_carts(&tx.run(lock_carts_stmt(ctx, &[from, to])).await?)?;
    let Some(place) = carts.iter().position(|cart| cart.owner == from) else { return Ok(()) };
    let source = carts.swap_remove(place);
    let target = carts.pop().unwrap_or_else(|| Cart::empty(to));
    if source.checkout.is_some() || target.checkout.is_some() {
        return Ok(());
    }
    let cart = Cart {
        owner: to,
        lines: merged(target.lines, source.lines),
        checkout: None,
        version: target.version + 1,
        times: Some(lifetime(ctx.now())),
    };
    let write = CartWrite { base: target.version, cart: &cart };
    if tx.run(write_carts_stmt(ctx, &[write])).await?.is_empty() {
        return Err(DbError::Conflict("a cart was made meanwhile".to_owned()));
    }
    tx.run(delete_carts_stmt(ctx, &[from])).await.map(drop)
}

fn merged(mut lines: Vec<Line>, source: Vec<Line>) -> Vec<Line> {
    for line in source {
        let twice = lines.iter().any(|mine| mine.sku == line.sku && mine.units >= line.units);
        if !twice && let Ok(with) = put(&lines, line) {
            lines = with;
        }
    }
    lines
}
