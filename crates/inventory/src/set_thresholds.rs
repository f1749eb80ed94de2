//! Use case: say from which level on a shelf is low.

use db::TenantTx;
use kernel::Quantity;
use uuid::Uuid;

use crate::{
    change_stock::{ChangeStockError, require_targets},
    count_stock::lock_stock,
    events::low_stock_alerts,
    model::{Applied, ShopId},
    post_movements::decode_applied,
};

/// The level of one SKU at one shop at or below which it is low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    /// Where.
    pub shop: ShopId,
    /// What.
    pub sku: String,
    /// Zero or more; `None` asks for no alerts.
    pub threshold: Option<Quantity>,
}

/// Sets thresholds; of a pair given twice the last counts. A shelf that this makes low is reported at once.
///
/// # Errors
/// [`ChangeStockError`]; the caller rolls back.
pub async fn set_thresholds(tx: &TenantTx, lines: &[Threshold]) -> Result<Vec<Applied>, ChangeStockError> {
    let pairs: Vec<(ShopId, &str)> = lines.iter().map(|line| (line.shop, line.sku.as_str())).collect();
    require_targets(tx, &pairs).await?;
    lock_stock(tx, &pairs).await?;
    let shops: Vec<Uuid> = lines.iter().map(|line| line.shop.0).collect();
    let skus: Vec<&str> = lines.iter().map(|line| line.sku.as_str()).collect();
    let thresholds: Vec<Option<i64>> =
        lines.iter().map(|line| line.threshold.map(Quantity::thousandths)).collect();
    let rows =
        tx.query(include_str!("set_thresholds.sql"), &[&tx.tenant_id(), &shops, &skus, &thresholds]).await?;
    let applied = decode_applied(&rows)?;
    let alerts = low_stock_alerts(&applied);
    if !alerts.is_empty() {
        messages::publish(tx, &alerts).await?;
    }
    Ok(applied)
}
