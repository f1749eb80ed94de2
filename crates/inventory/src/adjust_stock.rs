//! Use case: correct a level for a reason: breakage, loss, finds.

use db::TenantTx;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    change_stock::{ChangeStockError, change_stock, require_targets},
    model::{Applied, Guard, Reason},
    restock::{StockLine, movements, targets},
};

/// The reasons that people may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustReason {
    /// Broken or spoilt.
    Damaged,
    /// Past its date.
    Expired,
    /// Missing.
    Lost,
    /// Turned up again.
    Found,
    /// Used by the shop itself.
    OwnUse,
    /// An earlier entry was wrong.
    Correction,
}

impl From<AdjustReason> for Reason {
    fn from(reason: AdjustReason) -> Self {
        match reason {
            AdjustReason::Damaged => Self::Damaged,
            AdjustReason::Expired => Self::Expired,
            AdjustReason::Lost => Self::Lost,
            AdjustReason::Found => Self::Found,
            AdjustReason::OwnUse => Self::OwnUse,
            AdjustReason::Correction => Self::Correction,
        }
    }
}

/// A correction of levels.
#[derive(Debug, Clone)]
pub struct AdjustStock {
    /// Why.
    pub reason: AdjustReason,
    /// What and where; negative quantities leave, none is zero.
    pub lines: Vec<StockLine>,
    /// A remark.
    pub note: Option<String>,
}

/// Corrects levels, all lines or none. A tracked shelf is never taken below what is promised to somebody: where
/// more is missing than is available, the shelf is counted instead.
///
/// # Errors
/// [`ChangeStockError`]; the caller rolls back.
pub async fn adjust_stock(tx: &TenantTx, input: AdjustStock) -> Result<Vec<Applied>, ChangeStockError> {
    require_targets(tx, &targets(&input.lines)).await?;
    let movements = movements(tx, &input.lines, input.reason.into(), input.note.as_ref());
    change_stock(tx, &movements, Guard::Refuse).await
}
