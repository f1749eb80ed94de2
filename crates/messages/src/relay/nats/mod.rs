//! NATS JetStream between the leader and the handlers: brings each delivery to whichever process has time for it.
//!
//! The table of deliveries stays the truth. NATS holds copies of the first message of each lane only; a copy that is lost,
//! doubled or late changes nothing but the time it takes.

mod carry;
mod config;
mod handle;
mod parcel;
mod work;

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{
    Client, ConnectOptions, Event,
    connection::State,
    jetstream::{
        Context,
        context::ContextBuilder,
        stream::{Config as StreamConfig, DiscardPolicy, RetentionPolicy, StorageType},
    },
};
use kernel::Placement;
use resilience::{Breaker, Breakers, Guarded, Probe};
use secrecy::ExposeSecret as _;
use tokio::sync::{OnceCell, watch};

pub(super) use carry::{Link, Load};
pub use config::{BusKind, MessagesConfig, NatsConfig};
pub(super) use work::work;

/// How long NATS gets to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// The longest pause before a lost connection is tried again.
const RECONNECT_MAX: Duration = Duration::from_secs(1);
/// How long NATS remembers which copies it has been given.
const DUPLICATES_KNOWN: Duration = Duration::from_secs(120);
/// How long it keeps a copy that nobody takes, such as one for a consumer that no program has any more.
const KEPT: Duration = Duration::from_secs(86_400);

/// NATS cannot be used now, in words without secrets.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum NatsError {
    /// It may take it later.
    #[error("NATS: {0}")]
    Away(String),
    /// It will never take this message.
    #[error("the message is larger than the NATS server takes (max_payload)")]
    TooLarge,
}

impl From<Guarded<NatsError>> for NatsError {
    fn from(error: Guarded<NatsError>) -> Self {
        match error {
            Guarded::Open(open) => Self::Away(open.to_string()),
            Guarded::Failed(error) => error,
        }
    }
}

impl NatsError {
    fn new(doing: &str, error: impl fmt::Display) -> Self {
        Self::Away(format!("{doing}: {error}"))
    }
}

/// How the bus stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusStatus {
    /// What carries messages.
    pub kind: BusKind,
    /// Why it does not carry them now; none while all is well.
    pub trouble: Option<String>,
}

struct Joined {
    client: Client,
    jetstream: Context,
}

/// This process at NATS. Connects when it is first needed, and again for as long as it lives.
pub(crate) struct Nats {
    config: NatsConfig,
    /// The name of this process among those that share the work.
    host: String,
    joined: OnceCell<Joined>,
    up: Arc<AtomicBool>,
    /// Counts connections.
    connections: watch::Sender<u64>,
    /// The connection on which the stream was last seen to.
    seen_to: tokio::sync::Mutex<u64>,
    trouble: Mutex<Option<String>>,
    /// Around giving it messages.
    breaker: Breaker,
}

impl Nats {
    pub(super) fn new(config: NatsConfig, host: String, breakers: &Breakers) -> Self {
        let up = Arc::<AtomicBool>::default();
        Self {
            breaker: breakers.of("nats", probe(&up)),
            config,
            host,
            joined: OnceCell::new(),
            up,
            connections: watch::Sender::new(0),
            seen_to: tokio::sync::Mutex::new(0),
            trouble: Mutex::default(),
        }
    }

    /// Whether there is a connection now.
    pub(super) fn is_up(&self) -> bool {
        // Events may be dropped when there are many; the client's own word comes a moment after its event.
        let connected = |joined: &Joined| joined.client.connection_state() == State::Connected;
        self.up.load(Ordering::SeqCst) || self.joined.get().is_some_and(connected)
    }

    /// Changes with every connection made.
    pub(super) fn connections(&self) -> watch::Receiver<u64> {
        self.connections.subscribe()
    }

    /// Messages on their way at once per database.
    pub(super) fn in_flight(&self) -> usize {
        self.config.in_flight.max(1)
    }

    pub(super) fn status(&self) -> BusStatus {
        let known = self.trouble.lock().ok().and_then(|trouble| trouble.clone());
        let trouble = match (self.joined.initialized(), self.is_up()) {
            (true, true) => known,
            (true, false) => Some("no connection".to_owned()),
            (false, _) => known.or_else(|| Some("not connected yet".to_owned())),
        };
        BusStatus { kind: BusKind::Nats, trouble }
    }

    /// Notes what goes wrong, once as long as it stays the same, or that all is well.
    fn note<T>(&self, done: Result<T, NatsError>) -> Result<T, NatsError> {
        if let Ok(mut trouble) = self.trouble.lock() {
            let now = done.as_ref().err().map(ToString::to_string);
            if *trouble != now {
                match &now {
                    Some(error) => tracing::warn!(error, "messages wait for NATS"),
                    None => tracing::info!("messages go on over NATS"),
                }
                *trouble = now;
            }
        }
        done
    }

    /// The client; that there is one does not mean that it is connected.
    async fn joined(&self) -> Result<&Joined, NatsError> {
        let joining = self.joined.get_or_try_init(|| self.join()).await;
        if joining.is_err() { self.note(joining) } else { joining }
    }

    async fn join(&self) -> Result<Joined, NatsError> {
        let (up, connections) = (self.up.clone(), self.connections.clone());
        let mut options = ConnectOptions::new()
            .name(format!("markethall {}", self.host))
            .retry_on_initial_connect()
            .connection_timeout(ANSWER_WITHIN)
            .ping_interval(Duration::from_secs(10))
            .reconnect_delay_callback(|tries| {
                let doubled = 2_u32.saturating_pow(u32::try_from(tries).unwrap_or(u32::MAX));
                Duration::from_millis(10).saturating_mul(doubled).min(RECONNECT_MAX)
            })
            .event_callback(move |event| {
                let (up, connections) = (up.clone(), connections.clone());
                async move { hear(&up, &connections, &event) }
            });
        if let Some(file) = &self.config.credentials_file {
            options = options
                .credentials_file(file)
                .await
                .map_err(|error| NatsError::new("cannot read messages.nats.credentials_file", error))?;
        }
        if let Some(token) = &self.config.token {
            options = options.token(token.expose_secret().to_owned());
        }
        if let Some(file) = &self.config.ca_file {
            options = options.add_root_certificates(file.clone());
        }
        let servers: Vec<String> = self.config.servers().map(str::to_owned).collect();
        let client = options.connect(servers).await.map_err(|error| NatsError::new("cannot begin", error))?;
        let jetstream = ContextBuilder::new()
            .timeout(ANSWER_WITHIN)
            .ack_timeout(ANSWER_WITHIN)
            .max_ack_inflight(100_000)
            .build(client.clone());
        Ok(Joined { client, jetstream })
    }

    /// Sees to it, once per connection, that the stream is there and as configured.
    async fn stream(&self) -> Result<&Joined, NatsError> {
        let joined = self.joined().await?;
        let connection = *self.connections.borrow();
        let mut seen_to = self.seen_to.lock().await;
        if *seen_to != connection {
            let made = joined.jetstream.create_or_update_stream(self.stream_config()).await;
            self.note(made.map_err(|error| NatsError::new("cannot make the stream", error)))?;
            *seen_to = connection;
        }
        Ok(joined)
    }

    /// Has the stream looked after again.
    async fn stream_is_lost(&self) {
        *self.seen_to.lock().await = 0;
    }

    fn stream_config(&self) -> StreamConfig {
        StreamConfig {
            name: self.config.stream.clone(),
            description: Some("Markethall: deliveries on their way; each is also in its outbox".to_owned()),
            subjects: vec![format!("{}.deliver.*", self.config.stream)],
            // Gone once handled: what is here is work, not history.
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            num_replicas: self.config.replicas,
            max_bytes: i64::from(self.config.max_megabytes) * 1024 * 1024,
            max_messages: -1,
            max_messages_per_subject: -1,
            max_consumers: -1,
            max_age: KEPT,
            // Full is refused: what does not fit waits in its outbox.
            discard: DiscardPolicy::New,
            duplicate_window: DUPLICATES_KNOWN,
            ..StreamConfig::default()
        }
    }

    /// Where deliveries for `consumer` go.
    fn deliver_subject(&self, consumer: &str) -> String {
        format!("{}.deliver.{}", self.config.stream, parcel::token(consumer))
    }

    /// Where is told what became of deliveries in the database at `placement`.
    fn ended_subject(&self, placement: &Placement) -> String {
        let (shard, database) = (parcel::token(&placement.shard), parcel::token(&placement.database));
        format!("{}.ended.{shard}.{database}", self.config.stream)
    }
}

/// Whether there is a connection; the client makes it again by itself.
fn probe(up: &Arc<AtomicBool>) -> Probe {
    let up = up.clone();
    Arc::new(move || {
        let up = up.load(Ordering::SeqCst);
        Box::pin(async move { up })
    })
}

fn hear(up: &AtomicBool, connections: &watch::Sender<u64>, event: &Event) {
    match event {
        Event::Connected => {
            tracing::info!("connected to NATS");
            up.store(true, Ordering::SeqCst);
            connections.send_modify(|count| *count = count.wrapping_add(1));
        }
        Event::Disconnected | Event::Closed => {
            tracing::warn!("the connection to NATS is lost");
            up.store(false, Ordering::SeqCst);
        }
        other => tracing::debug!(event = %other, "NATS"),
    }
}
