//! Use case: one product, from memory when it can.

use std::sync::Arc;

use bytes::Bytes;
use db::{DbError, TenantTx};
use kernel::Ctx;

use crate::{
    Catalog,
    cache::CachedProduct,
    model::{ProductId, StoredProduct},
};

/// A product by id, serialised; `None` when the tenant has none such.
pub(crate) async fn find_product(
    catalog: &Catalog,
    ctx: &Ctx,
    id: ProductId,
) -> Result<Option<Arc<CachedProduct>>, DbError> {
    if let Some(found) = catalog.products().find(ctx.tenant_id(), id, ctx.now()) {
        return Ok(Some(found));
    }
    let tx = catalog.db().begin_read(ctx).await?;
    let found = load(catalog, &tx, id).await?;
    tx.commit().await?;
    Ok(found)
}

/// A product by SKU, serialised; `None` when the tenant has none such.
pub(crate) async fn find_product_by_sku(
    catalog: &Catalog,
    ctx: &Ctx,
    sku: &str,
) -> Result<Option<Arc<CachedProduct>>, DbError> {
    if let Some(found) = catalog.products().find_sku(ctx.tenant_id(), sku, ctx.now()) {
        return Ok(Some(found));
    }
    let tx = catalog.db().begin_read(ctx).await?;
    let row = tx.query_opt(include_str!("find_product_id.sql"), &[&tx.tenant_id(), &sku]).await?;
    let found = match row {
        // The id never changes; only now can the epochs be taken under which the product itself is read.
        Some(row) => load(catalog, &tx, row.try_get("id")?).await?,
        None => None,
    };
    tx.commit().await?;
    Ok(found)
}

async fn load(
    catalog: &Catalog,
    tx: &TenantTx,
    id: ProductId,
) -> Result<Option<Arc<CachedProduct>>, DbError> {
    let (tenant, now) = (tx.tenant_id(), tx.ctx().now());
    let epochs = catalog.products().epochs(tenant, id);
    let Some(stored) = find_stored(tx, id).await? else { return Ok(None) };
    let (sku, etag) = (stored.data.sku.clone(), stored.version.to_string());
    let product = stored.into_product(tx.ctx().tenant.currency);
    let body = serde_json::to_vec(&product).map_err(|error| DbError::Other(error.to_string()))?;
    let cached = CachedProduct::new(id, Bytes::from(body), etag, epochs, now);
    Ok(Some(catalog.products().put(tenant, &sku, cached)))
}

/// A product as stored.
pub(crate) async fn find_stored(tx: &TenantTx, id: ProductId) -> Result<Option<StoredProduct>, DbError> {
    let rows = tx.query(include_str!("find_products.sql"), &[&tx.tenant_id(), &[id.0].as_slice()]).await?;
    rows.first().map(StoredProduct::decode).transpose()
}
