//! The state of the domain in one process: the database, what is cached, where uploads lie.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use cache::Redis;
use db::{Db, DbError, Epochs, Invalidations, Source, Stale, TenantTx};
use jiff::Timestamp;
use kernel::{Clock, Ctx, TenantId};
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{
    cache::ProductCache,
    cache_counts::{CacheCounts, CacheKind, ReadCounts},
    get_product::ProductFlights,
    images::{Objects, ObjectsConfig},
    import::TenantTurns,
    list_cache::{ListCache, ListKey},
    model::ProductId,
    shared_cache::{Place, SharedCache, Wanted},
    single_flight::Flights,
    tax::{SharedTaxTable, TaxPeriod, TaxTable},
};

/// Imports that this process works on at once; more wait in line.
const IMPORTS_AT_ONCE: usize = 2;
/// Of which so many for one tenant, so that others get on.
const IMPORTS_OF_TENANT: usize = 1;
/// Uploads of one tenant that are being written to the disk at once.
const UPLOADS_OF_TENANT: usize = 4;
/// Tax tables kept.
const TAX_TABLES: usize = 4_096;
/// How long a tax table lives at most: the bound on staleness should a notification be lost.
const TAX_LIFETIME_S: i64 = 600;
/// Up to so many changed products are forgotten one by one; more, with all of the tenant's.
const NAMED_MOST: usize = 4;

/// How the catalog is run.
#[derive(Debug, Clone)]
pub struct CatalogConfig {
    /// Bytes of memory for products read often.
    pub product_cache_bytes: u64,
    /// Bytes of memory for lists read often.
    pub list_cache_bytes: u64,
    /// The folder for uploaded files and their reports; made when first needed.
    pub import_dir: PathBuf,
    /// Where images are kept.
    pub objects: ObjectsConfig,
    /// The folder for images, when they are kept in one; made when first needed.
    pub object_dir: PathBuf,
    /// Where all processes share what they have read, if they do.
    pub redis: Option<Redis>,
    /// Tells imports in the background the time.
    pub clock: Clock,
}

impl Default for CatalogConfig {
    fn default() -> Self {
        Self {
            product_cache_bytes: 32 << 20,
            list_cache_bytes: 32 << 20,
            import_dir: PathBuf::from("var/imports"),
            objects: ObjectsConfig::default(),
            object_dir: PathBuf::from("var/objects"),
            redis: None,
            clock: Clock::system(),
        }
    }
}

struct CachedTaxes {
    table: SharedTaxTable,
    epoch: u64,
    expires_at_s: i64,
}

struct Inner {
    db: Db,
    config: CatalogConfig,
    products: ProductCache,
    product_flights: ProductFlights,
    lists: ListCache,
    list_flights: Flights<ListKey, Bytes>,
    shared: Option<SharedCache>,
    reads: ReadCounts,
    objects: Objects,
    taxes: Cache<TenantId, Arc<CachedTaxes>>,
    tax_epochs: Epochs,
    import_turns: Semaphore,
    tenant_imports: TenantTurns,
    tenant_uploads: TenantTurns,
    /// This process, as the holder of leases.
    worker: Uuid,
}

/// What the routes, jobs and other domains need of the catalog. Cheap to clone.
#[derive(Clone)]
pub struct Catalog(Arc<Inner>);

impl Catalog {
    /// A catalog over `db` with the usual settings, whose uploads lie in `import_dir`, images in `objects` below it.
    #[must_use]
    pub fn new(db: Db, import_dir: PathBuf) -> Self {
        let object_dir = import_dir.join("objects");
        Self::with_config(db, CatalogConfig { import_dir, object_dir, ..CatalogConfig::default() })
    }

    /// A catalog over `db`.
    #[must_use]
    pub fn with_config(db: Db, config: CatalogConfig) -> Self {
        let products = ProductCache::new(config.product_cache_bytes);
        let objects = Objects::new(config.objects.clone(), config.object_dir.clone());
        let lists = ListCache::new(config.list_cache_bytes);
        let shared = config.redis.clone().map(SharedCache::new);
        Self(Arc::new(Inner {
            db,
            config,
            products,
            product_flights: Flights::new(),
            lists,
            list_flights: Flights::new(),
            shared,
            reads: ReadCounts::registered(),
            objects,
            taxes: Cache::new(TAX_TABLES),
            tax_epochs: Epochs::new(),
            import_turns: Semaphore::new(IMPORTS_AT_ONCE),
            tenant_imports: TenantTurns::new(IMPORTS_OF_TENANT),
            tenant_uploads: TenantTurns::new(UPLOADS_OF_TENANT),
            worker: Uuid::now_v7(),
        }))
    }

    /// Has its caches hear of changes made by other processes.
    pub fn listen(&self, invalidations: &Invalidations) {
        let told = Arc::downgrade(&self.0);
        invalidations.subscribe(move |source, stale| {
            if let Some(inner) = told.upgrade() {
                inner.hear(source, stale);
            }
        });
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.config.clock
    }

    pub(crate) fn import_dir(&self) -> &std::path::Path {
        &self.0.config.import_dir
    }

    pub(crate) fn import_turns(&self) -> &Semaphore {
        &self.0.import_turns
    }

    pub(crate) fn tenant_imports(&self) -> &TenantTurns {
        &self.0.tenant_imports
    }

    pub(crate) fn tenant_uploads(&self) -> &TenantTurns {
        &self.0.tenant_uploads
    }

    pub(crate) fn worker(&self) -> Uuid {
        self.0.worker
    }

    pub(crate) fn products(&self) -> &ProductCache {
        &self.0.products
    }

    pub(crate) fn product_flights(&self) -> &ProductFlights {
        &self.0.product_flights
    }

    pub(crate) fn lists(&self) -> &ListCache {
        &self.0.lists
    }

    pub(crate) fn list_flights(&self) -> &Flights<ListKey, Bytes> {
        &self.0.list_flights
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.0.objects
    }

    pub(crate) fn reads(&self) -> &ReadCounts {
        &self.0.reads
    }

    /// Hits and misses of reads of one kind since the start.
    #[must_use]
    pub fn cache_counts(&self, kind: CacheKind) -> CacheCounts {
        self.0.reads.of(kind)
    }

    /// What Redis holds of `wanted`, and where to keep it once it has been read; nowhere without Redis or while it is
    /// away. To be asked before the database is read.
    pub(crate) async fn find_shared(
        &self,
        ctx: &Ctx,
        wanted: Wanted<'_>,
    ) -> Result<(Option<Bytes>, Option<Place<'_>>), DbError> {
        let Some(shared) = &self.0.shared else { return Ok((None, None)) };
        let place = shared.place(self, ctx, wanted).await?;
        Ok(match place.find().await {
            Ok(found) => (found, Some(place)),
            Err(_) => (None, None),
        })
    }

    /// Makes what is cached of these products stale everywhere, once `tx` has committed.
    pub(crate) async fn products_changed(&self, tx: &TenantTx, ids: &[ProductId]) -> Result<(), DbError> {
        let tenant = tx.tenant_id();
        match ids {
            [] => return Ok(()),
            few if few.len() <= NAMED_MOST => {
                for id in few {
                    tx.notify_invalidate(&format!("catalog.product/{}/{}", tenant.0, id.0)).await?;
                }
            }
            _ => tx.notify_invalidate(&format!("catalog.products/{}", tenant.0)).await?,
        }
        raise_generation(tx).await?;
        let (inner, ids) = (Arc::clone(&self.0), ids.to_vec());
        tx.on_commit(move || {
            inner.lists.forget_tenant(tenant);
            match ids.as_slice() {
                few if few.len() <= NAMED_MOST => {
                    few.iter().for_each(|id| inner.products.forget(tenant, *id))
                }
                _ => inner.products.forget_tenant(tenant),
            }
        });
        Ok(())
    }

    /// Makes the cached tax rates of the tenant stale everywhere, once `tx` has committed.
    pub(crate) async fn taxes_changed(&self, tx: &TenantTx) -> Result<(), DbError> {
        let tenant = tx.tenant_id();
        tx.notify_invalidate(&format!("catalog.taxes/{}", tenant.0)).await?;
        raise_generation(tx).await?;
        let inner = Arc::clone(&self.0);
        tx.on_commit(move || {
            inner.lists.forget_tenant(tenant);
            inner.tax_epochs.move_on(&tenant);
        });
        Ok(())
    }

    /// The tax rates of the tenant, from memory when it can.
    ///
    /// # Errors
    /// [`DbError`] when they have to be read and cannot.
    pub async fn tax_table(&self, ctx: &Ctx) -> Result<Arc<TaxTable>, DbError> {
        let (tenant, epoch) = (ctx.tenant_id(), self.0.tax_epochs.of(&ctx.tenant_id()));
        if let Some(found) = self.0.taxes.get(&tenant).filter(|found| found.is_fresh(epoch, ctx.now())) {
            return Ok(Arc::clone(&found.table));
        }
        let tx = self.0.db.begin_read(ctx).await?;
        let table = Arc::new(tax_rates(&tx).await?);
        tx.commit().await?;
        let expires_at_s = ctx.now().as_second() + TAX_LIFETIME_S;
        self.0.taxes.insert(tenant, Arc::new(CachedTaxes { table: Arc::clone(&table), epoch, expires_at_s }));
        Ok(table)
    }
}

impl CachedTaxes {
    fn is_fresh(&self, epoch: u64, now: Timestamp) -> bool {
        self.epoch == epoch && now.as_second() < self.expires_at_s
    }
}

impl Inner {
    fn hear(&self, source: &Source, stale: Stale<'_>) {
        match (source, stale) {
            (Source::Control, _) => {}
            (Source::Tenants(_), Stale::All) => {
                // Lists come first, here and below: see `get_product::take_over`.
                self.lists.forget_all();
                self.products.forget_all();
                self.tax_epochs.move_all_on();
            }
            (Source::Tenants(_), Stale::Key(key)) => {
                self.forget(key);
            }
        }
    }

    fn forget(&self, key: &str) -> Option<()> {
        let mut parts = key.strip_prefix("catalog.")?.split('/');
        let (kind, tenant) = (parts.next()?, TenantId(parts.next()?.parse().ok()?));
        // Whatever has changed, some list may show it.
        self.lists.forget_tenant(tenant);
        match kind {
            "product" => self.products.forget(tenant, ProductId(parts.next()?.parse().ok()?)),
            "products" => self.products.forget_tenant(tenant),
            "taxes" => self.tax_epochs.move_on(&tenant),
            _ => {}
        }
        Some(())
    }
}

/// Gives the catalog of the tenant another name from the commit of `tx` on, whether or not Redis can be reached now. The
/// last statement of a change: others of the tenant wait for its row.
async fn raise_generation(tx: &TenantTx) -> Result<(), DbError> {
    let token = Uuid::now_v7();
    tx.execute(include_str!("raise_generation.sql"), &[&tx.tenant_id(), &token]).await.map(drop)
}

/// The tax rates as `tx` sees them, past every cache.
///
/// # Errors
/// [`DbError`].
pub async fn tax_rates(tx: &TenantTx) -> Result<TaxTable, DbError> {
    let rows = tx.query(include_str!("find_tax_rates.sql"), &[&tx.tenant_id()]).await?;
    let periods: Vec<TaxPeriod> = rows.iter().map(TaxPeriod::decode).collect::<Result<_, _>>()?;
    Ok(TaxTable::new(periods))
}

/// Gives a new tenant the rates `standard` 20 %, `reduced` 10 %, `zero` 0 %; one that has rates keeps them.
///
/// # Errors
/// [`DbError`].
pub async fn seed_tax_rates(tx: &TenantTx) -> Result<(), DbError> {
    tx.execute(include_str!("seed_tax_rates.sql"), &[&tx.tenant_id()]).await.map(drop)
}
