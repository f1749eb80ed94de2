//! Fresh databases per test, copied from templates that are migrated once per set of migrations.

use std::{collections::HashMap, sync::Arc};

use anyhow::Context as _;
use db::{
    DbConfig, Migrations, PoolLimits,
    migrate::{DatabaseSpec, Kind, bootstrap, create_database, drop_database, up},
};
use jiff::Timestamp;
use kernel::{
    Actor, Caller, Ctx, Currency, Flags, PermissionSet, Placement, Tenant, TenantId, TenantSettings,
    TenantStatus, Tier,
};
use resilience::Breakers;
use tokio_postgres::{Client, Config, NoTls};

use crate::{TestCluster, janitor};

/// The name of the one shard of a test.
pub const SHARD: &str = "main";
/// The lock on the maintenance database under which templates are made.
const TEMPLATE_TURN: i64 = 0x0074_6573_746B_6974;

/// A control database, a shared tenant database and the template for dedicated ones, of one test. Dropped at its end.
#[derive(Debug)]
pub struct TestDatabases {
    cluster: &'static TestCluster,
    /// The control database.
    pub control: String,
    /// The database that tenants share.
    pub shared: String,
    /// What dedicated databases are copied from. Shared by all tests: copy it, never connect to it.
    pub template: String,
    /// What the names of this test's databases begin with; whatever begins so is dropped at its end.
    pub prefix: String,
}

impl TestDatabases {
    /// Fresh, empty, migrated databases.
    ///
    /// # Errors
    /// When a migration fails, or the cluster has gone away.
    pub async fn create(tenant: &Migrations, control: &Migrations) -> anyhow::Result<Self> {
        let cluster = TestCluster::get();
        let tenant_template = template(cluster, tenant, Kind::Tenant).await.context("the tenant template")?;
        let control_template =
            template(cluster, control, Kind::Control).await.context("the control template")?;
        let random = uuid::Uuid::now_v7().simple().to_string();
        // Short: names of dedicated databases begin with it, and have room for 63 characters.
        let prefix = format!("t_{}_", &random[random.len() - 12..]);
        let databases = Self {
            cluster,
            control: format!("{prefix}control"),
            shared: format!("{prefix}shared"),
            template: tenant_template,
            prefix,
        };
        let admin = cluster.admin();
        let spec = |name, kind| DatabaseSpec { name, kind };
        let (control, shared) = tokio::join!(
            create_database(&admin, spec(&databases.control, Kind::Control), &control_template),
            create_database(&admin, spec(&databases.shared, Kind::Tenant), &databases.template),
        );
        control?;
        shared?;
        Ok(databases)
    }

    /// The cluster that they are in.
    #[must_use]
    pub fn cluster(&self) -> &'static TestCluster {
        self.cluster
    }

    /// What [`db::Db::new`] needs.
    #[must_use]
    pub fn config(&self) -> DbConfig {
        DbConfig {
            shards: HashMap::from([(Arc::from(SHARD), self.cluster.admin())]),
            control: self.cluster.admin(),
            control_database: self.control.as_str().into(),
            passwords: self.cluster.passwords().roles.clone(),
            limits: PoolLimits { tenant_max: 8, control_max: 4, ..PoolLimits::default() },
            breakers: Breakers::default(),
        }
    }

    /// The way in, as the program has it.
    ///
    /// # Errors
    /// When the configuration cannot make a pool.
    pub fn db(&self) -> anyhow::Result<db::Db> {
        Ok(db::Db::new(self.config())?)
    }

    /// The place in the shared database.
    #[must_use]
    pub fn shared_placement(&self) -> Placement {
        Placement { shard: SHARD.into(), database: self.shared.as_str().into(), dedicated: false }
    }

    /// An active merchant in the shared database, known to nobody but the test: no control plane involved.
    #[must_use]
    pub fn tenant(&self, slug: &str) -> Arc<Tenant> {
        Arc::new(Tenant {
            id: TenantId::new(),
            slug: slug.into(),
            name: slug.into(),
            tier: Tier::Standard,
            status: TenantStatus::Active,
            currency: Currency::EUR,
            settings: TenantSettings::default(),
            placement: self.shared_placement(),
            rate_limit: None,
            flags: Flags::default(),
            spending: kernel::Spending::default(),
        })
    }

    /// The context of somebody who may do everything as `tenant` at `now`.
    #[must_use]
    pub fn ctx(&self, tenant: &Arc<Tenant>, now: Timestamp) -> Ctx {
        let caller = Caller {
            actor: Actor::User("usr_test".into()),
            permissions: PermissionSet::new(["*"]),
            correlation_id: "test".into(),
            trace: None,
            now,
        };
        Ctx { tenant: tenant.clone(), caller }
    }

    /// A connection as superuser to the shared database, to look at what really is there.
    ///
    /// # Errors
    /// When the cluster has gone away.
    pub async fn look(&self) -> anyhow::Result<Client> {
        connect(&self.cluster.admin_of(&self.shared)).await
    }

    /// A connection as the application's role to the shared database, with no tenant set.
    ///
    /// # Errors
    /// When the cluster has gone away.
    pub async fn as_app(&self) -> anyhow::Result<Client> {
        use secrecy::ExposeSecret as _;
        let mut config = self.cluster.admin_of(&self.shared);
        config.user(db::APP_ROLE).password(self.cluster.passwords().roles.app.expose_secret());
        connect(&config).await
    }
}

impl Drop for TestDatabases {
    fn drop(&mut self) {
        janitor::drop_later(self.prefix.clone());
    }
}

/// Connects; the connection ends with the client.
///
/// # Errors
/// When nobody answers or the sign-in is refused.
pub async fn connect(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The name of the migrated template, made by whoever comes first, in whichever process.
async fn template(cluster: &TestCluster, migrations: &Migrations, kind: Kind) -> anyhow::Result<String> {
    let word = if kind == Kind::Control { "control" } else { "tenant" };
    let name = format!("template_{word}_{}", migrations.fingerprint());
    let admin = connect(&cluster.admin()).await?;
    if exists(&admin, &name).await? {
        return Ok(name);
    }
    // Ends with the connection.
    admin.execute("select pg_advisory_lock($1)", &[&TEMPLATE_TURN]).await?;
    if exists(&admin, &name).await? {
        return Ok(name);
    }
    // Under another name until it is complete: nobody copies half a template, nobody connects to a whole one.
    let draft = format!("{name}_draft");
    drop_database(&cluster.admin(), &draft).await?;
    bootstrap(&cluster.admin(), cluster.passwords(), &[DatabaseSpec { name: &draft, kind }]).await?;
    up(&cluster.owner_of(&draft), migrations).await?;
    admin.batch_execute(&format!("alter database {draft} rename to {name}")).await?;
    Ok(name)
}

async fn exists(admin: &Client, database: &str) -> anyhow::Result<bool> {
    let row =
        admin.query_one("select exists (select from pg_database where datname = $1)", &[&database]).await?;
    Ok(row.get(0))
}
