//! The relay: carries messages from each database's outbox to consumers, in order, at least once, woken by commit.

mod config;
mod deliver;
mod lanes;
mod leader;
mod nats;
mod read;
mod rows;
mod settle;
mod table;
mod watch;
mod windows;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use db::{Db, DbError};
use kernel::{Clock, Placement};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

pub use config::{RelayConfig, RelayConfigError, Tally};
pub use nats::{BusKind, BusStatus, MessagesConfig, NatsConfig};
pub use windows::{Window, Windows};

pub(crate) use deliver::Outcome;
pub(crate) use lanes::{LaneKey, Pending};
pub(crate) use settle::clip;

use crate::{Consumer, DatabaseStatus, LookupError, TenantLookup, bell};
use config::Env;
use leader::{Leader, Until};

/// How often databases that came or went are looked for.
const SYNC_EVERY: Duration = Duration::from_secs(10);
/// How long [`Relay::drain`] waits for a leader elsewhere, or for transactions that never end.
const DRAIN_MAX: Duration = Duration::from_secs(60);

/// Messages cannot be carried to their end now.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Databases cannot be listed.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// A database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Something was still to be done after a minute.
    #[error("{0} is not idle after a minute")]
    NotIdle(Arc<str>),
}

struct Watcher {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

struct Inner {
    env: Arc<Env>,
    watchers: Mutex<HashMap<Placement, Watcher>>,
    stop: CancellationToken,
    /// Handles what NATS brings, from the first database watched on.
    worker: Mutex<Option<Watcher>>,
}

/// The relay of this process. Cheap to clone; ends with [`Relay::shutdown`].
#[derive(Clone)]
pub struct Relay(Arc<Inner>);

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("consumers", &self.0.env.consumers).finish_non_exhaustive()
    }
}

impl Relay {
    /// A relay that watches nothing yet.
    ///
    /// Every process that publishes should watch with the same consumers: one of them leads per database, the others
    /// tell it of their commits and take over when it dies.
    ///
    /// # Errors
    /// [`RelayConfigError`] when consumers cannot be told apart.
    pub fn new(
        db: Db,
        lookup: Arc<dyn TenantLookup>,
        clock: Clock,
        consumers: Vec<Consumer>,
        config: RelayConfig,
    ) -> Result<Self, RelayConfigError> {
        let env = Arc::new(Env::new(db, lookup, clock, consumers, config)?);
        let (watchers, worker) = Default::default();
        Ok(Self(Arc::new(Inner { env, watchers, stop: CancellationToken::new(), worker })))
    }

    /// Watches every database of the lookup, and follows as databases come and go.
    pub fn start(&self) {
        let relay = self.clone();
        tokio::spawn(async move {
            let stop = relay.0.stop.clone();
            loop {
                if let Err(error) = relay.sync().await {
                    tracing::warn!(error = %error, "the relay cannot list databases");
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = sleep(SYNC_EVERY) => {}
                }
            }
        });
    }

    /// Watches `placement` from now on; twice is once.
    pub fn watch(&self, placement: &Placement) {
        let Ok(mut watchers) = self.0.watchers.lock() else { return };
        if self.0.stop.is_cancelled() || watchers.contains_key(placement) {
            return;
        }
        let stop = self.0.stop.child_token();
        let bell = bell::hear(placement, &self.0.env.pair_kinds);
        let task = tokio::spawn(watch::watch(self.0.env.clone(), placement.clone(), bell, stop.clone()));
        watchers.insert(placement.clone(), Watcher { stop, task });
        if let (Some(nats), Ok(mut worker)) = (&self.0.env.nats, self.0.worker.lock()) {
            worker.get_or_insert_with(|| {
                let stop = CancellationToken::new();
                let task = tokio::spawn(nats::work(self.0.env.clone(), nats.clone(), stop.clone()));
                Watcher { stop, task }
            });
        }
    }

    /// Stops watching `placement`, before its database goes away; running handlers end first, for a few seconds.
    pub async fn unwatch(&self, placement: &Placement) {
        let watcher = self.0.watchers.lock().ok().and_then(|mut watchers| watchers.remove(placement));
        if let Some(watcher) = watcher {
            watcher.stop.cancel();
            // A task that panicked has ended as well.
            let _ = watcher.task.await;
            bell::take_down(placement);
            self.0.env.forget(placement);
        }
    }

    /// Wakes the relay of `placement`, as commits do by themselves.
    pub fn wake(&self, placement: &Placement) {
        bell::ring(placement);
    }

    /// The databases watched now, sorted.
    #[must_use]
    pub fn watched(&self) -> Vec<Placement> {
        let watchers = self.0.watchers.lock();
        let mut placements: Vec<_> = watchers.map(|all| all.keys().cloned().collect()).unwrap_or_default();
        placements.sort();
        placements
    }

    /// Carries everything that is due, in all databases, until nothing is left; returns how many messages this
    /// process handled. For tests and the command line: it needs no [`Relay::start`].
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn drain(&self) -> Result<u64, RelayError> {
        let mut handled = 0;
        loop {
            let mut round = 0;
            for placement in self.0.env.lookup.list_databases().await? {
                round += self.drain_database(&placement).await?;
            }
            handled += round;
            if round == 0 {
                return Ok(handled);
            }
        }
    }

    /// [`Relay::drain`] for one database.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn drain_database(&self, placement: &Placement) -> Result<u64, RelayError> {
        // Ends with this future, whatever becomes of it.
        let (mut work, enough) = (JoinSet::new(), CancellationToken::new());
        if let Some(nats) = &self.0.env.nats {
            work.spawn(nats::work(self.0.env.clone(), nats.clone(), enough.clone()));
        }
        let drained = self.drain_with(placement).await;
        enough.cancel();
        while work.join_next().await.is_some() {}
        drained
    }

    async fn drain_with(&self, placement: &Placement) -> Result<u64, RelayError> {
        let env = &self.0.env;
        let conn = watch::connect(env, placement).await?;
        let mut bell = bell::hear(placement, &env.pair_kinds);
        let end = Instant::now() + DRAIN_MAX;
        while Instant::now() < end {
            if watch::try_lead(&conn).await? {
                let leader = Leader::take(env, &conn, placement).await?;
                let left = end.saturating_duration_since(Instant::now());
                let serving = leader.serve(&mut bell, &self.0.stop, Until::Idle);
                return match tokio::time::timeout(left, serving).await {
                    Ok(handled) => Ok(handled?),
                    Err(_) => Err(RelayError::NotIdle(placement.database.clone())),
                };
            }
            watch::tell_leader(&conn).await?;
            let names: Vec<&str> = env.consumers.iter().map(|consumer| consumer.name).collect();
            let row = conn.query_one(include_str!("idle.sql"), &[&env.clock.now(), &names]).await?;
            if row.try_get("idle").map_err(DbError::from)? {
                return Ok(0);
            }
            sleep(Duration::from_millis(2)).await;
        }
        Err(RelayError::NotIdle(placement.database.clone()))
    }

    /// Stops watching everything; running handlers end first, for a few seconds.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        let watchers: Vec<_> =
            self.0.watchers.lock().map(|mut all| all.drain().collect()).unwrap_or_default();
        for (placement, watcher) in watchers {
            // A task that panicked has ended as well.
            let _ = watcher.task.await;
            bell::take_down(&placement);
        }
        let worker = self.0.worker.lock().ok().and_then(|mut worker| worker.take());
        if let Some(worker) = worker {
            worker.stop.cancel();
            let _ = worker.task.await;
        }
    }

    /// How the bus stands.
    #[must_use]
    pub fn bus_status(&self) -> BusStatus {
        match &self.0.env.nats {
            Some(nats) => nats.status(),
            None => BusStatus { kind: BusKind::InProcess, trouble: None },
        }
    }

    /// How the messages of each watched database stand, as last looked at (a few seconds ago), sorted.
    #[must_use]
    pub fn status(&self) -> Vec<DatabaseStatus> {
        let watched = self.watched();
        let statuses = self.0.env.statuses.read();
        let known =
            |placement: &Placement| statuses.as_ref().ok().and_then(|all| all.get(placement).cloned());
        watched.iter().map(|it| known(it).unwrap_or_else(|| DatabaseStatus::unreachable(it))).collect()
    }

    async fn sync(&self) -> Result<(), LookupError> {
        let databases: HashSet<_> = self.0.env.lookup.list_databases().await?.into_iter().collect();
        for placement in &databases {
            self.watch(placement);
        }
        for gone in self.watched().iter().filter(|placement| !databases.contains(*placement)) {
            self.unwatch(gone).await;
        }
        Ok(())
    }
}
