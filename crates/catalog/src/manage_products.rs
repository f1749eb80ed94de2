//! Use cases: create, change and deactivate one product.

use db::{DbError, TenantTx};
use edge::{IfMatch, Problem};

use crate::{
    Catalog, TaxTable,
    get_product::find_stored,
    http::{ProductCreate, ProductUpdate},
    model::{Product, ProductData, ProductId, StoredProduct},
    problems::{PRODUCT_NOT_FOUND, SKU_EXISTS},
    variants::{self, check_change, check_new, family_tag, stamp_variants},
    write_products::{Change, SKU_UNIQUE, touched, write_products},
};

/// Creates a product; refused when its SKU is taken.
pub(crate) async fn create_product(
    catalog: &Catalog,
    tx: &TenantTx,
    taxes: &TaxTable,
    input: ProductCreate,
) -> Result<Product, Problem> {
    let tenant = &tx.ctx().tenant;
    let data = input.into_product(tenant, taxes)?;
    check_new(tx, &data.shape).await?;
    let changes = write_products(tx, vec![data], Vec::new()).await.map_err(|error| {
        if error.is_unique(SKU_UNIQUE) {
            return Problem::new(SKU_EXISTS).pointer("/sku", SKU_EXISTS, "another product has this SKU");
        }
        variants::from_db(error)
    })?;
    finish(catalog, tx, changes).await
}

/// Changes a product to what `input` says; one that is so already stays at its version and no message goes out.
pub(crate) async fn update_product(
    catalog: &Catalog,
    tx: &TenantTx,
    taxes: &TaxTable,
    id: ProductId,
    if_match: &IfMatch,
    input: ProductUpdate,
) -> Result<Product, Problem> {
    let before = get_stored(tx, id, if_match).await?;
    let data = input.into_product(&before.data, &tx.ctx().tenant, taxes)?;
    check_change(tx, id, &before.data, &data).await?;
    change(catalog, tx, before, data).await
}

/// Takes a product out of the range; doing it again changes nothing.
pub(crate) async fn deactivate_product(
    catalog: &Catalog,
    tx: &TenantTx,
    id: ProductId,
    if_match: &IfMatch,
) -> Result<(), Problem> {
    let before = get_stored(tx, id, if_match).await?;
    let data = ProductData { active: false, ..before.data.clone() };
    change(catalog, tx, before, data).await.map(drop)
}

/// A product that a client wants to change.
pub(crate) async fn get_stored(
    tx: &TenantTx,
    id: ProductId,
    if_match: &IfMatch,
) -> Result<StoredProduct, Problem> {
    let stored = find_stored(tx, id).await?.ok_or_else(|| Problem::new(PRODUCT_NOT_FOUND))?;
    // Whoever knows the product knows enough to change it, also when a variant has changed since.
    let known = if_match.check(&stored.version.to_string());
    if known.is_err() && !stored.data.shape.options.is_empty() {
        if_match.check(&family_tag(stored.version, stamp_variants(tx, id).await?))?;
        return Ok(stored);
    }
    known.map(|()| stored)
}

/// Writes a changed product; one that is so already stays as it is.
pub(crate) async fn change(
    catalog: &Catalog,
    tx: &TenantTx,
    before: StoredProduct,
    data: ProductData,
) -> Result<Product, Problem> {
    if before.data == data {
        return Ok(before.into_product(&tx.ctx().tenant));
    }
    let changes = write_products(tx, Vec::new(), vec![(before, data)]).await.map_err(variants::from_db)?;
    finish(catalog, tx, changes).await
}

async fn finish(catalog: &Catalog, tx: &TenantTx, changes: Vec<Change>) -> Result<Product, Problem> {
    catalog.products_changed(tx, &touched(&changes)).await?;
    let lost = || DbError::Other("a product was written and not given back".to_owned());
    let product = changes.into_iter().next().ok_or_else(lost)?.after;
    Ok(product.into_product(&tx.ctx().tenant))
}
