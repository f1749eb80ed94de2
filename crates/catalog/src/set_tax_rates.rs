//! Use case: replace the tenant's tax rates.

use db::{DbError, TenantTx};
use edge::Problem;
use jiff::Timestamp;

use crate::{
    Catalog,
    problems::{TAX_CATEGORY_IN_USE, TAX_PERIODS_OVERLAP},
    tax::{TaxPeriod, find_overlap},
};

/// The rates as they stand, in order.
pub(crate) async fn find_tax_periods(tx: &TenantTx) -> Result<Vec<TaxPeriod>, DbError> {
    let rows = tx.query(include_str!("find_tax_rates.sql"), &[&tx.tenant_id()]).await?;
    rows.iter().map(TaxPeriod::decode).collect()
}

/// Waits for its turn to change the rates of the tenant; until the end of the transaction.
pub(crate) async fn lock_tax_rates(tx: &TenantTx) -> Result<(), DbError> {
    tx.query(include_str!("lock_tax_rates.sql"), &[&tx.tenant_id()]).await.map(drop)
}

/// Puts `periods` in the place of all rates. Every category that a product has must keep a rate.
pub(crate) async fn set_tax_rates(
    catalog: &Catalog,
    tx: &TenantTx,
    periods: &[TaxPeriod],
) -> Result<(), Problem> {
    if let Some((first, second)) = find_overlap(periods) {
        let detail = format!("it overlaps with rate {first}");
        let pointer = format!("/rates/{second}/validFrom");
        return Err(Problem::new(TAX_PERIODS_OVERLAP).pointer(pointer, TAX_PERIODS_OVERLAP, detail));
    }
    let column = |of: fn(&TaxPeriod) -> &str| periods.iter().map(of).collect::<Vec<&str>>();
    let categories = column(|period| &period.category);
    let unknown =
        tx.query(include_str!("find_orphaned_tax_categories.sql"), &[&tx.tenant_id(), &categories]).await?;
    if let Some(row) = unknown.first() {
        let category: String = row.try_get("tax_category").map_err(DbError::from)?;
        return Err(
            Problem::new(TAX_CATEGORY_IN_USE).detail(format!("Products use the category {category}."))
        );
    }
    let from: Vec<Timestamp> = periods.iter().map(|period| period.valid_from).collect();
    let to: Vec<Option<Timestamp>> = periods.iter().map(|period| period.valid_to).collect();
    let rates: Vec<i32> = periods.iter().map(|period| period.rate.0).collect();
    tx.execute(include_str!("delete_tax_rates.sql"), &[&tx.tenant_id()]).await?;
    tx.execute(include_str!("insert_tax_rates.sql"), &[&tx.tenant_id(), &categories, &from, &to, &rates])
        .await?;
    catalog.taxes_changed(tx).await?;
    Ok(())
}
