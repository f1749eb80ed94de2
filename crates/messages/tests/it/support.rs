//! A world of fresh databases, one or more tenants, a clock that stands still, and a consumer that leaves traces.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use anyhow::Context as _;
use async_trait::async_trait;
use db::{Db, DomainMigrations, Migration, Migrations, TenantTx};
use jiff::Timestamp;
use kernel::{Clock, Ctx, Currency, Flags, Placement, Tenant, TenantId, TenantSettings, TenantStatus, Tier};
use messages::{
    Consumer, ConsumerError, DeadLetters, Draft, LookupError, Message, NatsConfig, Relay, RelayConfig,
    RetryPolicy, TenantLookup, publish,
};
use serde_json::json;
use testkit::{NatsServer, TestDatabases, connect};
use tokio::sync::mpsc;

/// Where the consumers of these tests leave traces.
const PROBE: DomainMigrations = DomainMigrations {
    domain: "probe",
    steps: &[Migration {
        version: 1,
        name: "probe",
        sql: "create schema probe;
              create table probe.trace (
                  tenant_id uuid not null,
                  place bigint generated always as identity,
                  consumer text not null,
                  subject text not null,
                  n bigint not null,
                  primary key (tenant_id, place)
              );
              select db.protect('probe.trace');",
    }],
};

pub(crate) const START: &str = "2026-11-21T10:00:00Z";

pub(crate) struct World {
    pub(crate) databases: TestDatabases,
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) lookup: Arc<Lookup>,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) ctx: Ctx,
    /// Where NATS carries messages.
    pub(crate) nats: Option<Mutex<NatsServer>>,
}

/// What carries messages in a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bus {
    InProcess,
    Nats,
}

/// Makes two tests of each `async fn name(bus: Bus) -> anyhow::Result<()>`: one in process, one over NATS.
macro_rules! over_both_buses {
    ($($name:ident),+ $(,)?) => {
        mod in_process {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() -> anyhow::Result<()> {
                super::$name($crate::support::Bus::InProcess).await
            })+
        }
        mod over_nats {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() -> anyhow::Result<()> {
                super::$name($crate::support::Bus::Nats).await
            })+
        }
    };
}
pub(crate) use over_both_buses;

#[derive(Default)]
pub(crate) struct Lookup {
    tenants: Mutex<HashMap<TenantId, Arc<Tenant>>>,
}

impl Lookup {
    /// Knows one tenant, as another process does.
    pub(crate) fn of(id: TenantId, placement: &Placement) -> Self {
        let tenant = Tenant {
            id,
            slug: "acme".into(),
            name: "acme".into(),
            tier: Tier::Standard,
            status: TenantStatus::Active,
            currency: Currency::EUR,
            settings: TenantSettings::default(),
            placement: placement.clone(),
            rate_limit: None,
            flags: Flags::default(),
            spending: kernel::Spending::default(),
        };
        Self { tenants: Mutex::new(HashMap::from([(id, Arc::new(tenant))])) }
    }

    fn all(&self) -> Vec<Arc<Tenant>> {
        let mut tenants: Vec<_> = self.tenants.lock().unwrap().values().cloned().collect();
        tenants.sort_by_key(|tenant| tenant.id);
        tenants
    }
}

#[async_trait]
impl TenantLookup for Lookup {
    async fn find_tenant(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, LookupError> {
        Ok(self.tenants.lock().unwrap().get(&id).cloned())
    }

    async fn list_databases(&self) -> Result<Vec<Placement>, LookupError> {
        let mut placements: Vec<_> = self.all().iter().map(|tenant| tenant.placement.clone()).collect();
        placements.sort();
        placements.dedup();
        Ok(placements)
    }

    async fn list_tenants(
        &self,
        after: Option<TenantId>,
        limit: usize,
    ) -> Result<Vec<Arc<Tenant>>, LookupError> {
        let behind = |tenant: &Arc<Tenant>| after.is_none_or(|after| tenant.id > after);
        Ok(self.all().into_iter().filter(behind).take(limit).collect())
    }
}

impl World {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Self::over(Bus::InProcess).await
    }

    pub(crate) async fn over(bus: Bus) -> anyhow::Result<Self> {
        Self::at(bus, Clock::fake(START.parse()?)).await
    }

    pub(crate) async fn at(bus: Bus, clock: Clock) -> anyhow::Result<Self> {
        let nats = match bus {
            Bus::InProcess => None,
            Bus::Nats => Some(Mutex::new(NatsServer::start()?)),
        };
        let tenant = Migrations::tenant([messages::MIGRATIONS, PROBE]);
        let control = Migrations::control([messages::CONTROL_MIGRATIONS]);
        let databases = TestDatabases::create(&tenant, &control).await?;
        let db = databases.db()?;
        let lookup = Arc::new(Lookup::default());
        let tenant = databases.tenant("acme");
        let ctx = databases.ctx(&tenant, clock.now());
        let world = Self { databases, db, clock, lookup, tenant, ctx, nats };
        world.add_tenant(&world.tenant);
        Ok(world)
    }

    pub(crate) fn add_tenant(&self, tenant: &Arc<Tenant>) {
        self.lookup.tenants.lock().unwrap().insert(tenant.id, tenant.clone());
    }

    pub(crate) fn placement(&self) -> Placement {
        self.databases.shared_placement()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn relay(&self, consumers: Vec<Consumer>) -> Relay {
        self.relay_with(consumers, |_| {})
    }

    /// A relay that gives up after 3 tries and is woken only by what it is told: its sweep takes an hour.
    pub(crate) fn relay_with(
        &self,
        consumers: Vec<Consumer>,
        change: impl FnOnce(&mut RelayConfig),
    ) -> Relay {
        let retry = RetryPolicy { tries: 3, base: Duration::from_secs(10), cap: Duration::from_secs(60) };
        let hour = Duration::from_secs(3600);
        let mut config = RelayConfig { retry, sweep: hour, ..RelayConfig::default() };
        config.follow = Duration::from_millis(20);
        config.nats = self.nats.as_ref().map(|nats| nats_config(nats.lock().unwrap().url()));
        change(&mut config);
        Relay::new(self.db.clone(), self.lookup.clone(), self.clock.clone(), consumers, config).unwrap()
    }

    /// The NATS server, in a test that has one.
    pub(crate) fn nats(&self) -> MutexGuard<'_, NatsServer> {
        self.nats.as_ref().unwrap().lock().unwrap()
    }

    pub(crate) fn dead_letters(&self) -> DeadLetters {
        DeadLetters::new(self.db.clone(), self.lookup.clone())
    }

    /// Publishes `Counted` with number `n` about `subject` in a transaction of its own.
    pub(crate) async fn publish(&self, subject: &str, n: i64) -> anyhow::Result<()> {
        let tx = self.db.begin(&self.ctx).await?;
        publish(&tx, &[counted(subject, n)]).await?;
        Ok(tx.commit().await?)
    }

    /// The numbers that `consumer` traced for `subject`, in the order of their transactions' writes.
    pub(crate) async fn traces(&self, consumer: &str, subject: &str) -> anyhow::Result<Vec<i64>> {
        let rows = self
            .databases
            .look()
            .await?
            .query(
                "select n from probe.trace where consumer = $1 and subject = $2 order by place",
                &[&consumer, &subject],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// The one number that `sql` asks for, seen as superuser.
    pub(crate) async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        Ok(self.databases.look().await?.query_one(sql, &[]).await?.get(0))
    }

    /// Ends server processes of this world's shared database whose application name is `name`.
    pub(crate) async fn kill_sessions(&self, name: &str) -> anyhow::Result<i64> {
        let admin = connect(&self.databases.cluster().admin()).await?;
        let row = admin
            .query_one(
                "select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity
                 where datname = $1 and application_name = $2",
                &[&self.databases.shared, &name],
            )
            .await?;
        Ok(row.get(0))
    }

    /// No invariant is broken.
    pub(crate) async fn check(&self) -> anyhow::Result<()> {
        let tx = self.db.begin_read(&self.ctx).await?;
        let found = messages::invariants(&tx).await?;
        assert_eq!(found, []);
        let found = messages::database_invariants(&self.db, &self.placement(), self.now()).await?;
        assert_eq!(found, []);
        Ok(())
    }
}

/// Reaches the server at `url`; what a dead process held is handled by another one after a second.
pub(crate) fn nats_config(url: String) -> NatsConfig {
    NatsConfig { url, ack_wait: Duration::from_secs(1), ..NatsConfig::default() }
}

pub(crate) fn counted(subject: &str, n: i64) -> Draft {
    Draft::new("Counted", subject, &json!({ "n": n }))
}

pub(crate) fn n_of(message: &Message) -> Result<i64, ConsumerError> {
    #[derive(serde::Deserialize)]
    struct Counted {
        n: i64,
    }
    Ok(message.data::<Counted>()?.n)
}

/// Writes a trace: the effect that must happen exactly once.
pub(crate) async fn trace(tx: &TenantTx, consumer: &str, message: &Message) -> Result<(), ConsumerError> {
    let n = n_of(message)?;
    tx.execute(
        "insert into probe.trace (tenant_id, consumer, subject, n) values ($1, $2, $3, $4)",
        &[&message.tenant, &consumer, &&*message.subject, &n],
    )
    .await?;
    Ok(())
}

/// A consumer of `Counted` that only writes traces.
pub(crate) fn tracer(name: &'static str) -> Consumer {
    Consumer::new(name, &["Counted"], move |_, tx, message| Box::pin(trace(tx, name, message)))
}

/// A consumer that writes traces and tells each number it handles, before its transaction ends.
pub(crate) fn teller(name: &'static str) -> (Consumer, mpsc::UnboundedReceiver<i64>) {
    let (told, heard) = mpsc::unbounded_channel();
    let consumer = Consumer::new(name, &["Counted"], move |_, tx, message| {
        let told = told.clone();
        Box::pin(async move {
            trace(tx, name, message).await?;
            let _ = told.send(n_of(message)?);
            Ok(())
        })
    });
    (consumer, heard)
}

/// The next thing told, or an error when it does not come within a generous time.
pub(crate) async fn next<T>(heard: &mut mpsc::UnboundedReceiver<T>) -> anyhow::Result<T> {
    let waited = tokio::time::timeout(Duration::from_secs(30), heard.recv()).await;
    waited.context("nothing was told in 30 s")?.context("nobody tells any more")
}
