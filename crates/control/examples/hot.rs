use std::{collections::HashMap, sync::Arc, time::{Duration, Instant}};
use control::*;
use edge::{Identity, Registry};
struct D;
#[async_trait::async_trait]
impl TenantDatabases for D {
    async fn create(&self, _: &kernel::Placement) -> Result<(), db::migrate::MigrateError> { Ok(()) }
    async fn migrate(&self, _: &kernel::Placement) -> Result<(), db::migrate::MigrateError> { Ok(()) }
}
#[tokio::main]
async fn main() {
    let dbs = testkit::TestDatabases::create(&db::Migrations::tenant([]), &db::Migrations::control([control::MIGRATIONS, messages::CONTROL_MIGRATIONS])).await.unwrap();
    let config = ControlConfig { issuer: "http://localhost:8080".into(), shared_database: dbs.shared.clone(), shards: vec![ShardConfig { name: testkit::SHARD.into(), region: String::new(), weight: 1, purpose: Purpose::Any, draining: false }], ..Default::default() };
    let clock = kernel::Clock::system();
    let mut c = dbs.config();
    c.shards = HashMap::from([(Arc::from(testkit::SHARD), c.control.clone())]);
    let control = Control::new(config, Parts { db: db::Db::new(c).unwrap(), clock: clock.clone(), master_key: MasterKey::new(&[1; 32]).unwrap(), databases: Arc::new(D), seeders: vec![] }).unwrap();
    control.prepare().await.unwrap();
    let caller = kernel::Caller { actor: kernel::Actor::Operator, permissions: kernel::PermissionSet::new(["*"]), correlation_id: "x".into(), trace: None, now: clock.now() };
    let t = Instant::now();
    let made = create_tenant(&control, &caller, CreateTenant { slug: "acme".into(), name: "Acme".into(), tier: kernel::Tier::Free, currency: kernel::Currency::EUR, settings: Default::default(), placement: None, region: String::new(), shard: None, admin_email: "a@b.c".into(), admin_password: Some("correct horse battery".to_owned().into()) }).await.unwrap();
    println!("create shared tenant {:?} {:?}", t.elapsed(), made.tenant.status);
    let whence = || Whence { address: None, agent: None, correlation_id: "x".into(), now: clock.now() };
    let t = Instant::now();
    let tokens = sign_in(&control, SignIn { email: "a@b.c".into(), password: "correct horse battery".to_owned().into(), tenant: None, whence: whence() }).await.unwrap();
    println!("sign in {:?}", t.elapsed());
    let cashier = sign_operator_token(&control, OperatorToken { tenant: Some(made.tenant.id), role: Some("cashier".into()), permissions: kernel::PermissionSet::new(built_in_role("cashier").unwrap().permissions.iter().copied()), ttl: Duration::from_secs(3600) }, clock.now()).await.unwrap();
    let n = 2_000_000u32;
    for (name, token) in [("admin", tokens.access_token.as_str()), ("cashier", cashier.as_str())] {
        let t = Instant::now();
        control.authenticate(token, clock.now()).await.unwrap();
        let miss = t.elapsed();
        let now = clock.now();
        let t = Instant::now();
        for _ in 0..n { std::hint::black_box(control.authenticate(std::hint::black_box(token), now).await.unwrap()); }
        println!("{name}: token of {} bytes, miss {miss:?}, hit {:?}", token.len(), t.elapsed() / n);
    }
    Registry::find_tenant(&control, "acme").await.unwrap();
    let t = Instant::now();
    for _ in 0..n { std::hint::black_box(Registry::find_tenant(&control, std::hint::black_box("acme")).await.unwrap()); }
    println!("registry by slug {:?}", t.elapsed() / n);
    let t = Instant::now();
    for _ in 0..n { std::hint::black_box(Registry::find_tenant_by_id(&control, std::hint::black_box(made.tenant.id)).await.unwrap()); }
    println!("registry by id {:?}", t.elapsed() / n);
    let t = Instant::now();
    for _ in 0..n { std::hint::black_box(clock.now()); }
    println!("clock {:?}", t.elapsed() / n);
}
