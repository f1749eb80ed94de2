//! Connections: one bounded pool per database and role. Nobody outside this crate sees a raw connection.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType, Timeouts,
};
use kernel::{Ctx, Placement};
use resilience::{Breaker, Breakers, Guarded, Probe, State};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::error::SqlState;

use crate::{
    ConnectionConfig, ControlTx, DbError, TenantTx, TierShares, connection::Connector, counts, pools::Pools,
    shares::Shares, tx::Mode,
};

/// The database that holds the control plane, in the cluster that the control plane is configured to use.
pub const CONTROL_DATABASE: &str = "markethall_control";
/// The database that tenants share, in each cluster.
pub const SHARED_DATABASE: &str = "markethall_shared";
/// The role that serves requests on tenant databases: owns nothing, bypasses nothing.
pub const APP_ROLE: &str = "markethall_app";
/// The role that carries messages between tenants' outboxes and consumers.
pub const RELAY_ROLE: &str = "markethall_relay";
/// The role of the control plane on the control database.
pub const CONTROL_ROLE: &str = "markethall_control";

/// The passwords of the roles that the program signs in with; the same on every cluster of an installation.
#[derive(Clone)]
pub struct RolePasswords {
    /// Of [`APP_ROLE`].
    pub app: SecretString,
    /// Of [`RELAY_ROLE`].
    pub relay: SecretString,
    /// Of [`CONTROL_ROLE`].
    pub control: SecretString,
}

/// How many connections are kept and how long a caller waits for one.
#[derive(Debug, Clone, Copy)]
pub struct PoolLimits {
    /// Connections per tenant database.
    pub tenant_max: usize,
    /// Connections to the control database.
    pub control_max: usize,
    /// How long a caller waits for a free or new connection.
    pub wait: Duration,
    /// Of the connections to a shared database, how many one tenant may hold at once.
    pub shares: TierShares,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self { tenant_max: 16, control_max: 8, wait: Duration::from_secs(3), shares: TierShares::default() }
    }
}

/// Where clusters are and how to sign in.
#[derive(Clone)]
pub struct DbConfig {
    /// By shard name: host, port and TLS of a cluster; user, password and database are filled in per pool.
    pub shards: HashMap<Arc<str>, ConnectionConfig>,
    /// The cluster that holds the control database.
    pub control: ConnectionConfig,
    /// The control database's name; [`CONTROL_DATABASE`] except in tests.
    pub control_database: Arc<str>,
    /// How to sign in.
    pub passwords: RolePasswords,
    /// Sizes and waits.
    pub limits: PoolLimits,
    /// Where the breakers around the databases are, and by which figures they go.
    pub breakers: Breakers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Profile {
    /// Requests: plans as PostgreSQL sees fit.
    General,
    /// Set-based hot statements: always the generic plan.
    Hot,
    /// Carrying messages.
    Relay,
}

pub(crate) type PoolKey = (Arc<str>, Arc<str>, Profile);

struct Inner {
    config: DbConfig,
    control: Pool,
    pools: Pools,
    shares: Shares,
    /// By shard; each is made with the first pool, where its probe asks.
    of_shards: HashMap<Arc<str>, OnceLock<Breaker>>,
    of_control: OnceLock<Breaker>,
}

/// The only door to databases. Cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

impl Db {
    /// Prepares pools; connects only when the first connection is asked for.
    ///
    /// # Errors
    /// [`DbError::Other`] when the configuration cannot make a pool.
    pub fn new(config: DbConfig) -> Result<Self, DbError> {
        counts::register();
        let mut control = config.control.clone();
        control
            .user(CONTROL_ROLE)
            .password(config.passwords.control.expose_secret())
            .dbname(&*config.control_database);
        let control = build(control, "", config.limits.control_max, config.limits.wait)?;
        let shares = Shares::new(config.limits.shares, config.limits.tenant_max, config.limits.wait);
        let pools = Pools::default();
        let of_shards = config.shards.keys().map(|name| (name.clone(), OnceLock::new())).collect();
        let of_control = OnceLock::new();
        Ok(Self(Arc::new(Inner { config, control, pools, shares, of_shards, of_control })))
    }

    /// The breakers around the databases, to which the process may add its others.
    #[must_use]
    pub fn breakers(&self) -> &Breakers {
        &self.0.config.breakers
    }

    /// Starts a transaction on the data of `ctx`'s tenant; `BEGIN` and the tenant travel with its first statement.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when no connection can be had in time.
    pub async fn begin(&self, ctx: &Ctx) -> Result<TenantTx, DbError> {
        self.begin_as(ctx, Mode::Write).await
    }

    /// Starts a read-only transaction on the data of `ctx`'s tenant.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when no connection can be had in time.
    pub async fn begin_read(&self, ctx: &Ctx) -> Result<TenantTx, DbError> {
        self.begin_as(ctx, Mode::Read).await
    }

    /// Starts a read-only transaction that sees one state of the database throughout: for reports whose figures come
    /// from several statements.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when no connection can be had in time.
    pub async fn begin_report(&self, ctx: &Ctx) -> Result<TenantTx, DbError> {
        self.begin_as(ctx, Mode::Report).await
    }

    /// Like [`Self::begin_report`], for proofs over everything there is, which may take half an hour.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when no connection can be had in time.
    pub async fn begin_snapshot(&self, ctx: &Ctx) -> Result<TenantTx, DbError> {
        self.begin_as(ctx, Mode::Snapshot).await
    }

    async fn begin_as(&self, ctx: &Ctx, mode: Mode) -> Result<TenantTx, DbError> {
        let placement = &ctx.tenant.placement;
        let share = self.0.shares.take(&ctx.tenant).await?;
        let conn = self.connection(placement, Profile::General).await?;
        Ok(TenantTx::new(conn, ctx.clone(), mode, share))
    }

    /// Starts a transaction on the control database.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when no connection can be had in time.
    pub async fn control(&self) -> Result<ControlTx, DbError> {
        let pool = &self.0.control;
        Ok(ControlTx::new(lend(self.control_breaker(), pool).await?))
    }

    /// Whether the control database is taken to be away, so that nobody waits for it.
    #[must_use]
    pub fn is_control_away(&self) -> bool {
        self.control_breaker().state() == State::Open
    }

    fn control_breaker(&self) -> &Breaker {
        let make = || self.breakers().of_lookups("control-database", probe(&self.0.control));
        self.0.of_control.get_or_init(make)
    }

    /// A connection for set-based work over several tenants of one database; see [`crate::combiner`].
    pub(crate) async fn hot(&self, placement: &Placement) -> Result<Object, DbError> {
        self.connection(placement, Profile::Hot).await
    }

    /// Settings to connect to `placement` as the relay role, for sessions that outlive a pool's loan.
    ///
    /// # Errors
    /// [`DbError::Other`] on an unknown shard.
    pub fn relay_config(&self, placement: &Placement) -> Result<ConnectionConfig, DbError> {
        self.config_for(placement, Profile::Relay)
    }

    /// Settings to connect to the control database, for sessions that outlive a pool's loan (listening).
    #[must_use]
    pub fn control_config(&self) -> ConnectionConfig {
        let config = &self.0.config;
        let mut control = config.control.clone();
        control
            .user(CONTROL_ROLE)
            .password(config.passwords.control.expose_secret())
            .dbname(&*config.control_database);
        control
    }

    /// The names of all configured shards, sorted.
    #[must_use]
    pub fn shard_names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.0.config.shards.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Forgets the pools of a database that is going away; their connections close when returned.
    pub fn forget(&self, placement: &Placement) {
        self.0
            .pools
            .close(|(shard, database, _)| *shard == placement.shard && *database == placement.database);
    }

    /// Closes what nobody has used for an hour; to be called now and then.
    pub fn close_idle(&self) {
        self.0.pools.close_idle();
    }

    /// Closes all pools, before a cluster that this process stops goes away; nothing can be begun afterwards.
    pub fn close(&self) {
        self.0.control.close();
        self.0.pools.close(|_| true);
    }

    /// `(name, connections in use, connections open, most)` of each pool, for metrics and health.
    #[must_use]
    pub fn pool_status(&self) -> Vec<(String, usize, usize, usize)> {
        let row = |name: String, pool: &Pool| {
            let status = pool.status();
            (name, status.size.saturating_sub(status.available), status.size, status.max_size)
        };
        let mut rows = vec![row("control".to_owned(), &self.0.control)];
        rows.extend(self.0.pools.all().iter().map(|((shard, database, profile), pool)| {
            let kind = if *profile == Profile::Hot { "/hot" } else { "" };
            row(format!("{shard}/{database}{kind}"), pool)
        }));
        rows
    }

    async fn connection(&self, placement: &Placement, profile: Profile) -> Result<Object, DbError> {
        let key = (placement.shard.clone(), placement.database.clone(), profile);
        let make = || self.make(placement, profile);
        let pool = self.0.pools.get_or_open(key, placement.dedicated, make)?;
        match self.0.of_shards.get(&placement.shard) {
            Some(breaker) => {
                let breaker = breaker.get_or_init(|| self.breaker(&placement.shard, &pool));
                lend(breaker, &pool).await
            }
            None => Ok(pool.get().await?),
        }
    }

    fn breaker(&self, shard: &str, pool: &Pool) -> Breaker {
        self.breakers().of(&format!("database:{shard}"), probe(pool))
    }

    fn make(&self, placement: &Placement, profile: Profile) -> Result<Pool, DbError> {
        let options = match profile {
            // A batch of many waits for nobody's locks; who has the patience says so (see `BatchTx`). Plans are made
            // once and go by index: one made while a table was empty must do when it is full.
            Profile::Hot => {
                "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off \
                 -c lock_timeout=200ms"
            }
            // A tenant's rows are found by index, never by reading everybody's (docs/adr/0028-plans-for-any-tenant.md).
            Profile::General => "-c enable_seqscan=off",
            Profile::Relay => "",
        };
        let limits = self.0.config.limits;
        build(self.config_for(placement, profile)?, options, limits.tenant_max, limits.wait)
    }

    fn config_for(&self, placement: &Placement, profile: Profile) -> Result<ConnectionConfig, DbError> {
        let config = &self.0.config;
        let shard = config
            .shards
            .get(&placement.shard)
            .ok_or_else(|| DbError::Other(format!("unknown shard {}", placement.shard)))?;
        let (role, password) = match profile {
            Profile::General | Profile::Hot => (APP_ROLE, &config.passwords.app),
            Profile::Relay => (RELAY_ROLE, &config.passwords.relay),
        };
        let mut shard = shard.clone();
        shard.user(role).password(password.expose_secret()).dbname(&*placement.database);
        Ok(shard)
    }
}

/// A connection of `pool`, unless its cluster was away a moment ago.
async fn lend(breaker: &Breaker, pool: &Pool) -> Result<Object, DbError> {
    match breaker.run(is_away, pool.get()).await {
        Ok(connection) => Ok(connection),
        Err(Guarded::Failed(error)) => Err(error.into()),
        Err(Guarded::Open(open)) => Err(DbError::Unavailable(open.to_string())),
    }
}

/// A pool whose connections are all in use says nothing about its cluster, and one that has no connection to spare is there.
fn is_away(error: &PoolError) -> bool {
    match error {
        PoolError::Timeout(TimeoutType::Wait) | PoolError::Closed => false,
        PoolError::Backend(error) => error.code() != Some(&SqlState::TOO_MANY_CONNECTIONS),
        _ => true,
    }
}

fn probe(pool: &Pool) -> Probe {
    let pool = pool.clone();
    Arc::new(move || Box::pin(answers(pool.clone())))
}

async fn answers(pool: Pool) -> bool {
    match pool.get().await {
        Ok(connection) => connection.simple_query("").await.is_ok(),
        Err(error) => !is_away(&error),
    }
}

fn build(mut config: ConnectionConfig, options: &str, max: usize, wait: Duration) -> Result<Pool, DbError> {
    // A server that vanished is given up soon: within what its silence may last, not after TCP's quarter of an hour.
    config
        .keepalives_idle(Duration::from_secs(10))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_secs(15));
    config.application_name("markethall").connect_timeout(wait).options(format!(
        "-c jit=off -c statement_timeout=30s -c lock_timeout=5s \
         -c idle_in_transaction_session_timeout=60s -c timezone=UTC {options}"
    ));
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_connect((*config).clone(), Connector(config), recycling);
    Pool::builder(manager)
        .max_size(max)
        .timeouts(Timeouts { wait: Some(wait), create: Some(wait), recycle: Some(wait) })
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| DbError::Other(error.to_string()))
}
