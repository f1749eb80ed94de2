//! Use case: one product, from memory or Redis when it can.

use std::sync::Arc;

use bytes::Bytes;
use db::{DbError, TenantTx};
use kernel::{Ctx, TenantId};

use crate::{
    Catalog,
    cache::{CachedProduct, ProductParts},
    cache_counts::{CacheKind, Source},
    model::{ProductId, StoredProduct},
    shared_cache::{Place, Wanted},
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
    let load = async {
        let tx = catalog.db().begin_read(ctx).await?;
        let found = load(catalog, &tx, id).await?;
        tx.commit().await?;
        Ok(found)
    };
    read(catalog, flight, look, fetch(catalog, ctx, Wanted::Id(id), load)).await
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
    let load = async {
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
    read(catalog, flight, look, fetch(catalog, ctx, Wanted::Sku(sku), load)).await
}

/// From memory, or with whoever is fetching it already, or as `fetch` brings it.
async fn read(
    catalog: &Catalog,
    flight: ProductFlight,
    look: impl Fn() -> Option<Arc<CachedProduct>>,
    fetch: impl Future<Output = Result<Option<Arc<CachedProduct>>, DbError>>,
) -> Result<Option<Arc<CachedProduct>>, DbError> {
    let kind = CacheKind::Product;
    if let Some(found) = look() {
        catalog.reads().add(kind, Source::Memory);
        return Ok(Some(found));
    }
    let (found, brought) = catalog.product_flights().join(flight, || look().map(Some), fetch).await?;
    if brought == Brought::Shared {
        catalog.reads().add(kind, Source::Memory);
    }
    Ok(found)
}

/// From Redis, or as `load` reads it from the database.
async fn fetch(
    catalog: &Catalog,
    ctx: &Ctx,
    wanted: Wanted<'_>,
    load: impl Future<Output = Result<Option<Arc<CachedProduct>>, DbError>>,
) -> Result<Option<Arc<CachedProduct>>, DbError> {
    let (shared, place) = catalog.find_shared(ctx, wanted).await?;
    if let (Some(value), Some(place)) = (shared, &place)
        && let Some(found) = take_over(catalog, ctx.tenant_id(), &value, place)
    {
        catalog.reads().add(CacheKind::Product, Source::Redis);
        return Ok(Some(found));
    }
    catalog.reads().add(CacheKind::Product, Source::Database);
    let found = load.await?;
    if let (Some(product), Some(place)) = (&found, place) {
        place.keep(&product.encode()).await;
    }
    Ok(found)
}

/// Keeps what another process has read in memory; `None` when the product may have changed since.
fn take_over(
    catalog: &Catalog,
    tenant: TenantId,
    value: &Bytes,
    place: &Place<'_>,
) -> Option<Arc<CachedProduct>> {
    let parts = ProductParts::decode(value)?;
    // Which product it is was not known before. A change that these epochs know of has moved the catalog's on before:
    // then the value may be from before that change.
    let epochs = catalog.products().epochs(tenant, parts.id);
    if !place.is_current(catalog) {
        return None;
    }
    Some(catalog.products().put(tenant, CachedProduct::new(parts, epochs, place.known_at())))
}

async fn load(
    catalog: &Catalog,
    tx: &TenantTx,
    id: ProductId,
) -> Result<Option<Arc<CachedProduct>>, DbError> {
    let (tenant, now) = (tx.tenant_id(), tx.ctx().now());
    let epochs = catalog.products().epochs(tenant, id);
    let Some(stored) = find_stored(tx, id).await? else { return Ok(None) };
    let (sku, mut etag) = (stored.data.sku.as_str().into(), stored.version.to_string());
    let mut product = stored.into_product(&tx.ctx().tenant);
    if !product.options.is_empty() {
        let (variants, stamp) = find_variants(tx, id).await?;
        etag = family_tag(product.version, stamp);
        product.variants = Some(variants);
    }
    let body = serde_json::to_vec(&product).map_err(|error| DbError::Other(error.to_string()))?;
    let parts = ProductParts { id, sku, etag, body: Bytes::from(body) };
    Ok(Some(catalog.products().put(tenant, CachedProduct::new(parts, epochs, now))))
}

/// A product as stored.
pub(crate) async fn find_stored(tx: &TenantTx, id: ProductId) -> Result<Option<StoredProduct>, DbError> {
    let rows = tx.query(include_str!("find_products.sql"), &[&tx.tenant_id(), &[id.0].as_slice()]).await?;
    rows.first().map(StoredProduct::decode).transpose()
}
