//! Use case: send goods from one shop to another.

use db::TenantTx;
use kernel::Quantity;

use crate::{
    change_stock::{ChangeStockError, change_stock, require_targets},
    model::{Applied, Guard, Movement, Reason, ShopId, TransferId},
};

/// Goods on their way; they arrive at once.
#[derive(Debug, Clone)]
pub struct TransferStock {
    /// Where they come from.
    pub from: ShopId,
    /// Where they go.
    pub to: ShopId,
    /// What: SKU and quantity above zero.
    pub lines: Vec<(String, Quantity)>,
    /// A remark.
    pub note: Option<String>,
}

/// Moves goods, both ends and all lines or nothing. Returns the transfer's id and the levels at both shops.
///
/// # Errors
/// [`ChangeStockError`]; the caller rolls back.
pub async fn transfer_stock(
    tx: &TenantTx,
    input: TransferStock,
) -> Result<(TransferId, Vec<Applied>), ChangeStockError> {
    let TransferStock { from, to, lines, note } = input;
    if from == to {
        return Err(ChangeStockError::SameShop);
    }
    let ends: Vec<(ShopId, &str)> = [from, to]
        .into_iter()
        .flat_map(|shop| lines.iter().map(move |(sku, _)| (shop, sku.as_str())))
        .collect();
    require_targets(tx, &ends).await?;
    let transfer = TransferId::new();
    let end = |shop, reason, (sku, quantity): &(String, Quantity)| Movement {
        shop,
        sku: sku.clone(),
        quantity: if reason == Reason::TransferOut { quantity.negated() } else { *quantity },
        reason,
        reference: Some(transfer.0),
        note: note.clone(),
        occurred_at: tx.ctx().now(),
    };
    let outward = lines.iter().map(|line| end(from, Reason::TransferOut, line));
    let inward = lines.iter().map(|line| end(to, Reason::TransferIn, line));
    let movements: Vec<Movement> = outward.chain(inward).collect();
    Ok((transfer, change_stock(tx, &movements, Guard::Refuse).await?))
}
