//! Products read often, as they go out: serialised, with their entity tag.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use kernel::TenantId;
use quick_cache::{Equivalent, Weighter, sync::Cache};

use db::Epochs;

use crate::model::ProductId;

/// How long an entry lives at most: the bound on staleness should a notification be lost.
const LIFETIME_S: i64 = 600;
/// What an entry costs beside its body, in bytes.
const OVERHEAD: u64 = 250;

/// A product ready to be sent.
#[derive(Debug)]
pub(crate) struct CachedProduct {
    pub(crate) id: ProductId,
    sku: Box<str>,
    pub(crate) body: Bytes,
    pub(crate) etag: String,
    epochs: (u64, u64),
    expires_at_s: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SkuKey(TenantId, Box<str>);

#[derive(Hash)]
struct SkuRef<'a>(TenantId, &'a str);

impl Equivalent<SkuKey> for SkuRef<'_> {
    fn equivalent(&self, key: &SkuKey) -> bool {
        self.0 == key.0 && *self.1 == *key.1
    }
}

#[derive(Debug, Clone)]
struct BodyWeight;

impl<K> Weighter<K, Arc<CachedProduct>> for BodyWeight {
    fn weight(&self, _key: &K, product: &Arc<CachedProduct>) -> u64 {
        product.body.len() as u64 + OVERHEAD
    }
}

/// The cache of one process: bounded by weight, stale at once on a change (see [`Epochs`]).
pub(crate) struct ProductCache {
    by_id: Cache<(TenantId, ProductId), Arc<CachedProduct>, BodyWeight>,
    by_sku: Cache<SkuKey, Arc<CachedProduct>, BodyWeight>,
    products: Epochs,
    tenants: Epochs,
}

impl ProductCache {
    /// A cache of at most `bytes`.
    pub(crate) fn new(bytes: u64) -> Self {
        let entries = usize::try_from(bytes / 4096).unwrap_or(1024).clamp(64, 65_536);
        Self {
            by_id: Cache::with_weighter(entries, bytes / 2, BodyWeight),
            by_sku: Cache::with_weighter(entries, bytes / 2, BodyWeight),
            products: Epochs::new(),
            tenants: Epochs::new(),
        }
    }

    pub(crate) fn find(&self, tenant: TenantId, id: ProductId, now: Timestamp) -> Option<Arc<CachedProduct>> {
        self.by_id.get(&(tenant, id)).filter(|found| self.is_fresh(tenant, found, now))
    }

    pub(crate) fn find_sku(&self, tenant: TenantId, sku: &str, now: Timestamp) -> Option<Arc<CachedProduct>> {
        self.by_sku.get(&SkuRef(tenant, sku)).filter(|found| self.is_fresh(tenant, found, now))
    }

    fn is_fresh(&self, tenant: TenantId, product: &CachedProduct, now: Timestamp) -> bool {
        product.epochs == self.epochs(tenant, product.id) && now.as_second() < product.expires_at_s
    }

    /// The epochs of a product, its tenant's and its own; take them before reading it from the database.
    pub(crate) fn epochs(&self, tenant: TenantId, id: ProductId) -> (u64, u64) {
        (self.tenants.of(&tenant), self.products.of(&(tenant, id)))
    }

    /// Keeps a product for reads by id and by SKU.
    pub(crate) fn put(&self, tenant: TenantId, product: CachedProduct) -> Arc<CachedProduct> {
        let product = Arc::new(product);
        self.by_id.insert((tenant, product.id), Arc::clone(&product));
        self.by_sku.insert(SkuKey(tenant, product.sku.clone()), Arc::clone(&product));
        product
    }

    /// Makes one product stale.
    pub(crate) fn forget(&self, tenant: TenantId, id: ProductId) {
        self.products.move_on(&(tenant, id));
    }

    /// Makes all products of a tenant stale.
    pub(crate) fn forget_tenant(&self, tenant: TenantId) {
        self.tenants.move_on(&tenant);
    }

    /// Makes everything stale.
    pub(crate) fn forget_all(&self) {
        self.tenants.move_all_on();
    }
}

impl CachedProduct {
    /// A product that was right at `now`, after `epochs` were taken.
    pub(crate) fn new(parts: ProductParts, epochs: (u64, u64), now: Timestamp) -> Self {
        let ProductParts { id, sku, etag, body } = parts;
        Self { id, sku, body, etag, epochs, expires_at_s: now.as_second() + LIFETIME_S }
    }

    /// As other processes are told of it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let head = format!("{}\n{}\n{}\n", self.id.0, self.etag, self.sku);
        [head.as_bytes(), &self.body].concat()
    }
}

/// What is kept of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProductParts {
    pub(crate) id: ProductId,
    pub(crate) sku: Box<str>,
    pub(crate) etag: String,
    /// As it goes out.
    pub(crate) body: Bytes,
}

impl ProductParts {
    /// Reads what [`CachedProduct::encode`] wrote; `None` for anything else.
    pub(crate) fn decode(value: &Bytes) -> Option<Self> {
        let mut lines = value.splitn(4, |byte| *byte == b'\n');
        let mut line = || std::str::from_utf8(lines.next()?).ok();
        let (id, etag, sku) = (ProductId(line()?.parse().ok()?), line()?.to_owned(), line()?.into());
        let body = value.slice_ref(lines.next()?);
        Some(Self { id, sku, etag, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(cache: &ProductCache, tenant: TenantId, id: ProductId, now: Timestamp) -> CachedProduct {
        of("A", cache, tenant, id, now)
    }

    fn of(sku: &str, cache: &ProductCache, tenant: TenantId, id: ProductId, now: Timestamp) -> CachedProduct {
        let parts =
            ProductParts { id, sku: sku.into(), etag: "1".to_owned(), body: Bytes::from_static(b"{}") };
        CachedProduct::new(parts, cache.epochs(tenant, id), now)
    }

    // CAT-1, DPR-6
    #[test]
    fn a_product_is_found_by_id_and_sku_of_its_own_tenant_only() {
        let cache = ProductCache::new(1 << 20);
        let (tenant, other, id, now) =
            (TenantId::new(), TenantId::new(), ProductId::new(), Timestamp::UNIX_EPOCH);
        cache.put(tenant, product(&cache, tenant, id, now));
        assert!(cache.find(tenant, id, now).is_some());
        assert!(cache.find_sku(tenant, "A", now).is_some());
        assert!(cache.find(other, id, now).is_none());
        assert!(cache.find_sku(other, "A", now).is_none());
    }

    #[test]
    fn a_change_makes_it_stale_also_when_it_is_cached_after_the_change() {
        let cache = ProductCache::new(1 << 20);
        let (tenant, id, now) = (TenantId::new(), ProductId::new(), Timestamp::UNIX_EPOCH);
        let read_before_the_change = product(&cache, tenant, id, now);
        cache.forget(tenant, id);
        cache.put(tenant, read_before_the_change);
        assert!(cache.find(tenant, id, now).is_none());
        cache.put(tenant, product(&cache, tenant, id, now));
        assert!(cache.find(tenant, id, now).is_some());
        cache.forget_tenant(tenant);
        assert!(cache.find_sku(tenant, "A", now).is_none());
    }

    #[test]
    fn an_entry_dies_of_age_and_the_cache_stays_within_its_weight() {
        let cache = ProductCache::new(64 * 1024);
        let (tenant, id, now) = (TenantId::new(), ProductId::new(), Timestamp::UNIX_EPOCH);
        cache.put(tenant, product(&cache, tenant, id, now));
        let later = Timestamp::from_second(LIFETIME_S).unwrap();
        assert!(cache.find(tenant, id, later).is_none());
        for n in 0..10_000 {
            cache.put(tenant, of(&n.to_string(), &cache, tenant, ProductId::new(), now));
        }
        assert!(cache.by_id.weight() <= 32 * 1024 && cache.by_sku.weight() <= 32 * 1024);
    }

    #[test]
    fn what_other_processes_are_told_is_read_back_and_anything_else_is_not() {
        let (cache, now) = (ProductCache::new(1 << 20), Timestamp::UNIX_EPOCH);
        let product = of("Ä b", &cache, TenantId::new(), ProductId::new(), now);
        let told = Bytes::from(product.encode());
        let read = ProductParts::decode(&told).unwrap();
        assert_eq!((read.id, &*read.sku, &read.body), (product.id, "Ä b", &product.body));
        assert_eq!(read.etag, "1");
        let with_breaks = Bytes::from([&told[..], b"\n\n".as_slice()].concat());
        assert_eq!(ProductParts::decode(&with_breaks).unwrap().body, Bytes::from_static(b"{}\n\n"));
        for wrong in ["", "{}", "a\nb\nc\nd", "\n\n\n"] {
            assert_eq!(ProductParts::decode(&Bytes::from(wrong)), None, "{wrong:?}");
        }
    }
}
