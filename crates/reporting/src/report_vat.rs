//! Use case: the VAT that was taken, by rate.

use db::{DbError, TenantTx};
use inventory::ShopId;
use kernel::{Money, Timestamp};
use sales::{SumFilter, VatSum};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    periods::{PeriodUnit, Periods},
    range::Range,
};

/// The most rows of a VAT report: rates times months.
pub(crate) const MOST_ROWS: usize = 10_000;

/// What VAT is grouped by, besides its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum VatGroupBy {
    /// Nothing else.
    Rate,
    /// Months of the merchant's time zone.
    #[default]
    Month,
    /// Days of the merchant's time zone.
    Day,
}

/// Which report.
#[derive(Debug, Clone)]
pub struct VatReportInput {
    /// When.
    pub range: Range,
    /// By what.
    pub group_by: VatGroupBy,
    /// Only this shop.
    pub shop: Option<ShopId>,
}

/// VAT of one rate in one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VatGroup {
    /// The month (`2026-11`) or day; null when grouped by rate alone.
    pub period: Option<String>,
    /// The rate in basis points: 2000 is 20 %.
    pub rate: i32,
    /// Without VAT.
    pub net: Money,
    /// The VAT.
    pub vat: Money,
    /// With VAT.
    pub gross: Money,
}

/// The VAT that was taken in a stretch of time; voids and refunds are counted at the time they happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VatReport {
    /// From this moment on.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Before this moment.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Whose days and months these are.
    pub time_zone: String,
    /// What the groups are.
    pub group_by: VatGroupBy,
    /// By period and rate.
    #[schema(max_items = 10000)]
    pub items: Vec<VatGroup>,
    /// The sum by rate over all periods; `period` is null.
    #[schema(max_items = 10000)]
    pub totals: Vec<VatGroup>,
}

/// VAT by period and rate, and by rate alone; `None` when it has more rows than a report may have.
///
/// # Errors
/// [`DbError`].
pub async fn report_vat(
    tx: &TenantTx,
    input: &VatReportInput,
) -> Result<Option<(Vec<VatGroup>, Vec<VatGroup>)>, DbError> {
    let filter = |range: &Range| SumFilter { from: range.from, to: range.to, shop: input.shop };
    let Some((first, last)) = sales::find_extent(tx, &filter(&input.range)).await? else {
        return Ok(Some((Vec::new(), Vec::new())));
    };
    let range = input.range.narrowed(first, last);
    let limit = i64::try_from(MOST_ROWS).unwrap_or(i64::MAX - 1) + 1;
    let whole = sales::sum_vat(tx, &filter(&range), &[range.from], limit).await?;
    let totals: Vec<VatGroup> = whole.iter().map(|sum| group(tx, None, sum)).collect();
    let periods = match input.group_by {
        VatGroupBy::Rate => return Ok(Some((totals.clone(), totals))),
        VatGroupBy::Month => Periods::of(&range, PeriodUnit::Month),
        VatGroupBy::Day => Periods::of(&range, PeriodUnit::Day),
    };
    let rows = sales::sum_vat(tx, &filter(&range), periods.begins(), limit).await?;
    if rows.len() > MOST_ROWS {
        return Ok(None);
    }
    let named = |sum: &VatSum| {
        let number = usize::try_from(sum.period).ok();
        group(tx, number.and_then(|number| periods.name(number)), sum)
    };
    Ok(Some((rows.iter().map(named).collect(), totals)))
}

fn group(tx: &TenantTx, period: Option<String>, sum: &VatSum) -> VatGroup {
    let money = |amount| Money::new(amount, tx.ctx().tenant.currency);
    VatGroup { period, rate: sum.rate.0, net: money(sum.net), vat: money(sum.vat), gross: money(sum.gross) }
}
