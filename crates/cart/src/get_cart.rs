//! Use case: show a cart, from Redis when it has the present one.

use catalog::TaxTable;
use customers::Buyer;
use db::{DbError, TenantTx};
use edge::Problem;
use futures::future::try_join3;
use kernel::Ctx;

use crate::{
    http::Carts,
    problems::CART_NOT_FOUND,
    shared_carts::{Kept, Stamp},
    show_cart::{CartView, by_sku, show_cart, view},
    store::{find_stamp, find_stamped},
};

/// The cart of `owner` beside today's catalog. Products and stamp travel in one round trip, so that asking PostgreSQL
/// which cart is the present one costs no wait.
pub(crate) async fn get_cart(state: &Carts, ctx: &Ctx, owner: Buyer) -> Result<CartView, Problem> {
    let taxes = state.catalog().tax_table(ctx).await?;
    let kept = state.shared().find(ctx.tenant_id(), owner).await;
    let tx = state.db().begin_read(ctx).await?;
    if let Some(kept) = &kept
        && let Some(view) = show_kept(&tx, &taxes, kept).await?
    {
        tx.commit().await?;
        state.reads().redis.increment(1);
        return Ok(view);
    }
    check_owner(&tx, owner).await?;
    let found = find_stamped(&tx, owner).await?;
    let view = show_cart(&tx, &taxes, &found.0).await?;
    tx.commit().await?;
    set_right(state, ctx, kept, found).await;
    Ok(view)
}

async fn check_owner(tx: &TenantTx, owner: Buyer) -> Result<(), Problem> {
    match owner.customer() {
        Some(id) if !customers::exists(tx, id).await? => Err(Problem::new(CART_NOT_FOUND)),
        _ => Ok(()),
    }
}

/// What Redis has, if it is the present cart.
async fn show_kept(tx: &TenantTx, taxes: &TaxTable, kept: &Kept) -> Result<Option<CartView>, Problem> {
    let skus: Vec<&str> = kept.cart.lines.iter().map(|line| line.sku.as_str()).collect();
    let stamp = async { find_stamp(tx, kept.cart.owner).await.map_err(Problem::from) };
    let rows = async { tx.run(catalog::sellable_stmt(tx.ctx(), &skus)).await.map_err(Problem::from) };
    let ((), stamp, rows) = try_join3(check_owner(tx, kept.cart.owner), stamp, rows).await?;
    if stamp.is_none_or(|stamp| stamp.to_string() != kept.stamp) {
        return Ok(None);
    }
    let shown = view(tx.ctx(), taxes, &by_sku(&rows)?, &kept.cart);
    Ok(Some(shown.map_err(|error| DbError::Other(error.to_string()))?))
}

/// Has Redis know what PostgreSQL had instead of what it had itself.
async fn set_right(
    state: &Carts,
    ctx: &Ctx,
    kept: Option<Kept>,
    (cart, stamp): (crate::Cart, Option<Stamp>),
) {
    let wrong = kept.as_ref().map(|kept| kept.stamp.as_str());
    match (&stamp, wrong) {
        (Some(stamp), wrong) => {
            state.reads().postgresql.increment(1);
            state.shared().put(ctx.tenant_id(), &cart, stamp, wrong, ctx.now()).await;
        }
        (None, Some(wrong)) => state.shared().remove(ctx.tenant_id(), cart.owner, wrong).await,
        (None, None) => {}
    }
}
