//! The whole program in the test's process, on fresh databases, with a clock that stands still.

use std::{
    collections::HashMap, fs, net::SocketAddr, os::unix::fs::PermissionsExt as _, sync::Arc, time::Duration,
};

use anyhow::{Context as _, anyhow};
use control::{CreateTenant, OperatorToken, create_tenant, sign_operator_token};
use db::Source;
use edge::{Registry as _, serve::ServeConfig};
use kernel::{Actor, Caller, Clock, Ctx, Currency, PermissionSet, Tenant, TenantSettings, Tier};
use secrecy::ExposeSecret as _;
use server::{
    config::Config,
    installation::{Installation, control_migrations, tenant_migrations},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{Client, SHARD, TestDatabases, unlimited};

/// When the clock of an [`App`] stands at its start.
const START: &str = "2026-11-21T10:00:00Z";
/// How long tokens of a test live, by the test's clock.
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Markethall as it is served, on an address of its own.
///
/// Consumers and jobs run when the test says so ([`App::drain`]), not by themselves.
pub struct App {
    /// Its databases.
    pub databases: TestDatabases,
    /// Its parts, to call use cases without HTTP.
    pub parts: server::app::App,
    /// Stands still until the test moves it.
    pub clock: Clock,
    /// Where it is served.
    pub address: SocketAddr,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
    _data: TempDir,
}

impl App {
    /// Starts it as it is configured by default.
    ///
    /// # Errors
    /// Whatever keeps the program from starting.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(|_| {}).await
    }

    /// Starts it with another configuration; data folder, databases and address are the test's.
    ///
    /// # Errors
    /// Whatever keeps the program from starting.
    pub async fn start_with(configure: impl FnOnce(&mut Config)) -> anyhow::Result<Self> {
        Self::start_with_faults(configure, Arc::new(())).await
    }

    /// Starts it with a checkout that breaks where `faults` says.
    ///
    /// # Errors
    /// Whatever keeps the program from starting.
    pub async fn start_with_faults(
        configure: impl FnOnce(&mut Config),
        faults: Arc<dyn checkout::Faults>,
    ) -> anyhow::Result<Self> {
        let databases = TestDatabases::create(&tenant_migrations(), &control_migrations()).await?;
        let data = tempfile::tempdir()?;
        let mut config = Config { edge: unlimited(), ..Config::default() };
        configure(&mut config);
        point_at(&mut config, &databases, &data)?;
        let clock = Clock::fake(START.parse()?);
        let installation = Installation::open(&config).await?;
        let parts = server::app::App::with_faults(config, &installation, clock.clone(), faults)?;
        parts.prepare().await?;
        // Caches hear of changes as in production; messages and jobs wait for the test.
        parts.control.listen(&parts.invalidations);
        parts.invalidations.listen(&parts.db, Source::Tenants(databases.shared_placement()));

        let edge = parts.edge();
        let router = parts.router(&edge, None)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            // The sender going away is the end of the test, which stops it too.
            let stopped = async { drop(stopped.await) };
            edge::serve::serve(listener, router, &edge, &ServeConfig::default(), stopped).await;
        });
        let http = reqwest::Client::builder().no_proxy().build()?;
        let (stop, served) = (Some(stop), Some(served));
        Ok(Self { databases, parts, clock, address, http, stop, served, _data: data })
    }

    /// Opens a merchant in the shared database, as the operator does.
    ///
    /// # Errors
    /// When it cannot be provisioned.
    pub async fn add_tenant(&self, slug: &str) -> anyhow::Result<Arc<Tenant>> {
        self.add_tenant_as(slug, |_| {}).await
    }

    /// Opens a merchant of another tier, currency or placement.
    ///
    /// # Errors
    /// When it cannot be provisioned.
    pub async fn add_tenant_as(
        &self,
        slug: &str,
        adjust: impl FnOnce(&mut CreateTenant),
    ) -> anyhow::Result<Arc<Tenant>> {
        let mut wanted = CreateTenant {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            tier: Tier::Standard,
            currency: Currency::EUR,
            settings: TenantSettings::default(),
            placement: None,
            region: String::new(),
            shard: None,
            admin_email: format!("admin@{slug}.example"),
            admin_password: None,
        };
        adjust(&mut wanted);
        let caller = Caller {
            actor: Actor::Operator,
            permissions: PermissionSet::new(["platform:*"]),
            correlation_id: "test".into(),
            trace: None,
            now: self.clock.now(),
        };
        create_tenant(&self.parts.control, &caller, wanted).await?;
        self.tenant(slug).await
    }

    /// The merchant `slug` as requests see it.
    ///
    /// # Errors
    /// When there is none.
    pub async fn tenant(&self, slug: &str) -> anyhow::Result<Arc<Tenant>> {
        let found = self.parts.control.find_tenant(slug).await?;
        found.ok_or_else(|| anyhow!("there is no merchant {slug}"))
    }

    /// The context of somebody who may do everything as the merchant `slug`, now.
    ///
    /// # Errors
    /// When there is none of that slug.
    pub async fn ctx(&self, slug: &str) -> anyhow::Result<Ctx> {
        Ok(self.databases.ctx(&self.tenant(slug).await?, self.clock.now()))
    }

    /// Somebody of the merchant `slug` with these permissions.
    ///
    /// # Errors
    /// When there is no such merchant.
    pub async fn member(&self, slug: &str, permissions: &[&str]) -> anyhow::Result<Client> {
        let tenant = self.tenant(slug).await?.id;
        Ok(self.stranger().with_tenant(slug).with_token(&self.token(Some(tenant), permissions).await?))
    }

    /// A guest of the merchant `slug`, who buys without an account.
    ///
    /// # Errors
    /// When there is no such merchant.
    pub async fn guest(&self, slug: &str) -> anyhow::Result<Client> {
        self.visitor(slug, &customers::GuestId::new().to_string()).await
    }

    /// A customer (`cus_..`) or guest (`gst_..`) of the merchant `slug`, signed in.
    ///
    /// # Errors
    /// When there is no such merchant.
    pub async fn visitor(&self, slug: &str, id: &str) -> anyhow::Result<Client> {
        let tenant = self.tenant(slug).await?.id;
        let token =
            control::sign_visitor_token(&self.parts.control, tenant, id, TOKEN_LIFE, self.clock.now())?;
        Ok(self.stranger().with_tenant(slug).with_token(&token))
    }

    /// The operator of the platform with these permissions.
    ///
    /// # Errors
    /// When no token can be signed.
    pub async fn operator(&self, permissions: &[&str]) -> anyhow::Result<Client> {
        Ok(self.stranger().with_token(&self.token(None, permissions).await?))
    }

    /// Somebody without a token.
    #[must_use]
    pub fn stranger(&self) -> Client {
        Client::of_server(self.http.clone(), self.address)
    }

    /// A bearer token.
    ///
    /// # Errors
    /// When none can be signed.
    pub async fn token(
        &self,
        tenant: Option<kernel::TenantId>,
        permissions: &[&str],
    ) -> anyhow::Result<String> {
        let permissions = PermissionSet::new(permissions.iter().copied());
        let wanted = OperatorToken { tenant, role: None, permissions, ttl: TOKEN_LIFE };
        Ok(sign_operator_token(&self.parts.control, wanted, self.clock.now()).await?)
    }

    /// Carries all messages and runs all jobs that are due by the test's clock, until nothing is left to do.
    ///
    /// # Errors
    /// When databases cannot be used, or a job fails.
    pub async fn drain(&self) -> anyhow::Result<()> {
        loop {
            let handled = self.parts.relay.drain().await.context("carrying messages")?;
            let runs = self.parts.jobs.run_due(self.clock.now()).await.context("running jobs")?;
            if handled == 0 && runs.is_empty() {
                return Ok(());
            }
        }
    }

    /// Ends it in order, as SIGTERM does: what is in flight is finished.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(served) = self.served.take() {
            // A server that panicked has ended as well.
            let _ = served.await;
        }
        self.parts.stop().await;
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Uses the test's cluster as any foreign PostgreSQL is used: by URL.
fn point_at(config: &mut Config, databases: &TestDatabases, data: &TempDir) -> anyhow::Result<()> {
    let cluster = databases.cluster();
    config.data_dir = data.path().to_owned();
    config.database.url = Some(cluster.admin_url()?.into());
    config.database.shard = SHARD.to_owned();
    config.database.names.control.clone_from(&databases.control);
    config.database.names.shared.clone_from(&databases.shared);
    config.database.names.template.clone_from(&databases.template);
    config.database.tenant_connections = config.database.tenant_connections.min(8);
    config.database.control_connections = config.database.control_connections.min(4);
    config.control.dedicated_prefix.clone_from(&databases.prefix);
    for shard in &mut config.control.shards {
        SHARD.clone_into(&mut shard.name);
    }
    let passwords = cluster.passwords();
    let stored = HashMap::from([
        ("owner", passwords.owner.expose_secret()),
        ("app", passwords.roles.app.expose_secret()),
        ("relay", passwords.roles.relay.expose_secret()),
        ("control", passwords.roles.control.expose_secret()),
    ]);
    let lines: String = stored.iter().map(|(role, password)| format!("{role} = \"{password}\"\n")).collect();
    let path = data.path().join("database-passwords.toml");
    fs::write(&path, lines)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(())
}
