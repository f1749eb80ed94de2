//! Use case: what was sold in a period, summed up. The book is read as it is: voids and refunds are rows of their
//! own with negative amounts, so that plain sums are right.

use db::{DbError, Row, TenantTx};
use inventory::ShopId;
use kernel::{Rate, Timestamp};

/// Which part of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SumFilter {
    /// From this moment on, by when the sale happened.
    pub from: Timestamp,
    /// Before this moment.
    pub to: Timestamp,
    /// Only this shop.
    pub shop: Option<ShopId>,
}

/// What sums are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// Periods, given by the ascending moments they begin at; the first is at or before the filter's `from`.
    Period(Vec<Timestamp>),
    /// Shops.
    Shop,
    /// Products, by SKU.
    Product,
    /// Categories, down to so many levels of their path; all when `None`.
    Category(Option<u16>),
}

/// A page of groups: at most `limit`, with keys after `after`.
#[derive(Debug, Clone, Copy)]
pub struct SumPage<'a> {
    /// The key of the last group that is known already.
    pub after: Option<&'a str>,
    /// How many at most.
    pub limit: i64,
}

/// Amounts in minor units of the tenant's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Without VAT.
    pub net: i64,
    /// The VAT.
    pub vat: i64,
    /// With VAT.
    pub gross: i64,
    /// What was taken off.
    pub discount: i64,
}

/// One group of sales.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesSum {
    /// What sorts and names the group: the period's number (six digits, from 1), the shop's UUID, the SKU, the path.
    pub key: String,
    /// A name it was sold under (the last in the alphabet when it was renamed); only of products.
    pub name: Option<String>,
    /// How many sales, voids and refunds it comes from.
    pub receipts: i64,
    /// Units sold less units taken back, in thousandths; only of products and categories.
    pub quantity: Option<i64>,
    /// The amounts.
    pub sums: Sums,
}

/// VAT of one rate, in one period or in all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VatSum {
    /// The period's number, from 1.
    pub period: i32,
    /// The rate.
    pub rate: Rate,
    /// Without VAT.
    pub net: i64,
    /// The VAT.
    pub vat: i64,
    /// With VAT.
    pub gross: i64,
}

/// Sums of sales by group, sorted by key; groups without any sale are missing.
///
/// # Errors
/// [`DbError`].
pub async fn sum_sales(
    tx: &TenantTx,
    filter: &SumFilter,
    group_by: &GroupBy,
    page: SumPage<'_>,
) -> Result<Vec<SalesSum>, DbError> {
    let SumFilter { from, to, shop } = filter;
    let (tenant, SumPage { after, limit }) = (tx.tenant_id(), page);
    let rows = match group_by {
        GroupBy::Period(begins) => {
            let after: Option<i32> = after.and_then(|key| key.parse().ok());
            tx.query(
                include_str!("sum_sales_by_period.sql"),
                &[&tenant, from, to, shop, &after, &limit, begins],
            )
            .await?
        }
        GroupBy::Shop => {
            tx.query(include_str!("sum_sales_by_shop.sql"), &[&tenant, from, to, shop, &after, &limit])
                .await?
        }
        GroupBy::Product => {
            tx.query(include_str!("sum_sales_by_product.sql"), &[&tenant, from, to, shop, &after, &limit])
                .await?
        }
        GroupBy::Category(levels) => {
            let levels = levels.map(i32::from);
            tx.query(
                include_str!("sum_sales_by_category.sql"),
                &[&tenant, from, to, shop, &after, &limit, &levels],
            )
            .await?
        }
    };
    rows.iter().map(decode).collect()
}

/// The sum of everything that [`sum_sales`] would list on all its pages.
///
/// # Errors
/// [`DbError`].
pub async fn sum_all_sales(tx: &TenantTx, filter: &SumFilter) -> Result<SalesSum, DbError> {
    let SumFilter { from, to, shop } = filter;
    let row = tx.query_one(include_str!("sum_all_sales.sql"), &[&tx.tenant_id(), from, to, shop]).await?;
    decode(&row)
}

/// When the first and the last sale of that part of the book happened, if there are any.
///
/// # Errors
/// [`DbError`].
pub async fn find_extent(
    tx: &TenantTx,
    filter: &SumFilter,
) -> Result<Option<(Timestamp, Timestamp)>, DbError> {
    let SumFilter { from, to, shop } = filter;
    let row = tx.query_one(include_str!("find_extent.sql"), &[&tx.tenant_id(), from, to, shop]).await?;
    let (first, last): (Option<Timestamp>, Option<Timestamp>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(first.zip(last))
}

/// VAT by period and rate, sorted by both. Periods as for [`GroupBy::Period`]; at most `limit` rows.
///
/// # Errors
/// [`DbError`].
pub async fn sum_vat(
    tx: &TenantTx,
    filter: &SumFilter,
    begins: &[Timestamp],
    limit: i64,
) -> Result<Vec<VatSum>, DbError> {
    let SumFilter { from, to, shop } = filter;
    let rows =
        tx.query(include_str!("sum_vat.sql"), &[&tx.tenant_id(), from, to, shop, &begins, &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(VatSum {
                period: row.try_get(0)?,
                rate: Rate(row.try_get(1)?),
                net: row.try_get(2)?,
                vat: row.try_get(3)?,
                gross: row.try_get(4)?,
            })
        })
        .collect()
}

fn decode(row: &Row) -> Result<SalesSum, DbError> {
    Ok(SalesSum {
        key: row.try_get(0)?,
        name: row.try_get(1)?,
        receipts: row.try_get(2)?,
        quantity: row.try_get(3)?,
        sums: Sums {
            net: row.try_get(4)?,
            vat: row.try_get(5)?,
            gross: row.try_get(6)?,
            discount: row.try_get(7)?,
        },
    })
}
