//! How the relay works: sizes, pauses, and what every part of it shares.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, RwLock},
    time::Duration,
};

use db::Db;
use kernel::{Clock, Placement, TenantId, Timestamp};
use tokio::sync::Semaphore;

use super::{
    nats::{Nats, NatsConfig},
    settle::register_metrics,
    windows::Windows,
};
use crate::{Consumer, DatabaseStatus, RetryPolicy, TenantLookup};

/// Told of messages once they have been read from an outbox. Never blocks and never fails.
pub trait Tally: fmt::Debug + Send + Sync {
    /// `tenant` has published `messages` more; they were read at `at`.
    fn published(&self, tenant: TenantId, at: Timestamp, messages: u64);
}

/// Sizes and pauses of the relay.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// When failing messages are tried again.
    pub retry: RetryPolicy,
    /// Handlers at work at once in this process.
    pub handlers: usize,
    /// Of these, in one database.
    pub handlers_per_database: usize,
    /// How long one handler may take before the attempt counts as failed.
    pub handler_timeout: Duration,
    /// How often is looked for messages without being woken, and a follower tries to become the leader.
    pub sweep: Duration,
    /// How often a process that does not lead tries to.
    pub follow: Duration,
    /// Rows of the outbox read at once.
    pub read_rows: i64,
    /// Of these, messages with a consumer.
    pub read_wanted: i64,
    /// Messages held in memory per database before reading pauses.
    pub queued_max: usize,
    /// Lanes known per database before reading pauses.
    pub lanes_max: usize,
    /// The name of this process among those that share the work.
    pub host: String,
    /// How NATS is reached, when it is to carry messages; without it this process handles what it reads.
    pub nats: Option<NatsConfig>,
    /// Who counts what tenants publish, if anybody does.
    pub tally: Option<Arc<dyn Tally>>,
    /// What happens between the steps: nothing, outside tests.
    pub windows: Windows,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            handlers: 16,
            handlers_per_database: 4,
            handler_timeout: Duration::from_secs(30),
            sweep: Duration::from_secs(5),
            follow: Duration::from_secs(1),
            read_rows: 1000,
            read_wanted: 200,
            queued_max: 2000,
            lanes_max: 20_000,
            host: format!("pid {}", std::process::id()),
            nats: None,
            tally: None,
            windows: Windows::default(),
        }
    }
}

/// Consumers cannot be told apart or found again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelayConfigError {
    /// Two consumers have one name.
    #[error("two consumers are called {0}")]
    DuplicateConsumer(&'static str),
    /// A consumer waits twice for one type, or for none.
    #[error("consumer {0} must wait for one or more different message types")]
    BadKinds(&'static str),
}

/// What all parts of a relay share.
pub(crate) struct Env {
    pub(crate) db: Db,
    pub(crate) lookup: Arc<dyn TenantLookup>,
    pub(crate) clock: Clock,
    pub(crate) config: RelayConfig,
    pub(crate) consumers: Vec<Consumer>,
    /// `(consumer, kind)` pairs as two columns, for SQL.
    pub(crate) pair_consumers: Vec<&'static str>,
    pub(crate) pair_kinds: Vec<&'static str>,
    /// Consumers that hear only what tenants have asked for.
    pub(crate) on_request: Vec<&'static str>,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) statuses: RwLock<HashMap<Placement, DatabaseStatus>>,
    /// What carries messages, when this process does not.
    pub(crate) nats: Option<Arc<Nats>>,
}

impl Env {
    pub(crate) fn new(
        db: Db,
        lookup: Arc<dyn TenantLookup>,
        clock: Clock,
        consumers: Vec<Consumer>,
        config: RelayConfig,
    ) -> Result<Self, RelayConfigError> {
        let mut names = HashSet::new();
        for consumer in &consumers {
            if !names.insert(consumer.name) {
                return Err(RelayConfigError::DuplicateConsumer(consumer.name));
            }
            let kinds: HashSet<_> = consumer.kinds.iter().collect();
            if kinds.is_empty() || kinds.len() != consumer.kinds.len() {
                return Err(RelayConfigError::BadKinds(consumer.name));
            }
        }
        let on_request =
            consumers.iter().filter(|consumer| consumer.on_request).map(|consumer| consumer.name).collect();
        let always = consumers.iter().filter(|consumer| !consumer.on_request);
        let pairs = always.flat_map(|consumer| consumer.kinds.iter().map(|kind| (consumer.name, *kind)));
        let (pair_consumers, pair_kinds) = pairs.unzip();
        consumers.iter().for_each(|consumer| register_metrics(consumer.name));
        let permits = Arc::new(Semaphore::new(config.handlers.max(1)));
        let nats =
            config.nats.clone().map(|nats| Arc::new(Nats::new(nats, config.host.clone(), db.breakers())));
        Ok(Self {
            nats,
            db,
            lookup,
            clock,
            config,
            consumers,
            pair_consumers,
            pair_kinds,
            on_request,
            permits,
            statuses: RwLock::default(),
        })
    }

    /// Notes how the messages of a database stand.
    pub(crate) fn note(&self, status: DatabaseStatus) {
        if let Ok(mut statuses) = self.statuses.write() {
            statuses.insert(status.placement.clone(), status);
        }
    }

    /// Forgets a database that is no longer watched.
    pub(crate) fn forget(&self, placement: &Placement) {
        if let Ok(mut statuses) = self.statuses.write() {
            statuses.remove(placement);
        }
    }

    pub(crate) fn consumer(&self, name: &str) -> Option<&Consumer> {
        self.consumers.iter().find(|consumer| consumer.name == name)
    }

    /// The names of the consumers that wait for `kind`, whoever's it is.
    pub(crate) fn waiting_for(&self, kind: &str) -> impl Iterator<Item = &'static str> {
        self.consumers
            .iter()
            .filter(move |consumer| !consumer.on_request && consumer.kinds.contains(&kind))
            .map(|consumer| consumer.name)
    }
}
