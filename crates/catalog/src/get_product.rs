//! Use case: one product, from memory when it can.

use std::sync::Arc;

use bytes::Bytes;
use db::{DbError, TenantTx};
use kernel::{Ctx, TenantId};

use crate::{
    Catalog,
    cache::CachedProduct,
    cache_counts::CacheKind,
    model::{ProductId, StoredProduct},
    single_flight::{Brought, Flights},
    variants::{family_tag, find_variants},
};

/// A product that is being read, under which state of the cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ProductFlight {
    Id(TenantId, ProductId, (u64, u64)),
    Sku(TenantId, Box<str>, u64),
}

/// Products that are being read.
pub(crate) type ProductFlights = Flights<ProductFlight, Option<Arc<CachedProduct>>>;

/// A product by id, serialised; `None` when the tenant has none such.
pub(crate) async fn find_product(
    catalog: &Catalog,
    ctx: &Ctx,
    id: ProductId,
) -> Result<Option<Arc<CachedProduct>>, DbError> {
    let (tenant, now) = (ctx.tenant_id(), ctx.now());
    let look = || catalog.products().find(tenant, id, now);
    let flight = ProductFlight::Id(tenant, id, catalog.products().epochs(tenant, id));
    let fetch = async {
        let tx = catalog.db().begin_read(ctx).await?;
        let found = load(catalog, &tx, id).await?;
        tx.commit().await?;
        Ok(found)
    };
    read(catalog, flight, look, fetch).await
}

/// A product by SKU, serialised; `None` when the tenant has none such.
pub(crate) async fn find_product_by_sku(
    catalog: &Catalog,
    ctx: &Ctx,
    sku: &str,
) -> Result<Option<Arc<CachedProduct>>, DbError> {
    let (tenant, now) = (ctx.tenant_id(), ctx.now());
    let look = || catalog.products().find_sku(tenant, sku, now);
    // Which product has the SKU is not known yet: any change in the tenant's catalog may be one of it.
    let flight = ProductFlight::Sku(tenant, sku.into(), catalog.lists().epoch(tenant));
    let fetch = async {
        let tx = catalog.db().begin_read(ctx).await?;
        let row = tx.query_opt(include_str!("find_product_id.sql"), &[&tx.tenant_id(), &sku]).await?;
        let found = match row {
            // The id never changes; only now can the epochs be taken under which the product itself is read.
            Some(row) => load(catalog, &tx, row.try_get("id")?).await?,
            None => None,
        };
        tx.commit().await?;
        Ok(found)
    };
    read(catalog, flight, look, fetch).await
}

/// From memory, or with whoever is reading it already, or from the database.
async fn read(
    catalog: &Catalog,
    flight: ProductFlight,
    look: impl Fn() -> Option<Arc<CachedProduct>>,
    fetch: impl Future<Output = Result<Option<Arc<CachedProduct>>, DbError>>,
) -> Result<Option<Arc<CachedProduct>>, DbError> {
    let kind = CacheKind::Product;
    if let Some(found) = look() {
        catalog.reads().hit(kind);
        return Ok(Some(found));
    }
    let counted = async {
        catalog.reads().miss(kind);
        fetch.await
    };
    let (found, brought) = catalog.product_flights().join(flight, || look().map(Some), counted).await?;
    if brought == Brought::Shared {
        catalog.reads().hit(kind);
    }
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
    let (sku, mut etag) = (stored.data.sku.clone(), stored.version.to_string());
    let mut product = stored.into_product(&tx.ctx().tenant);
    if !product.options.is_empty() {
        let (variants, stamp) = find_variants(tx, id).await?;
        etag = family_tag(product.version, stamp);
        product.variants = Some(variants);
    }
    let body = serde_json::to_vec(&product).map_err(|error| DbError::Other(error.to_string()))?;
    let cached = CachedProduct::new(id, Bytes::from(body), etag, epochs, now);
    Ok(Some(catalog.products().put(tenant, &sku, cached)))
}

/// A product as stored.
pub(crate) async fn find_stored(tx: &TenantTx, id: ProductId) -> Result<Option<StoredProduct>, DbError> {
    let rows = tx.query(include_str!("find_products.sql"), &[&tx.tenant_id(), &[id.0].as_slice()]).await?;
    rows.first().map(StoredProduct::decode).transpose()
}
