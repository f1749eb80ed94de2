//! A real process killed between every two steps, under load, in process and over NATS (MSG-5).

use std::{
    collections::{BTreeMap, HashMap},
    io::Read as _,
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use db::{Db, DbConfig, PoolLimits, RolePasswords};
use kernel::{Clock, Placement, TenantId};
use messages::{
    Consumer, ConsumerError, DeadLetterFilter, NatsConfig, Relay, RelayConfig, RetryPolicy, Window, Windows,
};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use crate::support::{Bus, Lookup, World, n_of, nats_config, over_both_buses, trace};

over_both_buses! {
    killed_in_every_window_every_message_is_handled_once_and_in_order,
    processes_killed_at_random_under_load_lose_and_double_nothing,
}

const VARIABLE: &str = "MARKETHALL_TEST_RELAY";
const SUBJECTS: usize = 6;
const IN_PROCESS: [Window; 7] = [
    Window::Reading,
    Window::Read,
    Window::Taken,
    Window::Handled,
    Window::Committed,
    Window::Failing,
    Window::Failed,
];
const OVER_NATS: [Window; 2] = [Window::Sent, Window::Acknowledged];

/// What the process that is killed must know.
#[derive(Serialize, Deserialize)]
struct Orders {
    admin: String,
    control: String,
    shared: String,
    tenant: TenantId,
    app: String,
    relay: String,
    nats: Option<String>,
    /// The window to die in, and which time.
    window: Option<String>,
    time: usize,
}

/// Fails one time in ten, for good with every fiftieth message; else leaves a trace.
fn moody() -> Consumer {
    Consumer::new("t", &["Counted"], |_, tx, message| {
        Box::pin(async move {
            trace(tx, "t", message).await?;
            match n_of(message)? {
                n if is_poison(n) => Err(ConsumerError::Poison("every fiftieth".to_owned())),
                _ if rand::random_ratio(1, 10) => Err(ConsumerError::failed("a mood")),
                _ => Ok(()),
            }
        })
    })
}

fn is_poison(n: i64) -> bool {
    n % 50 == 7
}

fn relay_config(nats: Option<NatsConfig>) -> RelayConfig {
    let pause = Duration::from_millis(20);
    let retry = RetryPolicy { tries: 1000, base: pause, cap: pause };
    RelayConfig { retry, nats, sweep: Duration::from_millis(500), follow: pause, ..RelayConfig::default() }
}

fn spawn(world: &World, window: Option<Window>, time: usize) -> anyhow::Result<Child> {
    let (databases, passwords) = (&world.databases, &world.databases.cluster().passwords().roles);
    let orders = Orders {
        admin: databases.cluster().admin_url()?,
        control: databases.control.clone(),
        shared: databases.shared.clone(),
        tenant: world.tenant.id,
        app: passwords.app.expose_secret().to_owned(),
        relay: passwords.relay.expose_secret().to_owned(),
        nats: world.nats.as_ref().map(|nats| nats.lock().unwrap().url()),
        window: window.map(|window| format!("{window:?}")),
        time,
    };
    let child = Command::new(std::env::current_exe()?)
        .args(["windows::the_process_that_is_killed", "--exact"])
        .env(VARIABLE, serde_json::to_string(&orders)?)
        // Closes when this test ends, however it does.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(child)
}

// The body of the processes that the other tests here start; by itself it has no orders and nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_is_killed() -> anyhow::Result<()> {
    let Ok(orders) = std::env::var(VARIABLE) else { return Ok(()) };
    let orders: Orders = serde_json::from_str(&orders)?;
    let admin: db::ConnectionConfig = orders.admin.parse()?;
    let db = Db::new(DbConfig {
        shards: HashMap::from([(testkit::SHARD.into(), admin.clone())]),
        control: admin,
        control_database: orders.control.into(),
        passwords: RolePasswords {
            app: orders.app.into(),
            relay: orders.relay.into(),
            control: String::new().into(),
        },
        limits: PoolLimits { tenant_max: 8, control_max: 1, ..PoolLimits::default() },
        breakers: resilience::Breakers::default(),
    })?;
    let placement =
        Placement { shard: testkit::SHARD.into(), database: orders.shared.into(), dedicated: false };
    let lookup = Lookup::of(orders.tenant, &placement);
    let mut config = relay_config(orders.nats.map(nats_config));
    let left = AtomicUsize::new(orders.time);
    config.windows = Windows::watched(move |window| {
        let here = orders.window.as_deref() == Some(format!("{window:?}").as_str());
        if here && left.fetch_sub(1, Ordering::SeqCst) == 1 {
            // No destructor runs, nothing is flushed.
            std::process::abort();
        }
    });
    let relay = Relay::new(db, Arc::new(lookup), Clock::system(), vec![moody()], config)?;
    relay.watch(&placement);
    // Until the test that needs it is gone.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}

/// Publishes one message about each subject; what was published is noted.
async fn publish_round(world: &World, published: &mut BTreeMap<String, Vec<i64>>) -> anyhow::Result<()> {
    for subject in 0..SUBJECTS {
        let subject = format!("s{subject}");
        let mine = published.entry(subject.clone()).or_default();
        let n = i64::try_from(mine.len())?;
        world.publish(&subject, n).await?;
        mine.push(n);
    }
    Ok(())
}

/// Everything published was handled once, in order, or given up once where it had to be.
async fn assert_exactly_once(world: &World, published: &BTreeMap<String, Vec<i64>>) -> anyhow::Result<()> {
    let nats = world.nats.as_ref().map(|nats| nats_config(nats.lock().unwrap().url()));
    let relay = Relay::new(
        world.db.clone(),
        world.lookup.clone(),
        world.clock.clone(),
        vec![moody()],
        relay_config(nats),
    )?;
    let until = Instant::now() + Duration::from_secs(60);
    relay.drain().await?;
    while world.number("select count(*) from messages.delivery").await? > 0 {
        anyhow::ensure!(Instant::now() < until, "still not delivered");
        relay.drain().await?;
    }
    let mut poisoned = 0;
    for (subject, published) in published {
        let (poison, good): (Vec<i64>, Vec<i64>) = published.iter().partition(|n| is_poison(**n));
        assert_eq!(world.traces("t", subject).await?, good, "{subject}");
        poisoned += poison.len();
    }
    let filter = DeadLetterFilter { limit: 200, ..DeadLetterFilter::default() };
    assert_eq!(world.dead_letters().list(&filter).await?.items.len(), poisoned);
    let all: usize = published.values().map(Vec::len).sum();
    eprintln!("{all} messages, {poisoned} of them given up");
    world.check().await
}

// MSG-5
async fn killed_in_every_window_every_message_is_handled_once_and_in_order(bus: Bus) -> anyhow::Result<()> {
    let world = World::at(bus, Clock::system()).await?;
    let besides = if bus == Bus::Nats { OVER_NATS.as_slice() } else { &[] };
    let mut published = BTreeMap::new();
    for (round, window) in IN_PROCESS.iter().chain(besides).enumerate() {
        let mut child = spawn(&world, Some(*window), 1 + round % 3)?;
        let until = Instant::now() + Duration::from_secs(60);
        let ended = loop {
            publish_round(&world, &mut published).await?;
            if let Some(ended) = child.try_wait()? {
                break ended;
            }
            if Instant::now() > until {
                child.kill()?;
            }
        };
        // By its own hand: the window was reached.
        assert_eq!(ended.signal(), Some(6), "{window:?}: {ended}");
    }
    assert_exactly_once(&world, &published).await
}

// MSG-5: two processes at once, one of them killed again and again while the other one works.
async fn processes_killed_at_random_under_load_lose_and_double_nothing(bus: Bus) -> anyhow::Result<()> {
    let world = World::at(bus, Clock::system()).await?;
    let mut children = [spawn(&world, None, 0)?, spawn(&world, None, 0)?];
    let mut published = BTreeMap::new();
    for round in 0..6 {
        let handled = "select count(*) from messages.inbox";
        let (before, until) = (world.number(handled).await?, Instant::now() + Duration::from_secs(60));
        while world.number(handled).await? < before + 40 {
            anyhow::ensure!(Instant::now() < until, "nothing is handled in round {round}");
            publish_round(&world, &mut published).await?;
        }
        let child = &mut children[round % 2];
        child.kill()?;
        child.wait()?;
        *child = spawn(&world, None, 0)?;
    }
    for child in &mut children {
        child.kill()?;
        child.wait().context("the child is gone")?;
    }
    assert_exactly_once(&world, &published).await
}
