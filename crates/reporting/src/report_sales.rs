//! Use case: what was sold.

use std::collections::HashMap;

use db::{DbError, TenantTx};
use inventory::{ShopId, Units, find_shops};
use kernel::{Money, Timestamp};
use sales::{GroupBy, SalesSum, SumFilter, SumPage, Sums};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    periods::{PeriodUnit, Periods},
    range::Range,
};

/// What sales are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum SalesGroupBy {
    /// Days of the merchant's time zone.
    #[default]
    Day,
    /// Months of the merchant's time zone.
    Month,
    /// Shops.
    Shop,
    /// Products.
    Product,
    /// Categories.
    Category,
}

impl SalesGroupBy {
    fn unit(self) -> Option<PeriodUnit> {
        match self {
            Self::Day => Some(PeriodUnit::Day),
            Self::Month => Some(PeriodUnit::Month),
            Self::Shop | Self::Product | Self::Category => None,
        }
    }
}

/// Which report.
#[derive(Debug, Clone)]
pub struct SalesReportInput {
    /// When.
    pub range: Range,
    /// By what.
    pub group_by: SalesGroupBy,
    /// Only this shop.
    pub shop: Option<ShopId>,
    /// Categories down to so many levels of their path.
    pub depth: Option<u16>,
    /// The key of the last group that is known already.
    pub after: Option<String>,
    /// How many groups at most.
    pub limit: usize,
}

/// Sums of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Amounts {
    /// How many sales, voids and refunds.
    pub receipts: i64,
    /// Without VAT.
    pub net: Money,
    /// The VAT.
    pub vat: Money,
    /// With VAT.
    pub gross: Money,
    /// What was taken off.
    pub discount: Money,
}

/// One group of sales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SalesGroup {
    /// The day, the month (`2026-11`), the shop's id, the SKU or the category's path.
    pub key: String,
    /// The shop's or the product's name.
    pub name: Option<String>,
    /// Units sold less units taken back; of products and categories.
    pub quantity: Option<Units>,
    /// The money.
    #[serde(flatten)]
    pub amounts: Amounts,
}

/// What was sold in a stretch of time; voids and refunds are counted at the time they happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SalesReport {
    /// From this moment on.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Before this moment.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Whose days and months these are.
    pub time_zone: String,
    /// What the groups are.
    pub group_by: SalesGroupBy,
    /// The groups that have any sales, in the order of their keys; shops in the order of their ids.
    #[schema(max_items = 1000)]
    pub items: Vec<SalesGroup>,
    /// The sum over all groups, also those on other pages.
    pub totals: Amounts,
    /// Where the next page begins; null on the last page.
    pub next_cursor: Option<String>,
}

/// Groups of sales with their sum over all pages, and whether more follow.
///
/// # Errors
/// [`DbError`].
pub async fn report_sales(
    tx: &TenantTx,
    input: &SalesReportInput,
) -> Result<(Vec<SalesGroup>, Amounts, bool), DbError> {
    let filter = SumFilter { from: input.range.from, to: input.range.to, shop: input.shop };
    let totals = amounts(tx, &sales::sum_all_sales(tx, &filter).await?);
    let mut groups = match input.group_by.unit() {
        Some(unit) => list_periods(tx, input, unit).await?,
        None => list_groups(tx, input, &filter).await?,
    };
    let more = groups.len() > input.limit;
    groups.truncate(input.limit);
    if input.group_by == SalesGroupBy::Shop {
        name_shops(tx, &mut groups).await?;
    }
    Ok((groups, totals, more))
}

/// Periods are paged by beginning later: numbers of periods would shift when an older sale comes in.
async fn list_periods(
    tx: &TenantTx,
    input: &SalesReportInput,
    unit: PeriodUnit,
) -> Result<Vec<SalesGroup>, DbError> {
    let mut range = input.range.clone();
    if let Some(end) = input.after.as_deref().and_then(|after| Periods::end_of(after, unit, &range)) {
        range.from = range.from.max(end).min(range.to);
    }
    let filter = |range: &Range| SumFilter { from: range.from, to: range.to, shop: input.shop };
    let Some((first, last)) = sales::find_extent(tx, &filter(&range)).await? else {
        return Ok(Vec::new());
    };
    let range = range.narrowed(first, last);
    let periods = Periods::of(&range, unit);
    let group_by = GroupBy::Period(periods.begins().to_vec());
    let page = SumPage { after: None, limit: sql_limit(input.limit) };
    let rows = sales::sum_sales(tx, &filter(&range), &group_by, page).await?;
    rows.into_iter()
        .map(|row| {
            let number = row.key.parse().ok();
            let name = number.and_then(|number| periods.name(number));
            let name = name.ok_or_else(|| DbError::Other(format!("no period has the number {}", row.key)))?;
            Ok(group(tx, name, row))
        })
        .collect()
}

async fn list_groups(
    tx: &TenantTx,
    input: &SalesReportInput,
    filter: &SumFilter,
) -> Result<Vec<SalesGroup>, DbError> {
    let group_by = match input.group_by {
        SalesGroupBy::Product => GroupBy::Product,
        SalesGroupBy::Category => GroupBy::Category(input.depth),
        SalesGroupBy::Shop | SalesGroupBy::Day | SalesGroupBy::Month => GroupBy::Shop,
    };
    let shop_key = |key: &str| key.parse::<ShopId>().map(|shop| shop.0.to_string()).ok();
    let after = match group_by {
        GroupBy::Shop => input.after.as_deref().and_then(shop_key),
        _ => input.after.clone(),
    };
    let page = SumPage { after: after.as_deref(), limit: sql_limit(input.limit) };
    let rows = sales::sum_sales(tx, filter, &group_by, page).await?;
    rows.into_iter()
        .map(|row| {
            let key = match group_by {
                GroupBy::Shop => shop_name(&row.key)?,
                _ => row.key.clone(),
            };
            Ok(group(tx, key, row))
        })
        .collect()
}

fn shop_name(key: &str) -> Result<String, DbError> {
    let id: Uuid = key.parse().map_err(|_| DbError::Other(format!("{key} is no shop")))?;
    Ok(ShopId(id).to_string())
}

async fn name_shops(tx: &TenantTx, groups: &mut [SalesGroup]) -> Result<(), DbError> {
    let ids: Vec<ShopId> = groups.iter().filter_map(|group| group.key.parse().ok()).collect();
    let shops = find_shops(tx, &ids).await?.into_iter();
    let mut names: HashMap<String, String> =
        shops.map(|shop| (shop.id.to_string(), format!("{} {}", shop.code, shop.name))).collect();
    for group in groups {
        group.name = names.remove(&group.key);
    }
    Ok(())
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1
}

fn group(tx: &TenantTx, key: String, row: SalesSum) -> SalesGroup {
    let amounts = amounts(tx, &row);
    SalesGroup { key, name: row.name, quantity: row.quantity.map(Units), amounts }
}

fn amounts(tx: &TenantTx, row: &SalesSum) -> Amounts {
    let money = |amount| Money::new(amount, tx.ctx().tenant.currency);
    let Sums { net, vat, gross, discount } = row.sums;
    Amounts {
        receipts: row.receipts,
        net: money(net),
        vat: money(vat),
        gross: money(gross),
        discount: money(discount),
    }
}
