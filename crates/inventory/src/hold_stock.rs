//! The capacity primitive, first half: hold units. Statements that compose into larger transactions.

use db::{DbError, Row, Stmt, TenantTx};
use jiff::Timestamp;
use kernel::{Ctx, Quantity};

use crate::{
    model::{Applied, ReservationId, ShopId},
    post_movements::decode_level,
};

/// Units of one SKU at one shop to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldLine {
    /// Where.
    pub shop: ShopId,
    /// What.
    pub sku: String,
    /// How many; above zero.
    pub quantity: Quantity,
}

/// A reservation to make. Lines of the same SKU and shop are added up.
#[derive(Debug, Clone)]
pub struct Hold {
    /// Its identity, chosen by the caller so that it can be named before the answer is there.
    pub id: ReservationId,
    /// What it is for, in the caller's words, at most 100 characters.
    pub reference: Option<String>,
    /// From this moment on it can no longer be confirmed.
    pub expires_at: Timestamp,
    /// At least one.
    pub lines: Vec<HoldLine>,
}

/// What a hold met on one stock row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The stock row: after the hold when it was granted, as found when not.
    pub applied: Applied,
    /// Whether everything was held; the same on every row.
    pub granted: bool,
    /// What all lines together wanted of it, in thousandths.
    pub wanted: i64,
}

impl Held {
    /// Whether this row is why the hold was refused.
    #[must_use]
    pub fn is_short(&self) -> bool {
        !self.granted && self.applied.level.available() < self.wanted
    }
}

/// The statement that holds all lines of all `holds`, or nothing at all.
///
/// Only what is available is held, tracked or not, whatever the tenant's policy for tills: nobody stands in
/// front of the shelf. When refused nothing is changed, the caller need not roll back.
#[must_use]
pub fn hold_stmt(ctx: &Ctx, holds: &[Hold]) -> Stmt {
    let lines = || holds.iter().flat_map(|hold| hold.lines.iter().map(move |line| (hold, line)));
    Stmt::new(include_str!("hold_stock.sql"))
        .bind(ctx.tenant_id())
        .bind(ctx.now())
        .bind(holds.iter().map(|hold| hold.id.0).collect::<Vec<_>>())
        .bind(holds.iter().map(|hold| hold.reference.clone()).collect::<Vec<_>>())
        .bind(holds.iter().map(|hold| hold.expires_at).collect::<Vec<_>>())
        .bind(lines().map(|(hold, _)| hold.id.0).collect::<Vec<_>>())
        .bind(lines().map(|(_, line)| line.shop.0).collect::<Vec<_>>())
        .bind(lines().map(|(_, line)| line.sku.clone()).collect::<Vec<_>>())
        .bind(lines().map(|(_, line)| line.quantity.thousandths()).collect::<Vec<_>>())
}

/// Reads the rows of [`hold_stmt`], one per distinct SKU and shop, in that order.
///
/// # Errors
/// [`DbError::Other`] when the rows are not of that statement.
pub fn decode_held(rows: &[Row]) -> Result<Vec<Held>, DbError> {
    rows.iter()
        .map(|row| {
            let applied = Applied { level: decode_level(row)?, crossed: row.try_get(6)? };
            Ok(Held { applied, granted: row.try_get(7)?, wanted: row.try_get(8)? })
        })
        .collect()
}

/// Holds one reservation; see [`hold_stmt`].
///
/// # Errors
/// [`DbError`].
pub async fn hold_stock(tx: &TenantTx, hold: &Hold) -> Result<Vec<Held>, DbError> {
    decode_held(&tx.run(hold_stmt(tx.ctx(), std::slice::from_ref(hold))).await?)
}
