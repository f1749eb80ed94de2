//! Request bodies and their rules.

use garde::Validate;
use kernel::{Quantity, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    adjust_stock::{AdjustReason, AdjustStock},
    count_stock::CountStock,
    hold_stock::HoldLine,
    model::{ReservationId, ShopId},
    restock::{Restock, StockLine},
    set_thresholds::Threshold,
    transfer_stock::TransferStock,
};

/// Units of one SKU at one shop that arrive or are held.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UnitsLine {
    #[garde(skip)]
    shop_id: ShopId,
    #[garde(length(chars, min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    sku: String,
    /// Above zero.
    #[garde(custom(above_zero))]
    #[schema(value_type = String, pattern = r"^([1-9][0-9]{0,8}(\.[0-9]{1,3})?|0\.([1-9][0-9]{0,2}|0[1-9][0-9]?|00[1-9]))$")]
    quantity: Quantity,
}

/// Units of one SKU at one shop that come (positive) or go (negative).
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AdjustmentLine {
    #[garde(skip)]
    shop_id: ShopId,
    #[garde(length(chars, min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    sku: String,
    /// Not zero.
    #[garde(custom(not_zero))]
    #[schema(value_type = String, pattern = r"^-?([1-9][0-9]{0,8}(\.[0-9]{1,3})?|0\.([1-9][0-9]{0,2}|0[1-9][0-9]?|00[1-9]))$")]
    quantity: Quantity,
}

/// What was counted of one SKU at one shop.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CountLine {
    #[garde(skip)]
    shop_id: ShopId,
    #[garde(length(chars, min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    sku: String,
    /// Zero or more.
    #[garde(custom(not_negative))]
    #[schema(value_type = String, pattern = r"^[0-9]{1,9}(\.[0-9]{1,3})?$")]
    on_hand: Quantity,
}

/// Units of one SKU that go to the other shop.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TransferLine {
    #[garde(length(chars, min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    sku: String,
    /// Above zero.
    #[garde(custom(above_zero))]
    #[schema(value_type = String, pattern = r"^([1-9][0-9]{0,8}(\.[0-9]{1,3})?|0\.([1-9][0-9]{0,2}|0[1-9][0-9]?|00[1-9]))$")]
    quantity: Quantity,
}

/// From which level on one SKU at one shop is low.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ThresholdLine {
    #[garde(skip)]
    shop_id: ShopId,
    #[garde(length(chars, min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    sku: String,
    /// Zero or more; null or absent asks for no alerts.
    #[garde(inner(custom(not_negative)))]
    #[schema(value_type = Option<String>, pattern = r"^[0-9]{1,9}(\.[0-9]{1,3})?$")]
    threshold: Option<Quantity>,
}

/// Goods that arrive.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RestockBody {
    #[garde(length(min = 1, max = 500), dive)]
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<UnitsLine>,
    /// The delivery note's number or the like.
    #[garde(inner(length(chars, max = 500)))]
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// A correction of levels.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AdjustBody {
    #[garde(skip)]
    reason: AdjustReason,
    #[garde(length(min = 1, max = 500), dive)]
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<AdjustmentLine>,
    #[garde(inner(length(chars, max = 500)))]
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Goods sent from one shop to another.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TransferBody {
    /// Where they come from.
    #[garde(skip)]
    from_shop_id: ShopId,
    /// Where they go.
    #[garde(skip)]
    to_shop_id: ShopId,
    #[garde(length(min = 1, max = 500), dive)]
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<TransferLine>,
    #[garde(inner(length(chars, max = 500)))]
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// What was counted.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CountBody {
    /// Each SKU and shop once.
    #[garde(length(min = 1, max = 500), dive)]
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<CountLine>,
    #[garde(inner(length(chars, max = 500)))]
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Thresholds to set.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ThresholdsBody {
    #[garde(length(min = 1, max = 500), dive)]
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<ThresholdLine>,
}

/// Units to hold.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReserveBody {
    #[garde(length(min = 1, max = 100), dive)]
    #[schema(min_items = 1, max_items = 100)]
    pub(crate) lines: Vec<UnitsLine>,
    /// What it is for, in the caller's words.
    #[garde(inner(length(chars, min = 1, max = 100)))]
    #[schema(min_length = 1, max_length = 100)]
    pub(crate) reference: Option<String>,
    /// For how long; 15 minutes unless the installation says otherwise.
    #[garde(inner(range(min = 1, max = 86_400)))]
    #[schema(minimum = 1, maximum = 86400)]
    pub(crate) expires_in_seconds: Option<u32>,
}

/// A reservation to end.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReservationBody {
    #[garde(skip)]
    pub(crate) reservation_id: ReservationId,
}

impl From<UnitsLine> for StockLine {
    fn from(line: UnitsLine) -> Self {
        Self { shop: line.shop_id, sku: line.sku, quantity: line.quantity }
    }
}

impl From<UnitsLine> for HoldLine {
    fn from(line: UnitsLine) -> Self {
        Self { shop: line.shop_id, sku: line.sku, quantity: line.quantity }
    }
}

impl From<RestockBody> for Restock {
    fn from(body: RestockBody) -> Self {
        Self { lines: body.lines.into_iter().map(Into::into).collect(), note: body.note }
    }
}

impl From<AdjustBody> for AdjustStock {
    fn from(body: AdjustBody) -> Self {
        let line =
            |line: AdjustmentLine| StockLine { shop: line.shop_id, sku: line.sku, quantity: line.quantity };
        let lines = body.lines.into_iter().map(line).collect();
        Self { reason: body.reason, lines, note: body.note }
    }
}

impl From<TransferBody> for TransferStock {
    fn from(body: TransferBody) -> Self {
        let lines = body.lines.into_iter().map(|line| (line.sku, line.quantity)).collect();
        Self { from: body.from_shop_id, to: body.to_shop_id, lines, note: body.note }
    }
}

impl From<CountBody> for CountStock {
    fn from(body: CountBody) -> Self {
        let line = |line: CountLine| StockLine { shop: line.shop_id, sku: line.sku, quantity: line.on_hand };
        Self { lines: body.lines.into_iter().map(line).collect(), note: body.note }
    }
}

impl From<ThresholdsBody> for Vec<Threshold> {
    fn from(body: ThresholdsBody) -> Self {
        let line =
            |line: ThresholdLine| Threshold { shop: line.shop_id, sku: line.sku, threshold: line.threshold };
        body.lines.into_iter().map(line).collect()
    }
}

fn above_zero(quantity: &Quantity, _: &()) -> garde::Result {
    if quantity.is_positive() { Ok(()) } else { Err(garde::Error::new("must be above zero")) }
}

fn not_zero(quantity: &Quantity, _: &()) -> garde::Result {
    if quantity.is_zero() { Err(garde::Error::new("must not be zero")) } else { Ok(()) }
}

fn not_negative(quantity: &Quantity, _: &()) -> garde::Result {
    if quantity.thousandths() < 0 { Err(garde::Error::new("must not be negative")) } else { Ok(()) }
}

/// Times that the database can hold.
pub(crate) fn in_our_era(time: &Timestamp, _: &()) -> garde::Result {
    if *time >= Timestamp::UNIX_EPOCH { Ok(()) } else { Err(garde::Error::new("must not be before 1970")) }
}
