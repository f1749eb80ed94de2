//! Use case: hold units for a checkout.

use std::time::Duration;

use db::{DbError, TenantTx};

use crate::{
    change_stock::Shortage,
    events::{low_stock_alerts, stock_reserved},
    hold_stock::{Held, Hold, HoldLine, hold_stock},
    model::{Applied, ReservationId},
    reservation::{Reservation, ReservationLine, ReservationState},
    reserve_batch::expiry,
    targets::{UnknownTarget, find_unknown_targets},
};

/// How long units are held when nobody says otherwise.
pub const DEFAULT_HOLD: Duration = Duration::from_secs(15 * 60);
/// The longest that units can be held.
pub const LONGEST_HOLD: Duration = Duration::from_secs(24 * 60 * 60);

/// What to hold.
#[derive(Debug, Clone)]
pub struct ReserveStock {
    /// What it is for, in the caller's words.
    pub reference: Option<String>,
    /// For how long; at most [`LONGEST_HOLD`], to which more is cut.
    pub hold_for: Duration,
    /// At least one; lines of the same SKU and shop are added up.
    pub lines: Vec<HoldLine>,
}

/// Why nothing was held.
#[derive(Debug, thiserror::Error)]
pub enum ReserveStockError {
    /// Lines name shops or SKUs that do not exist.
    #[error("{} lines name an unknown shop or SKU", .0.len())]
    Unknown(Vec<UnknownTarget>),
    /// Lines want more than is available.
    #[error("{} lines want more than is available", .0.len())]
    OutOfStock(Vec<Shortage>),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Holds all lines or none, and publishes `StockReserved`.
///
/// Never oversells: check and write are one statement. When refused, nothing was written and the transaction can
/// go on.
///
/// # Errors
/// [`ReserveStockError`].
pub async fn reserve_stock(tx: &TenantTx, input: ReserveStock) -> Result<Reservation, ReserveStockError> {
    let now = tx.ctx().now();
    let hold = Hold {
        id: ReservationId::new(),
        reference: input.reference,
        expires_at: expiry(now, input.hold_for),
        lines: merge(input.lines.clone()),
    };
    let held = hold_stock(tx, &hold).await?;
    if held.iter().any(|row| !row.granted) {
        return Err(refusal(tx, &input.lines, &held).await?);
    }
    let changes: Vec<Applied> = held.into_iter().map(|row| row.applied).collect();
    let mut drafts = vec![stock_reserved(&hold)];
    drafts.extend(low_stock_alerts(&changes));
    messages::publish(tx, &drafts).await?;
    let line = |line: HoldLine| ReservationLine {
        shop: line.shop,
        sku: line.sku,
        quantity: line.quantity.thousandths(),
    };
    Ok(Reservation {
        id: hold.id,
        state: ReservationState::Open,
        reference: hold.reference,
        expires_at: hold.expires_at,
        created_at: now,
        closed_at: None,
        lines: hold.lines.into_iter().map(line).collect(),
    })
}

/// Adds up lines of the same SKU and shop, sorted by both; sums beyond what a quantity can be stay apart.
pub(crate) fn merge(mut lines: Vec<HoldLine>) -> Vec<HoldLine> {
    lines.sort_by(|a, b| (&a.sku, a.shop).cmp(&(&b.sku, b.shop)));
    lines.dedup_by(|line, kept| {
        let same = line.sku == kept.sku && line.shop == kept.shop;
        match kept.quantity.checked_add(line.quantity) {
            Some(sum) if same => {
                kept.quantity = sum;
                true
            }
            _ => false,
        }
    });
    lines
}

async fn refusal(tx: &TenantTx, lines: &[HoldLine], held: &[Held]) -> Result<ReserveStockError, DbError> {
    let pairs: Vec<_> = lines.iter().map(|line| (line.shop, line.sku.as_str())).collect();
    let unknown = find_unknown_targets(tx, &pairs).await?;
    if !unknown.is_empty() {
        return Ok(ReserveStockError::Unknown(unknown));
    }
    let shortage = |(line, wanted): (usize, &HoldLine)| {
        let level = &held.iter().find(|row| {
            let level = &row.applied.level;
            row.is_short() && level.shop == wanted.shop && level.sku == wanted.sku
        })?;
        let left = level.applied.level.available();
        Some(Shortage { line, shop: wanted.shop, sku: wanted.sku.clone(), left })
    };
    Ok(ReserveStockError::OutOfStock(lines.iter().enumerate().filter_map(shortage).collect()))
}
