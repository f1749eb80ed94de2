//! Use case: write movements into the book and change the shelves by them. The hot path of every sale.

use db::{DbError, Row, Stmt, TenantTx};
use kernel::{Ctx, Timestamp};
use postgres_types::ToSql;
use uuid::Uuid;

use crate::model::{Applied, Guard, Level, Movement, MovementId, ShopId};

/// `inventory.new_movement`.
#[derive(Debug, ToSql)]
#[postgres(name = "new_movement")]
struct NewMovement {
    id: MovementId,
    shop_id: ShopId,
    sku: String,
    quantity: i64,
    reason: &'static str,
    reference: Option<Uuid>,
    note: Option<String>,
    occurred_at: Timestamp,
    counts: bool,
}

/// The statement that posts `movements`, all at one tenant; run it in a [`TenantTx`] or a pipeline of one.
///
/// One row comes back per distinct (shop, SKU) that was applied, see [`decode_applied`]. With [`Guard::Refuse`] fewer
/// rows than distinct pairs means that a tracked shelf has too little: the caller rolls back. Never oversells,
/// as check and write are one statement; never deadlocks with itself, as rows are taken in the order of (SKU, shop).
#[must_use]
pub fn post_movements_stmt(ctx: &Ctx, movements: &[Movement], guard: Guard) -> Stmt {
    let new = |movement: &Movement| NewMovement {
        id: MovementId::at(movement.occurred_at),
        shop_id: movement.shop,
        sku: movement.sku.clone(),
        quantity: movement.quantity.thousandths(),
        reason: movement.reason.as_str(),
        reference: movement.reference,
        note: movement.note.clone(),
        occurred_at: movement.occurred_at,
        counts: movement.reason.counts(),
    };
    Stmt::new(include_str!("post_movements.sql"))
        .bind(ctx.tenant_id())
        .bind(movements.iter().map(new).collect::<Vec<_>>())
        .bind(ctx.now())
        .bind(guard == Guard::Refuse)
}

/// Reads the rows of [`post_movements_stmt`]: the stock rows as the change left them, in no particular order.
///
/// # Errors
/// [`DbError::Other`] when the rows are not of that statement.
pub fn decode_applied(rows: &[Row]) -> Result<Vec<Applied>, DbError> {
    let read = |row: &Row| Ok(Applied { level: decode_level(row)?, crossed: row.try_get(6)? });
    rows.iter().map(read).collect()
}

/// Reads shop, sku, on_hand, reserved, tracked, threshold: the first six columns of every statement on stock.
pub(crate) fn decode_level(row: &Row) -> Result<Level, DbError> {
    Ok(Level {
        shop: row.try_get(0)?,
        sku: row.try_get(1)?,
        on_hand: row.try_get(2)?,
        reserved: row.try_get(3)?,
        tracked: row.try_get(4)?,
        threshold: row.try_get(5)?,
    })
}

/// Posts `movements` and returns the rows as they are now; the pairs that were refused are missing.
///
/// # Errors
/// [`DbError`].
pub async fn post_movements(
    tx: &TenantTx,
    movements: &[Movement],
    guard: Guard,
) -> Result<Vec<Applied>, DbError> {
    if movements.is_empty() {
        return Ok(Vec::new());
    }
    decode_applied(&tx.run(post_movements_stmt(tx.ctx(), movements, guard)).await?)
}
