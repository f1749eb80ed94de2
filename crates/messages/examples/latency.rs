//! How long after a commit a message's handler begins, at a constant rate, in process and over NATS, as a line of JSON
//! each: `cargo run --release --package messages --example latency -- [per second] [seconds]`. `make bench` runs it.
#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use async_trait::async_trait;
use db::{Db, Migrations};
use kernel::{Clock, Ctx, Placement, Tenant, TenantId};
use messages::{
    Consumer, Draft, LookupError, Message, NatsConfig, Relay, RelayConfig, TenantLookup, publish,
};
use testkit::{NatsServer, TestDatabases};
use tokio::time::{MissedTickBehavior, interval_at};

/// Publishers at once.
const PUBLISHERS: u64 = 16;

struct One(Arc<Tenant>);

#[async_trait]
impl TenantLookup for One {
    async fn find_tenant(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, LookupError> {
        Ok((self.0.id == id).then(|| self.0.clone()))
    }

    async fn list_databases(&self) -> Result<Vec<Placement>, LookupError> {
        Ok(vec![self.0.placement.clone()])
    }

    async fn list_tenants(
        &self,
        after: Option<TenantId>,
        _limit: usize,
    ) -> Result<Vec<Arc<Tenant>>, LookupError> {
        Ok(if after.is_none() { vec![self.0.clone()] } else { Vec::new() })
    }
}

/// When each message's handler began.
type Begun = Arc<Mutex<HashMap<u64, Instant>>>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let rate = words.next().transpose()?.unwrap_or(1000);
    let seconds = words.next().transpose()?.unwrap_or(10);
    measure("in process", None, rate, seconds).await?;
    let nats = NatsServer::start()?;
    let config = NatsConfig { url: nats.url(), ..NatsConfig::default() };
    measure("over NATS", Some(config), rate, seconds).await
}

async fn measure(name: &str, nats: Option<NatsConfig>, rate: u64, seconds: u64) -> anyhow::Result<()> {
    let (tenant, control) =
        (Migrations::tenant([messages::MIGRATIONS]), Migrations::control([messages::CONTROL_MIGRATIONS]));
    let databases = TestDatabases::create(&tenant, &control).await?;
    let db = databases.db()?;
    let tenant = databases.tenant("acme");
    let clock = Clock::system();
    let begun = Begun::default();
    let config = RelayConfig { nats, ..RelayConfig::default() };
    let lookup = Arc::new(One(tenant.clone()));
    let relay = Relay::new(db.clone(), lookup, clock.clone(), vec![consumer(begun.clone())], config)?;
    relay.start();
    relay.watch(&tenant.placement);

    let start = Instant::now();
    let publishers = (0..PUBLISHERS).map(|publisher| {
        let ctx = databases.ctx(&tenant, clock.now());
        tokio::spawn(publisher_of(db.clone(), ctx, publisher, rate, rate * seconds))
    });
    let mut committed = HashMap::new();
    for publisher in futures::future::join_all(publishers).await {
        committed.extend(publisher??);
    }
    let took = start.elapsed();
    let patience = Instant::now();
    let handled = || begun.lock().unwrap_or_else(PoisonError::into_inner).len();
    while handled() < committed.len() && patience.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    relay.shutdown().await;
    let begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
    // The first second warms up.
    let late = committed.iter().filter(|(number, _)| **number >= rate);
    let times = late.map(|(number, committed)| {
        let began = begun.get(number).context("a message was not handled")?;
        Ok(began.saturating_duration_since(*committed))
    });
    let mut times = times.collect::<anyhow::Result<Vec<Duration>>>()?;
    times.sort_unstable();
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1000.0;
    let reached = committed.len() as f64 / took.as_secs_f64();
    let line = serde_json::json!({ "bus": name, "rate": reached, "p50Ms": at(50), "p95Ms": at(95), "p99Ms": at(99) });
    println!("{line}");
    Ok(())
}

fn consumer(begun: Begun) -> Consumer {
    Consumer::new("messages.latency", &["LatencyProbed"], move |_, _, message: &Message| {
        let number = message.data::<u64>();
        if let Ok(number) = number {
            begun.lock().unwrap_or_else(PoisonError::into_inner).insert(number, Instant::now());
        }
        Box::pin(async { Ok(()) })
    })
}

/// Publishes every sixteenth message of `count` in its turn; the moments of their commits.
async fn publisher_of(
    db: Db,
    ctx: Ctx,
    publisher: u64,
    rate: u64,
    count: u64,
) -> anyhow::Result<HashMap<u64, Instant>> {
    // One after the other, so that the rate is constant and not sixteen at a time.
    let turn = Duration::from_secs_f64(publisher as f64 / rate as f64);
    let mut ticks = interval_at(
        tokio::time::Instant::now() + turn,
        Duration::from_secs_f64(PUBLISHERS as f64 / rate as f64),
    );
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut committed = HashMap::new();
    for number in (publisher..count).step_by(PUBLISHERS as usize) {
        ticks.tick().await;
        let tx = db.begin(&ctx).await?;
        publish(&tx, &[Draft::new("LatencyProbed", format!("probe-{number}"), &number)]).await?;
        tx.commit().await?;
        committed.insert(number, Instant::now());
    }
    Ok(committed)
}
