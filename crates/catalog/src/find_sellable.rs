//! For other domains: what is needed to sell, one statement for any number of SKUs.

use db::{DbError, Row, Stmt};
use kernel::Ctx;

use crate::model::ProductId;

/// A product as a till needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sellable {
    /// Identity.
    pub product_id: ProductId,
    /// The SKU.
    pub sku: String,
    /// The name, to be printed.
    pub name: String,
    /// The category path, for reports; empty for none.
    pub category: String,
    /// Minor units of the tenant's currency.
    pub price: i64,
    /// Which of the tax rates applies; see [`crate::TaxTable`].
    pub tax_category: String,
    /// Whether it may be sold now.
    pub active: bool,
}

/// Looks products up by SKU, each once however often it is named; read the rows with [`decode_sellable`]. SKUs that do
/// not exist have no row.
#[must_use]
pub fn sellable_stmt(ctx: &Ctx, skus: &[&str]) -> Stmt {
    let mut skus: Vec<String> = skus.iter().map(|sku| (*sku).to_owned()).collect();
    skus.sort_unstable();
    skus.dedup();
    Stmt::new(include_str!("find_sellable.sql")).bind(ctx.tenant_id()).bind(skus)
}

/// Reads the rows of [`sellable_stmt`].
///
/// # Errors
/// [`DbError::Other`] when a column is not what it should be.
pub fn decode_sellable(rows: &[Row]) -> Result<Vec<Sellable>, DbError> {
    rows.iter()
        .map(|row| {
            Ok(Sellable {
                product_id: row.try_get("id")?,
                sku: row.try_get("sku")?,
                name: row.try_get("name")?,
                category: row.try_get("category")?,
                price: row.try_get("price")?,
                tax_category: row.try_get("tax_category")?,
                active: row.try_get("active")?,
            })
        })
        .collect()
}
