//! Use case: goods arrive.

use db::TenantTx;
use kernel::Quantity;

use crate::{
    change_stock::{ChangeStockError, change_stock, require_targets},
    model::{Applied, Guard, Movement, Reason, ShopId},
};

/// A quantity of one SKU at one shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLine {
    /// Where.
    pub shop: ShopId,
    /// What.
    pub sku: String,
    /// How many.
    pub quantity: Quantity,
}

/// Goods that arrive.
#[derive(Debug, Clone)]
pub struct Restock {
    /// What and where; quantities above zero.
    pub lines: Vec<StockLine>,
    /// The delivery note's number or the like.
    pub note: Option<String>,
}

/// Puts goods on shelves, all lines or none, and makes them tracked. Returns the levels, sorted by shop and SKU.
///
/// # Errors
/// [`ChangeStockError`]; the caller rolls back.
pub async fn restock(tx: &TenantTx, input: Restock) -> Result<Vec<Applied>, ChangeStockError> {
    require_targets(tx, &targets(&input.lines)).await?;
    let movements = movements(tx, &input.lines, Reason::Restock, input.note.as_ref());
    change_stock(tx, &movements, Guard::Allow).await
}

pub(crate) fn targets(lines: &[StockLine]) -> Vec<(ShopId, &str)> {
    lines.iter().map(|line| (line.shop, line.sku.as_str())).collect()
}

pub(crate) fn movements(
    tx: &TenantTx,
    lines: &[StockLine],
    reason: Reason,
    note: Option<&String>,
) -> Vec<Movement> {
    let movement = |line: &StockLine| Movement {
        shop: line.shop,
        sku: line.sku.clone(),
        quantity: line.quantity,
        reason,
        reference: None,
        note: note.cloned(),
        occurred_at: tx.ctx().now(),
    };
    lines.iter().map(movement).collect()
}
