//! Use case: someone counted the shelf; the book gets the difference.

use std::collections::{HashMap, HashSet};

use db::{DbError, TenantTx};
use kernel::Quantity;
use uuid::Uuid;

use crate::{
    change_stock::{ChangeStockError, change_stock, require_targets},
    model::{Applied, Guard, Movement, Reason, ShopId},
    restock::{StockLine, targets},
};

/// What was counted.
#[derive(Debug, Clone)]
pub struct CountStock {
    /// SKU and shop with what is there; zero or more, each pair once.
    pub lines: Vec<StockLine>,
    /// A remark.
    pub note: Option<String>,
}

/// Sets on hand to what was counted, by a movement of the difference, and makes the rows tracked.
///
/// A count is the truth: it is taken also when more is reserved than was found, what is available is then negative.
/// Counting what the book says anyway leaves no movement.
///
/// # Errors
/// [`ChangeStockError`]; the caller rolls back.
pub async fn count_stock(tx: &TenantTx, input: CountStock) -> Result<Vec<Applied>, ChangeStockError> {
    let mut seen = HashSet::with_capacity(input.lines.len());
    let again = input.lines.iter().position(|line| !seen.insert((line.shop, line.sku.as_str())));
    if let Some(line) = again {
        return Err(ChangeStockError::Duplicate { line });
    }
    require_targets(tx, &targets(&input.lines)).await?;
    let (levels, _) = set_on_hand(tx, &input.lines, Reason::Count, input.note.as_deref()).await?;
    Ok(levels)
}

/// Sets on hand of known, distinct pairs to the given quantities for `reason`; the number says how many changed.
pub(crate) async fn set_on_hand(
    tx: &TenantTx,
    lines: &[StockLine],
    reason: Reason,
    note: Option<&str>,
) -> Result<(Vec<Applied>, u64), ChangeStockError> {
    let on_hand = lock_stock(tx, &targets(lines)).await?;
    let mut movements = Vec::with_capacity(lines.len());
    let mut changed = 0;
    for line in lines {
        let there = on_hand.get(&(line.shop, line.sku.clone())).copied().unwrap_or(0);
        let difference = line.quantity.thousandths() - there;
        changed += u64::from(difference != 0);
        movements.extend(portions(difference).map(|quantity| Movement {
            shop: line.shop,
            sku: line.sku.clone(),
            quantity,
            reason,
            reference: None,
            note: note.map(str::to_owned),
            occurred_at: tx.ctx().now(),
        }));
    }
    Ok((change_stock(tx, &movements, Guard::Allow).await?, changed))
}

/// The difference as one movement, or as several when it is more than one may say; zero makes the row tracked too.
fn portions(difference: i64) -> impl Iterator<Item = Quantity> {
    let most = Quantity::MAX_THOUSANDTHS;
    let mut left = Some(difference);
    std::iter::from_fn(move || {
        let portion = left?.clamp(-most, most);
        left = left.map(|left| left - portion).filter(|left| *left != 0);
        Quantity::from_thousandths(portion)
    })
}

/// Locks the stock rows, making those that are missing, and returns how many thousandths are on hand.
pub(crate) async fn lock_stock(
    tx: &TenantTx,
    pairs: &[(ShopId, &str)],
) -> Result<HashMap<(ShopId, String), i64>, DbError> {
    let (shops, skus): (Vec<Uuid>, Vec<&str>) = pairs.iter().map(|(shop, sku)| (shop.0, *sku)).unzip();
    let rows = tx.query(include_str!("lock_stock.sql"), &[&tx.tenant_id(), &shops, &skus]).await?;
    rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?))).collect()
}
