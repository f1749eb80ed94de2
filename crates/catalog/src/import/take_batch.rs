//! A thousand rows against the catalog, set-based.

use std::collections::HashMap;

use db::{DbError, TenantTx};

use super::row::Row;
use crate::{
    Catalog,
    model::{ProductData, StoredProduct},
    write_products::{SKU_UNIQUE, touched, write_products},
};

/// What became of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
}

/// Creates and changes products as `rows` say; no SKU comes twice.
///
/// # Errors
/// [`DbError::Conflict`] when somebody else changes the same products at the same time: try again.
pub(super) async fn take_batch(catalog: &Catalog, tx: &TenantTx, rows: &[Row]) -> Result<Taken, DbError> {
    let mut taken = Taken::default();
    let mut known = find_known(tx, rows).await?;
    let (mut new, mut changed): (Vec<ProductData>, Vec<(StoredProduct, ProductData)>) =
        (Vec::new(), Vec::new());
    for row in rows {
        match known.remove(&row.sku) {
            None => new.push(row.clone().apply(None)),
            Some(before) => {
                let after = row.clone().apply(Some(&before.data));
                if after == before.data {
                    taken.unchanged += 1;
                } else {
                    changed.push((before, after));
                }
            }
        }
    }
    taken.created = new.len() as u64;
    taken.updated = changed.len() as u64;
    let changes = write_products(tx, new, changed).await.map_err(|error| match error {
        error if error.is_unique(SKU_UNIQUE) => {
            DbError::Conflict("a product was created meanwhile".to_owned())
        }
        error => error,
    })?;
    catalog.products_changed(tx, &touched(&changes)).await?;
    Ok(taken)
}

async fn find_known(tx: &TenantTx, rows: &[Row]) -> Result<HashMap<String, StoredProduct>, DbError> {
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let skus: Vec<&str> = rows.iter().map(|row| row.sku.as_str()).collect();
    let found = tx.query(include_str!("../find_products_by_sku.sql"), &[&tx.tenant_id(), &skus]).await?;
    found
        .iter()
        .map(|row| StoredProduct::decode(row).map(|product| (product.data.sku.clone(), product)))
        .collect()
}
