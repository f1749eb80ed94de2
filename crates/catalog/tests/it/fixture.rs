//! A merchant with a catalog, on databases of its own.

use std::sync::Arc;

use catalog::{Catalog, CatalogConfig, ObjectsConfig, ProductImport};
use csvio::RejectWriter;
use db::{Migrations, TenantTx};
use kernel::{Ctx, Tenant};
use serde_json::{Value, json};
use testkit::{Client, Site, TestDatabases};

pub(crate) struct Market {
    pub(crate) site: Site,
    pub(crate) catalog: Catalog,
    pub(crate) tenant: Arc<Tenant>,
    /// Somebody who may do everything with the catalog.
    pub(crate) clerk: Client,
    files: tempfile::TempDir,
}

/// The migrations that the catalog needs.
pub(crate) fn migrations() -> Migrations {
    Migrations::tenant([messages::MIGRATIONS, edge::idempotency::MIGRATIONS, catalog::MIGRATIONS])
}

impl Market {
    /// One merchant, `acme`, with the usual tax rates and nothing to sell.
    pub(crate) async fn new() -> Self {
        Self::with_objects(ObjectsConfig::default()).await
    }

    /// The same, whose images are kept elsewhere.
    pub(crate) async fn with_objects(objects: ObjectsConfig) -> Self {
        let databases = TestDatabases::create(&migrations(), &Migrations::control([])).await.unwrap();
        let files = tempfile::tempdir().unwrap();
        let mut made = None;
        let site = Site::new(databases, |db, clock| {
            let config = CatalogConfig {
                import_dir: files.path().join("imports"),
                objects,
                object_dir: files.path().join("objects"),
                clock: clock.clone(),
                ..CatalogConfig::default()
            };
            let catalog = made.insert(Catalog::with_config(db.clone(), config));
            vec![catalog::routes(catalog.clone())]
        })
        .unwrap();
        let catalog = made.unwrap();
        let tenant = site.add_tenant("acme");
        let clerk = site.member("acme", &["catalog:*"]);
        let market = Self { site, catalog, tenant, clerk, files };
        market.seed(&market.tenant).await;
        market
    }

    /// Another merchant in the same database.
    pub(crate) async fn add_merchant(&self, slug: &str) -> (Arc<Tenant>, Client) {
        let tenant = self.site.add_tenant(slug);
        self.seed(&tenant).await;
        (tenant, self.site.member(slug, &["catalog:*"]))
    }

    async fn seed(&self, tenant: &Arc<Tenant>) {
        let tx = self.site.db.begin(&self.site.ctx(tenant)).await.unwrap();
        catalog::seed_tax_rates(&tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) fn ctx(&self) -> Ctx {
        self.site.ctx(&self.tenant)
    }

    pub(crate) async fn begin(&self) -> TenantTx {
        self.site.db.begin(&self.ctx()).await.unwrap()
    }

    /// Imports a file; the sums and the report.
    pub(crate) async fn import(&self, file: &[u8]) -> (ProductImport, String) {
        self.import_as(&self.ctx(), file).await
    }

    pub(crate) async fn import_as(&self, ctx: &Ctx, file: &[u8]) -> (ProductImport, String) {
        let mut report = Vec::new();
        let mut rejects = RejectWriter::new(&mut report).unwrap();
        let source = csvio::open(file).unwrap();
        let done = catalog::import_products(&self.catalog, ctx, source, &mut rejects, |_| {}).await.unwrap();
        (done, String::from_utf8(report).unwrap())
    }

    /// Where the file of an upload lies.
    pub(crate) fn upload_path(&self, import: &str) -> std::path::PathBuf {
        self.import_dir().join(format!("{}-{import}.upload", self.tenant.id))
    }

    /// The folder of uploads and reports.
    pub(crate) fn import_dir(&self) -> std::path::PathBuf {
        self.files.path().join("imports")
    }

    /// How many images are kept for all merchants.
    pub(crate) fn count_objects(&self) -> usize {
        let below = |path: std::path::PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten();
        let tenants = below(self.files.path().join("objects/images"));
        tenants.flat_map(|tenant| below(tenant.path())).count()
    }

    /// How many files in it end like that.
    pub(crate) fn count_files(&self, ending: &str) -> usize {
        let names = std::fs::read_dir(self.import_dir()).into_iter().flatten().flatten();
        names.filter(|entry| entry.file_name().to_string_lossy().ends_with(ending)).count()
    }

    /// What the job does for the merchant.
    pub(crate) async fn resume(&self) {
        let old = catalog::OldUploads::find(&self.catalog).await.unwrap();
        old.remove_strays(&self.catalog, &self.ctx()).await.unwrap();
        catalog::resume_imports(&self.catalog, &self.ctx()).await.unwrap();
    }

    pub(crate) async fn export(&self, ctx: &Ctx) -> Vec<u8> {
        let mut file = Vec::new();
        catalog::export_products(&self.catalog, ctx, &mut file).await.unwrap();
        file
    }

    /// The kinds and subjects of all messages so far, in order.
    pub(crate) async fn messages(&self) -> Vec<(String, String)> {
        let look = self.site.databases.look().await.unwrap();
        let rows = look.query("select kind, subject from messages.outbox order by seq", &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Fails when an invariant does not hold.
    pub(crate) async fn check(&self) {
        self.check_as(&self.ctx()).await;
    }

    pub(crate) async fn check_as(&self, ctx: &Ctx) {
        let tx = self.site.db.begin_read(ctx).await.unwrap();
        assert_eq!(catalog::invariants(&tx).await.unwrap(), []);
        tx.commit().await.unwrap();
    }

    /// The SKUs of a list, in its order.
    pub(crate) async fn skus(&self, path: &str) -> Vec<String> {
        skus(&self.clerk.get(path).await.is(200).json)
    }
}

pub(crate) fn skus(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["sku"].as_str().unwrap().to_owned()).collect()
}

/// A product with the least that is needed.
pub(crate) fn product(sku: &str, name: &str, cents: i64) -> Value {
    json!({ "sku": sku, "name": name, "price": { "amount": cents, "currency": "EUR" } })
}
