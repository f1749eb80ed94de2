//! What restocking, adjusting, transferring and counting share: post movements, or say why not.

use std::collections::HashSet;

use db::{DbError, TenantTx};

use crate::{
    events::low_stock_alerts,
    find_levels::{decode_levels, levels_stmt},
    model::{Applied, Guard, Movement, ShopId},
    post_movements::post_movements,
    targets::{UnknownTarget, find_unknown_targets},
};

/// A line that wants more than is available.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// The line's place in the input, from 0.
    pub line: usize,
    /// Where.
    pub shop: ShopId,
    /// What.
    pub sku: String,
    /// What is available there, in thousandths.
    pub left: i64,
}

/// Why stock was not changed. Nothing of the request may be kept: the caller rolls back.
#[derive(Debug, thiserror::Error)]
pub enum ChangeStockError {
    /// Lines name shops or SKUs that do not exist.
    #[error("{} lines name an unknown shop or SKU", .0.len())]
    Unknown(Vec<UnknownTarget>),
    /// Lines take more than is available from tracked shelves.
    #[error("{} lines take more than is available", .0.len())]
    OutOfStock(Vec<Shortage>),
    /// Lines name the same shop and SKU twice where that makes no sense.
    #[error("line {line} names the shop and SKU of an earlier line")]
    Duplicate {
        /// The later line.
        line: usize,
    },
    /// Goods cannot be sent from a shop to itself.
    #[error("both shops are the same")]
    SameShop,
    /// A level would leave the range that can be recorded.
    #[error("a level would be out of range")]
    OutOfRange,
    /// The database.
    #[error(transparent)]
    Db(DbError),
}

impl From<DbError> for ChangeStockError {
    fn from(error: DbError) -> Self {
        if error.is_check("stock_within_bounds") { Self::OutOfRange } else { Self::Db(error) }
    }
}

/// Refuses lines that name what does not exist.
pub(crate) async fn require_targets(tx: &TenantTx, lines: &[(ShopId, &str)]) -> Result<(), ChangeStockError> {
    let unknown = find_unknown_targets(tx, lines).await?;
    if unknown.is_empty() { Ok(()) } else { Err(ChangeStockError::Unknown(unknown)) }
}

/// Posts `movements`, one per line of the request, and publishes the alerts they cause.
pub(crate) async fn change_stock(
    tx: &TenantTx,
    movements: &[Movement],
    guard: Guard,
) -> Result<Vec<Applied>, ChangeStockError> {
    let mut applied = post_movements(tx, movements, guard).await?;
    let taken: HashSet<(ShopId, &str)> =
        applied.iter().map(|change| (change.level.shop, change.level.sku.as_str())).collect();
    let refused: Vec<(usize, &Movement)> = movements
        .iter()
        .enumerate()
        .filter(|(_, movement)| !taken.contains(&(movement.shop, movement.sku.as_str())))
        .collect();
    if !refused.is_empty() {
        return Err(shortages(tx, &refused).await?);
    }
    let alerts = low_stock_alerts(&applied);
    if !alerts.is_empty() {
        messages::publish(tx, &alerts).await?;
    }
    applied.sort_by(|a, b| (a.level.shop, &a.level.sku).cmp(&(b.level.shop, &b.level.sku)));
    Ok(applied)
}

async fn shortages(tx: &TenantTx, refused: &[(usize, &Movement)]) -> Result<ChangeStockError, DbError> {
    let pairs: Vec<(ShopId, &str)> =
        refused.iter().map(|(_, movement)| (movement.shop, movement.sku.as_str())).collect();
    let levels = decode_levels(&tx.run(levels_stmt(tx.ctx(), &pairs)).await?)?;
    let left = |movement: &Movement| {
        let level = levels.iter().find(|level| level.shop == movement.shop && level.sku == movement.sku);
        level.map_or(0, crate::model::Level::available)
    };
    let shortage = |(line, movement): &(usize, &Movement)| Shortage {
        line: *line,
        shop: movement.shop,
        sku: movement.sku.clone(),
        left: left(movement),
    };
    let taking = refused.iter().filter(|(_, movement)| !movement.quantity.is_positive());
    Ok(ChangeStockError::OutOfStock(taking.map(shortage).collect()))
}
