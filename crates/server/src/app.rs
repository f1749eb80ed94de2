//! Wiring: every part of the program, made from the configuration. The only place that names them all.

use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use audit::Auditor;
use axum::Router;
use cache::Redis;
use cart::Carts;
use catalog::{Catalog, CatalogConfig};
use checkout::{Checkouts, Faults};
use control::{Control, MasterKey, Parts, Seeder, TenantDatabases};
use customers::{Buyer, CustomerId, CustomerMerge, Customers, GuestId, GuestMerge, Hooks};
use db::{Db, DbError, Invalidations, Source, Stale, TenantTx, migrate::MigrateError};
use edge::{Api, Edge, EdgeParts, Routes, health::Health, telemetry::Metrics};
use inventory::{Inventory, InventoryConfig};
use kernel::{Clock, Placement};
use messages::{DeadLetters, Job, Jobs, JobsConfig, Relay, RelayConfig, TenantLookup};
use orders::Orders;
use payments::Payments;
use reporting::Reporting;
use resilience::Breakers;
use sales::Sales;
use webhooks::Webhooks;

use crate::{
    config::Config,
    documents, facts, flags, health,
    installation::{Installation, Shard, tenant_migrations},
    jobs, measures, operations,
};

/// Every part of the program.
#[derive(Clone)]
pub struct App {
    /// What it was made from.
    pub config: Arc<Config>,
    /// The door to data.
    pub db: Db,
    /// Tenants and identity.
    pub control: Control,
    /// Products and tax rates.
    pub catalog: Catalog,
    /// Stock.
    pub inventory: Inventory,
    /// Customers.
    pub customers: Customers,
    /// Providers of payments and the books about them.
    pub payments: Payments,
    /// Carts.
    pub carts: Carts,
    /// Orders.
    pub orders: Orders,
    /// The book of record.
    pub sales: Sales,
    /// What turns carts into orders.
    pub checkouts: Checkouts,
    /// Reports.
    pub reporting: Reporting,
    /// Tells merchants of messages.
    pub webhooks: Webhooks,
    /// Carries messages.
    pub relay: Relay,
    /// Runs scheduled work.
    pub jobs: Jobs,
    /// Tells caches what changed elsewhere.
    pub invalidations: Invalidations,
    /// Writes the audit logs.
    pub auditor: Auditor,
    /// What all processes share, where one is configured.
    pub redis: Option<Redis>,
    /// Every breaker of the process.
    pub breakers: Breakers,
    /// The time.
    pub clock: Clock,
}

/// Makes and migrates dedicated databases on the configured clusters.
struct Databases {
    shards: std::collections::HashMap<Arc<str>, Shard>,
    template: String,
}

impl Databases {
    fn shard(&self, placement: &Placement) -> Result<&Shard, MigrateError> {
        self.shards
            .get(&placement.shard)
            .ok_or_else(|| MigrateError::UnknownShard(placement.shard.to_string()))
    }
}

#[async_trait]
impl TenantDatabases for Databases {
    async fn create(&self, placement: &Placement) -> Result<(), MigrateError> {
        let admin = &self.shard(placement)?.admin;
        db::migrate::create_tenant_database(admin, &placement.database, &self.template).await
    }

    async fn migrate(&self, placement: &Placement) -> Result<(), MigrateError> {
        let owner = self.shard(placement)?.owner(&placement.database);
        db::migrate::up(&owner, &tenant_migrations()).await.map(drop)
    }
}

/// Gives a new tenant the default tax rates.
struct TaxRates;

#[async_trait]
impl Seeder for TaxRates {
    fn name(&self) -> &'static str {
        "tax rates"
    }

    async fn seed(&self, tx: &mut TenantTx) -> Result<(), DbError> {
        catalog::seed_tax_rates(tx).await
    }
}

/// The catalog, whose files lie in the data folder unless images are kept elsewhere.
fn catalog_of(config: &Config, db: &Db, redis: Option<&Redis>) -> Catalog {
    let files = CatalogConfig {
        import_dir: config.data_dir.join("imports"),
        objects: config.objects.clone(),
        object_dir: config.data_dir.join("objects"),
        redis: redis.cloned(),
        ..CatalogConfig::default()
    };
    Catalog::with_config(db.clone(), files)
}

fn webhooks_of(
    config: &Config,
    db: &Db,
    lookup: &Arc<dyn TenantLookup>,
    clock: &Clock,
    master_key: MasterKey,
) -> Result<Webhooks> {
    let parts = webhooks::Parts {
        db: db.clone(),
        lookup: lookup.clone(),
        clock: clock.clone(),
        master_key,
        types: documents::message_types(),
        type_names: documents::message_type_names(),
    };
    Ok(Webhooks::new(parts, config.webhooks.clone())?)
}

impl App {
    /// Puts the parts together; asks no database yet.
    ///
    /// # Errors
    /// When the configuration cannot work.
    pub fn new(config: Config, installation: &Installation, clock: Clock) -> Result<Self> {
        Self::with_faults(config, installation, clock, Arc::new(()))
    }

    /// The same, with a checkout that breaks where `faults` says: for proofs.
    ///
    /// # Errors
    /// When the configuration cannot work.
    pub fn with_faults(
        config: Config,
        installation: &Installation,
        clock: Clock,
        faults: Arc<dyn Faults>,
    ) -> Result<Self> {
        let config = Arc::new(config);
        let db = installation.db.clone();
        let breakers = db.breakers().clone();
        let auditor = Auditor::new(config.audit, &config.data_dir);
        let redis = Redis::open(&config.redis, &breakers).map_err(anyhow::Error::msg)?;
        let master_key =
            MasterKey::load_or_create(&config.data_dir.join("master.key")).with_context(|| {
                format!("cannot read or make the master key in {}", config.data_dir.display())
            })?;
        let control = control_plane(&config, installation, &clock, master_key.clone())?;
        let lookup: Arc<dyn TenantLookup> = Arc::new(control.clone());
        let catalog = catalog_of(&config, &db, redis.as_ref());
        let inventory = Inventory::new(db.clone(), InventoryConfig::default());
        let sales = Sales::new(db.clone(), catalog.clone(), config.combiner());
        let webhooks = webhooks_of(&config, &db, &lookup, &clock, master_key.clone())?;
        let parts = payments::Parts { db: db.clone(), master_key, tenants: Arc::new(control.clone()) };
        let payments = Payments::new(config.payments.clone(), parts);
        let parts = checkout::Parts {
            db: db.clone(),
            clock: clock.clone(),
            catalog: catalog.clone(),
            sales: sales.clone(),
            payments: payments.clone(),
            combiner: config.combiner(),
            faults,
        };
        let checkouts = Checkouts::new(config.checkout.clone(), parts);
        let consumers = consumers(&webhooks);
        let carrying = RelayConfig {
            nats: config.messages.nats(),
            tally: Some(Arc::new(control.clone())),
            ..RelayConfig::default()
        };
        let relay = Relay::new(db.clone(), lookup.clone(), clock.clone(), consumers, carrying)?;
        let scheduled = jobs::all(&config, &control, &catalog, &payments, &checkouts);
        let jobs = Jobs::new(db.clone(), lookup, clock.clone(), scheduled, JobsConfig::default())?;
        let customers = Customers::new(db.clone(), control.clone(), belongings());
        let app = Self {
            control,
            catalog: catalog.clone(),
            inventory,
            customers,
            payments,
            carts: Carts::new(db.clone(), catalog.clone(), redis.clone(), config.combiner()),
            orders: Orders::new(db.clone(), Arc::new(checkouts.clone())),
            checkouts,
            reporting: Reporting::new(db.clone()),
            sales,
            webhooks,
            relay,
            jobs,
            invalidations: Invalidations::new(),
            auditor,
            redis,
            breakers,
            clock,
            db,
            config,
        };
        app.subscribe();
        Ok(app)
    }

    /// Tells the caches of this process what other processes change.
    fn subscribe(&self) {
        let sales = self.sales.cache().clone();
        self.invalidations.subscribe(move |_, stale| match stale {
            Stale::Key(key) => sales.forget_key(key),
            Stale::All => sales.clear(),
        });
        let orders = self.orders.cache().clone();
        self.invalidations.subscribe(move |_, stale| match stale {
            Stale::Key(key) => orders.forget_key(key),
            Stale::All => orders.clear(),
        });
        self.catalog.listen(&self.invalidations);
    }

    /// The first signing key, shards, jobs: what must be in the control database before serving.
    ///
    /// # Errors
    /// When the control database cannot be used.
    pub async fn prepare(&self) -> Result<()> {
        self.control.prepare().await?;
        self.jobs.register().await?;
        Ok(())
    }

    /// Begins the work in the background: caches listen, messages are carried, jobs run.
    pub fn start(&self) {
        self.control.listen(&self.invalidations);
        self.control.start();
        self.listen_to_databases();
        self.auditor.start(self.db.clone(), Arc::new(self.control.clone()), self.clock.clone());
        self.relay.start();
        self.webhooks.start();
        self.jobs.start();
    }

    /// Listens to every database of tenants for what other processes change, as databases come; closes pools that
    /// nobody uses.
    fn listen_to_databases(&self) {
        let app = self.clone();
        let mut ticks = tokio::time::interval(std::time::Duration::from_secs(10));
        tokio::spawn(async move {
            loop {
                ticks.tick().await;
                app.db.close_idle();
                match TenantLookup::list_databases(&app.control).await {
                    Ok(placements) => placements
                        .into_iter()
                        .for_each(|placement| app.invalidations.listen(&app.db, Source::Tenants(placement))),
                    Err(error) => tracing::warn!(error = %error, "databases cannot be listed"),
                }
            }
        });
    }

    /// Ends the work in the background.
    pub async fn stop(&self) {
        self.jobs.shutdown().await;
        self.checkouts.stop().await;
        self.relay.shutdown().await;
        self.webhooks.shutdown().await;
        self.auditor.stop().await;
        self.invalidations.close();
        self.control.stop().await;
    }

    /// The edge with this program's identity, tenants, security log and meter.
    #[must_use]
    pub fn edge(&self) -> Edge {
        let control = Arc::new(self.control.clone());
        let parts = EdgeParts {
            identity: control.clone(),
            registry: control.clone(),
            security: control.clone(),
            clock: self.clock.clone(),
            redis: self.redis.clone(),
            audit: Some(Arc::new(self.auditor.clone())),
            meter: Some(control),
        };
        Edge::with_parts(self.config.edge.clone(), parts)
    }

    /// Everything that is served, behind `edge`.
    ///
    /// # Errors
    /// When the declarations of routes contradict each other.
    pub fn router(&self, edge: &Edge, metrics: Option<Metrics>) -> Result<Router> {
        let metrics = metrics.map(|metrics| metrics.with(measures::all(self)));
        let health = Health::new(edge, health::checks(self), Some(health::tenant_check(self)), metrics);
        let mut routes = self.routes();
        routes.push(health.routes());
        let api = Api::new(routes)?;
        let permissions = api.access_table().into_iter().filter_map(|row| match row.access {
            edge::Access::Permission(permission) | edge::Access::Owned(permission, _) => {
                Some(permission.as_str())
            }
            _ => None,
        });
        let besides = [sales::problems::SALES_DISCOUNT, sales::problems::SALES_PRICE];
        self.control.know_permissions(permissions.chain(besides.map(kernel::Permission::as_str)));
        Ok(api.into_router(edge))
    }

    /// The API itself, for its documents.
    ///
    /// # Errors
    /// When the declarations of routes contradict each other.
    pub fn api(&self) -> Result<Api> {
        Ok(Api::new(self.routes())?)
    }

    fn routes(&self) -> Vec<Routes<()>> {
        let lookup: Arc<dyn TenantLookup> = Arc::new(self.control.clone());
        vec![
            control::routes(self.control.clone()),
            audit::routes(&self.db),
            catalog::routes(self.catalog.clone()),
            customers::routes(self.customers.clone()),
            inventory::routes(self.inventory.clone()),
            cart::routes(self.carts.clone()),
            orders::routes(self.orders.clone()),
            checkout::routes(self.checkouts.clone()),
            payments::routes(self.payments.clone()),
            sales::routes(self.sales.clone()),
            webhooks::routes(self.webhooks.clone()),
            reporting::routes(self.reporting.clone()),
            operations::dead_letters::routes(DeadLetters::new(self.db.clone(), lookup)),
            operations::jobs::routes(self.jobs.clone()),
        ]
    }
}

fn control_plane(
    config: &Config,
    installation: &Installation,
    clock: &Clock,
    master_key: MasterKey,
) -> Result<Control> {
    let databases =
        Databases { shards: installation.shards.clone(), template: config.database.names.template.clone() };
    let parts = Parts {
        db: installation.db.clone(),
        clock: clock.clone(),
        master_key,
        databases: Arc::new(databases),
        seeders: vec![Arc::new(TaxRates)],
        flags: flags::all(),
        facts: facts::all(),
    };
    let mut settings = config.control.clone();
    settings.shared_database = config.database.names.shared.clone();
    Ok(Control::new(settings, parts)?)
}

/// What moves along when a guest signs in, and when two customers turn out to be one.
struct Belongings;

impl Belongings {
    async fn pass_on(tx: &TenantTx, from: Buyer, to: Buyer) -> Result<(), DbError> {
        cart::merge_carts(tx, from, to).await?;
        checkout::move_checkouts(tx, from, to).await?;
        orders::move_orders(tx, from, to).await
    }
}

#[async_trait]
impl GuestMerge for Belongings {
    async fn merge(&self, tx: &TenantTx, guest: GuestId, customer: CustomerId) -> Result<(), DbError> {
        Self::pass_on(tx, Buyer::Guest(guest), Buyer::Customer(customer)).await
    }
}

#[async_trait]
impl CustomerMerge for Belongings {
    async fn merge(&self, tx: &TenantTx, from: CustomerId, into: CustomerId) -> Result<(), DbError> {
        Self::pass_on(tx, Buyer::Customer(from), Buyer::Customer(into)).await
    }
}

fn belongings() -> Hooks {
    Hooks { guests: vec![Arc::new(Belongings)], customers: vec![Arc::new(Belongings)] }
}

/// Who handles messages.
fn consumers(webhooks: &Webhooks) -> Vec<messages::Consumer> {
    let mut all = Vec::new();
    all.extend(catalog::consumers());
    all.push(webhooks.consumer());
    all
}

/// The jobs of `config`, for documents and the command line.
#[must_use]
pub fn job_names(jobs: &[Job]) -> Vec<&'static str> {
    jobs.iter().map(|job| job.name).collect()
}
