//! What `markethall check` asks of the catalog.

use db::{DbError, TenantTx};
use kernel::Violation;

use crate::terms::tenant_prefix;

/// SKUs are unique; images are known; variants fit the options of their parents; prices, categories, barcodes and versions are within their rules; every tax category in use has a
/// rate and its periods do not overlap; the counts of categories and words agree with the products. Names at most 100
/// violations of each.
///
/// # Errors
/// [`DbError`].
pub async fn invariants(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let tenant = tx.tenant_id();
    let mut found = Vec::new();
    for row in tx.query(include_str!("find_double_skus.sql"), &[&tenant]).await? {
        let products: i64 = row.try_get("products")?;
        found.push(violation(
            "product_sku_unique",
            row.try_get("sku")?,
            format!("{products} products have it"),
        ));
    }
    for row in tx.query(include_str!("find_malformed_products.sql"), &[&tenant]).await? {
        let fault: Option<String> = row.try_get("fault")?;
        let fault = fault.unwrap_or_else(|| "it breaks a rule".to_owned());
        found.push(violation("products_are_well_formed", row.try_get("sku")?, fault));
    }
    for row in tx.query(include_str!("find_misfit_variants.sql"), &[&tenant]).await? {
        found.push(violation("variants_fit_their_parent", row.try_get("sku")?, row.try_get("fault")?));
    }
    for row in tx.query(include_str!("find_miscounted_images.sql"), &[&tenant]).await? {
        let (listed, known): (i64, i64) = (row.try_get("listed")?, row.try_get("known")?);
        let detail = format!("{listed} images are listed, {known} files are known");
        found.push(violation("product_images_are_known", row.try_get("sku")?, detail));
    }
    for row in tx.query(include_str!("find_tax_overlaps.sql"), &[&tenant]).await? {
        let from: jiff::Timestamp = row.try_get("valid_from")?;
        let detail = format!("two rates are valid at {from}");
        found.push(violation("tax_rates_do_not_overlap", row.try_get("category")?, detail));
    }
    let letters = i32::try_from(tenant_prefix(tenant).len()).unwrap_or(0);
    for row in tx.query(include_str!("find_miscounted_terms.sql"), &[&tenant, &letters]).await? {
        let (kind, term): (String, String) = (row.try_get("kind")?, row.try_get("term")?);
        let (kept, counted): (i64, i64) = (row.try_get("kept")?, row.try_get("counted")?);
        let detail = format!("{kept} products are counted, {counted} are there");
        found.push(violation("catalog_counts_agree", format!("{kind} {term}"), detail));
    }
    Ok(found)
}

fn violation(invariant: &'static str, subject: String, detail: String) -> Violation {
    Violation { invariant, subject, detail }
}
