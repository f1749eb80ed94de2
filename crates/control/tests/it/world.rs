//! A control plane over fresh databases, behind the real gate; shards, steps and clocks bend to the test's will.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use control::{
    Control, ControlConfig, MasterKey, OperatorToken, Parts, Purpose, Seeder, ShardConfig, TenantDatabases,
    sign_operator_token,
    usage::{BillableFacts, Fact},
};
use db::{Db, DbError, Invalidations, TenantTx, migrate::MigrateError};
use edge::{Api, Edge, EdgeParts};
use jiff::civil::date;
use kernel::{Clock, Flag, PermissionSet, Placement, TenantId, Timestamp};
use serde_json::{Value, json};
use testkit::{Answer, Client, SHARD, TestCluster, TestDatabases, unlimited};
use uuid::Uuid;

/// When the clock stands at the start of every test.
pub(crate) const START: &str = "2026-11-21T10:00:00Z";
/// A password good enough for every account of every test.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A switch that is on until somebody decides otherwise.
pub(crate) const OLD_THING: Flag = Flag {
    name: "old-thing",
    about: "A thing that has always been there.",
    owner: "control",
    expires: date(2027, 11, 30),
    default_on: true,
};
/// A switch that is off until somebody decides otherwise, and that should be gone by now.
pub(crate) const NEW_THING: Flag =
    Flag { name: "new-thing", expires: date(2026, 1, 31), default_on: false, ..OLD_THING };
const FLAGS: [Flag; 2] = [OLD_THING, NEW_THING];

/// Fails a number of times, then works.
#[derive(Debug, Default)]
pub(crate) struct Failing(AtomicUsize);

impl Failing {
    pub(crate) fn next(&self, times: usize) {
        self.0.store(times, Ordering::SeqCst);
    }

    fn fails(&self) -> bool {
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

/// Steps of provisioning that a test makes fail, and how often each was run.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    pub(crate) create: Failing,
    pub(crate) migrate: Failing,
    pub(crate) seed: Failing,
    pub(crate) seeded: AtomicUsize,
}

struct Databases {
    template: String,
    steps: Arc<Steps>,
}

fn broken(action: &str) -> MigrateError {
    MigrateError::Setup { action: action.to_owned(), reason: "the test wants it".to_owned() }
}

#[async_trait]
impl TenantDatabases for Databases {
    async fn create(&self, placement: &Placement) -> Result<(), MigrateError> {
        if self.steps.create.fails() {
            return Err(broken("cannot create"));
        }
        let admin = TestCluster::get().admin();
        db::migrate::create_tenant_database(&admin, &placement.database, &self.template).await
    }

    async fn migrate(&self, placement: &Placement) -> Result<(), MigrateError> {
        if self.steps.migrate.fails() {
            return Err(broken("cannot migrate"));
        }
        let owner = TestCluster::get().owner_of(&placement.database);
        db::migrate::up(&owner, &tenant_migrations()).await.map(drop)
    }
}

struct Seed(Arc<Steps>);

#[async_trait]
impl Seeder for Seed {
    fn name(&self) -> &'static str {
        "the test's"
    }

    async fn seed(&self, tx: &mut TenantTx) -> Result<(), DbError> {
        tx.query("select current_setting('app.tenant_id')", &[]).await?;
        if self.0.seed.fails() {
            return Err(DbError::Other("the test wants it".to_owned()));
        }
        self.0.seeded.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Facts of kind `sale`, written by the test.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) sales: Mutex<Vec<(TenantId, Timestamp, Uuid)>>,
    /// Cannot be read while set.
    pub(crate) closed: AtomicBool,
}

impl Books {
    pub(crate) fn write(&self, tenant: TenantId, at: &str, times: usize) {
        let sale = |_| (tenant, at.parse().unwrap(), Uuid::now_v7());
        self.sales.lock().unwrap().extend((0..times).map(sale));
    }

    fn between(
        &self,
        tx: &TenantTx,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(Timestamp, Uuid)>, DbError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(DbError::Unavailable("the test wants it".to_owned()));
        }
        let sales = self.sales.lock().unwrap();
        let here =
            sales.iter().filter(|(tenant, at, _)| *tenant == tx.tenant_id() && *at >= from && *at < until);
        let mut here: Vec<_> = here.map(|(_, at, id)| (*at, *id)).collect();
        here.sort_unstable();
        Ok(here)
    }
}

#[async_trait]
impl BillableFacts for Books {
    fn kind(&self) -> &'static str {
        "sale"
    }

    async fn count(
        &self,
        tx: &TenantTx,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(String, i64)>, DbError> {
        let mut days = BTreeMap::<String, i64>::new();
        for (at, _) in self.between(tx, from, until)? {
            *days.entry(at.to_string()[..10].to_owned()).or_default() += 1;
        }
        Ok(days.into_iter().collect())
    }

    async fn list(
        &self,
        tx: &TenantTx,
        from: Timestamp,
        until: Timestamp,
        after: Option<(Timestamp, Uuid)>,
        limit: i64,
    ) -> Result<Vec<Fact>, DbError> {
        let found = self.between(tx, from, until)?;
        let rest = found.into_iter().filter(|key| Some(*key) > after).take(usize::try_from(limit).unwrap());
        let fact =
            |(at, key): (Timestamp, Uuid)| Fact { id: key.to_string(), reference: "R1".to_owned(), at, key };
        Ok(rest.map(fact).collect())
    }
}

fn tenant_migrations() -> db::Migrations {
    db::Migrations::tenant([])
}

pub(crate) struct World {
    pub(crate) databases: TestDatabases,
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) control: Control,
    pub(crate) steps: Arc<Steps>,
    pub(crate) books: Arc<Books>,
    pub(crate) config: ControlConfig,
    api: axum::Router,
    invalidations: Invalidations,
}

/// Shards of a test, all of them the one cluster under several names.
pub(crate) fn shard(name: &str, weight: i32) -> ShardConfig {
    ShardConfig {
        name: name.to_owned(),
        region: String::new(),
        weight,
        purpose: Purpose::Any,
        draining: false,
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut ControlConfig)) -> Self {
        Self::start_at_with(START.parse().unwrap(), change).await
    }

    /// With the clock standing at `start`, for parts that go by the real one.
    pub(crate) async fn start_at(start: kernel::Timestamp) -> Self {
        Self::start_at_with(start, |_| {}).await
    }

    async fn start_at_with(start: kernel::Timestamp, change: impl FnOnce(&mut ControlConfig)) -> Self {
        let control_migrations = db::Migrations::control([control::MIGRATIONS, messages::CONTROL_MIGRATIONS]);
        let databases = TestDatabases::create(&tenant_migrations(), &control_migrations).await.unwrap();
        let mut config = ControlConfig {
            issuer: "https://markethall.test".to_owned(),
            shared_database: databases.shared.clone(),
            dedicated_prefix: format!("{}_", databases.prefix),
            shards: vec![shard(SHARD, 1)],
            ..ControlConfig::default()
        };
        change(&mut config);
        let clock = Clock::fake(start);
        Self::over(databases, clock, config).await
    }

    async fn over(databases: TestDatabases, clock: Clock, config: ControlConfig) -> Self {
        let mut settings = databases.config();
        let cluster = settings.control.clone();
        settings.shards = config
            .shards
            .iter()
            .map(|shard| (Arc::from(&*shard.name), cluster.clone()))
            .collect::<HashMap<_, _>>();
        let db = Db::new(settings).unwrap();
        let steps = Arc::new(Steps::default());
        let books = Arc::new(Books::default());
        let parts = Parts {
            db: db.clone(),
            clock: clock.clone(),
            master_key: MasterKey::new(&[42; 32]).unwrap(),
            databases: Arc::new(Databases { template: databases.template.clone(), steps: steps.clone() }),
            seeders: vec![Arc::new(Seed(steps.clone()))],
            flags: FLAGS.to_vec(),
            facts: vec![books.clone()],
        };
        let control = Control::new(config.clone(), parts).unwrap();
        control.prepare().await.unwrap();
        let invalidations = Invalidations::new();
        let api = api(&control, &clock);
        Self { databases, db, clock, control, steps, books, config, api, invalidations }
    }

    /// What another process over the same databases is made of.
    pub(crate) fn parts(&self) -> Parts {
        Parts {
            db: Db::new(self.databases.config()).unwrap(),
            clock: self.clock.clone(),
            master_key: MasterKey::new(&[42; 32]).unwrap(),
            databases: Arc::new(Databases {
                template: self.databases.template.clone(),
                steps: self.steps.clone(),
            }),
            seeders: Vec::new(),
            flags: FLAGS.to_vec(),
            facts: vec![self.books.clone()],
        }
    }

    /// Another process over the same databases, hearing of this one's changes through PostgreSQL.
    pub(crate) async fn other_process(&self) -> (Control, Client, Invalidations) {
        let control = Control::new(self.config.clone(), self.parts()).unwrap();
        control.prepare().await.unwrap();
        let heard = Invalidations::new();
        let (ready, begun) = tokio::sync::oneshot::channel();
        let ready = std::sync::Mutex::new(Some(ready));
        control.listen(&heard);
        heard.subscribe(move |_, _| {
            if let Some(ready) = ready.lock().unwrap().take() {
                ready.send(()).ok();
            }
        });
        begun.await.unwrap();
        let client = Client::new(api(&control, &self.clock));
        (control, client, heard)
    }

    /// Lets this process hear of others' changes too.
    pub(crate) fn listen(&self) -> &Invalidations {
        self.control.listen(&self.invalidations);
        &self.invalidations
    }

    pub(crate) fn stranger(&self) -> Client {
        Client::new(self.api.clone())
    }

    /// Somebody with these permissions, of a tenant or of the platform, by a token of the command line.
    pub(crate) async fn with(&self, tenant: Option<TenantId>, permissions: &[&str]) -> Client {
        let wanted = OperatorToken {
            tenant,
            role: None,
            permissions: PermissionSet::new(permissions.iter().copied()),
            ttl: std::time::Duration::from_secs(3600),
        };
        let token = sign_operator_token(&self.control, wanted, self.clock.now()).await.unwrap();
        self.stranger().with_token(&token)
    }

    pub(crate) async fn operator(&self) -> Client {
        self.with(None, &["platform:*"]).await
    }

    /// A trading tenant in the shared database; its administrator is `admin@<slug>.test` with [`PASSWORD`].
    pub(crate) async fn tenant(&self, slug: &str) -> TenantId {
        let made = self.operator().await.post("/admin/tenants", new_tenant(slug)).await.is(201);
        made.text("/id").parse().unwrap()
    }

    pub(crate) async fn sign_in(&self, body: Value) -> Answer {
        self.stranger().post("/auth/token", body).await
    }

    /// The administrator of tenant `slug`, signed in.
    pub(crate) async fn admin(&self, slug: &str) -> Client {
        let answer = self.sign_in(credentials(&format!("admin@{slug}.test"))).await.is(200);
        self.stranger().with_token(answer.text("/accessToken"))
    }

    /// The account of `email`, made by a tenant of somebody who knows its password ([`PASSWORD`]).
    pub(crate) async fn account_elsewhere(&self, slug: &str, email: &str) {
        self.tenant(slug).await;
        let body =
            json!({ "email": email, "name": "From elsewhere", "role": "cashier", "password": PASSWORD });
        self.admin(slug).await.post("/staff", body).await.is(201);
    }

    /// Runs SQL on the control database as superuser.
    pub(crate) async fn sql(&self, text: &str) {
        let config = self.databases.cluster().admin_of(&self.databases.control);
        testkit::connect(&config).await.unwrap().batch_execute(text).await.unwrap();
    }

    /// One text from the control database.
    pub(crate) async fn ask(&self, query: &str) -> String {
        let config = self.databases.cluster().admin_of(&self.databases.control);
        let client = testkit::connect(&config).await.unwrap();
        client.query_one(query, &[]).await.unwrap().get::<_, Option<String>>(0).unwrap_or_default()
    }

    /// Takes the control database away, or gives it back.
    pub(crate) async fn control_database_answers(&self, answers: bool) {
        self.database_answers(&self.databases.control, answers).await;
    }

    /// Takes a database away, or gives it back.
    pub(crate) async fn database_answers(&self, name: &str, answers: bool) {
        let client = testkit::connect(&self.databases.cluster().admin()).await.unwrap();
        client.batch_execute(&format!("alter database {name} allow_connections {answers}")).await.unwrap();
        if !answers {
            let end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
            client.query(end, &[&name]).await.unwrap();
        }
    }

    pub(crate) async fn violations(&self) -> Vec<kernel::Violation> {
        let tx = self.db.control().await.unwrap();
        control::invariants(&tx).await.unwrap()
    }
}

fn api(control: &Control, clock: &Clock) -> axum::Router {
    let shared = Arc::new(control.clone());
    let parts = EdgeParts {
        identity: shared.clone(),
        registry: shared.clone(),
        security: shared.clone(),
        clock: clock.clone(),
        redis: None,
        audit: None,
        meter: Some(shared),
    };
    let edge = Edge::with_parts(unlimited(), parts);
    Api::new([control::routes(control.clone())]).unwrap().into_router(&edge)
}

pub(crate) fn new_tenant(slug: &str) -> Value {
    json!({
        "slug": slug, "name": format!("The {slug}"), "tier": "standard", "currency": "EUR",
        "adminEmail": format!("admin@{slug}.test"), "adminPassword": PASSWORD,
    })
}

pub(crate) fn credentials(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD })
}

/// [`credentials`] for a first sign-in to `tenant`.
pub(crate) fn accepting(email: &str, tenant: &str, code: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "tenant": tenant, "invitation": code })
}

/// Waits until `done` says so; only for what another process hears through PostgreSQL.
pub(crate) async fn eventually(mut done: impl AsyncFnMut() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !done().await {
        assert!(std::time::Instant::now() < end, "it did not happen within 10 s");
        tokio::task::yield_now().await;
    }
}
