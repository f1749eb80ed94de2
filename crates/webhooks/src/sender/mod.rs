//! Sends deliveries: woken after commits, by the timetable of retries, and by a sweep that finds what others left.

mod call;
mod serve;
mod timetable;

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use control::MasterKey;
use db::{Db, TenantTx};
use kernel::{Clock, Ctx, TenantId};
use messages::{
    Consumer, ConsumerError, LookupError, Message, MessageType, TenantLookup, requesting_tenants,
};
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    collect::{CONSUMER, collect, payload},
    config::WebhooksConfig,
    target::Resolver,
};

/// How long what is being sent may go on when the program stops.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// What webhooks need from the rest of the program.
pub struct Parts {
    /// The door to data.
    pub db: Db,
    /// Tenants and databases.
    pub lookup: Arc<dyn TenantLookup>,
    /// The time.
    pub clock: Clock,
    /// Seals secrets.
    pub master_key: MasterKey,
    /// Every message type that merchants may be told of.
    pub types: &'static [MessageType],
    /// Their names.
    pub type_names: &'static [&'static str],
}

/// Webhooks cannot be sent at all.
#[derive(Debug, thiserror::Error)]
#[error("webhooks cannot be sent: {0}")]
pub struct WebhooksError(String);

struct Inner {
    parts: Parts,
    config: WebhooksConfig,
    resolver: Resolver,
    http: reqwest::Client,
    permits: Arc<Semaphore>,
    /// Tenants that have something to send since the last look, and the bell for it.
    woken: Mutex<HashSet<TenantId>>,
    bell: Notify,
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Webhooks of all merchants: state of the routes, consumer, and sender. Cheap to clone; ends with
/// [`Webhooks::shutdown`].
#[derive(Clone)]
pub struct Webhooks(Arc<Inner>);

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl Webhooks {
    /// Webhooks that are not sent yet.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(parts: Parts, config: WebhooksConfig) -> Result<Self, WebhooksError> {
        serve::register_metrics();
        let resolver = Resolver::new(&config);
        let http = call::client(&config, resolver.clone())
            .map_err(|error| WebhooksError(error.without_url().to_string()))?;
        let permits = Arc::new(Semaphore::new(config.requests));
        Ok(Self(Arc::new(Inner {
            parts,
            config,
            resolver,
            http,
            permits,
            woken: Mutex::default(),
            bell: Notify::new(),
            stop: CancellationToken::new(),
            task: Mutex::default(),
        })))
    }

    /// The consumer that turns messages into deliveries; it hears what tenants have asked for and nothing else.
    #[must_use]
    pub fn consumer(&self) -> Consumer {
        let webhooks = self.clone();
        Consumer::new(CONSUMER, self.0.parts.type_names, move |_, tx, message| {
            let webhooks = webhooks.clone();
            Box::pin(async move { webhooks.collect(tx, message).await })
        })
        .on_request()
    }

    async fn collect(&self, tx: &TenantTx, message: &Message) -> Result<(), ConsumerError> {
        if !self.0.parts.type_names.contains(&&*message.kind) {
            return Ok(());
        }
        let body = payload(message).map_err(|error| ConsumerError::Poison(error.to_string()))?;
        if collect(tx, message, &body).await? > 0 {
            self.wake_after(tx);
        }
        Ok(())
    }

    /// Sends what this transaction leaves to be sent, once it has committed.
    pub(crate) fn wake_after(&self, tx: &TenantTx) {
        let (webhooks, tenant) = (self.clone(), tx.tenant_id());
        tx.on_commit(move || webhooks.wake(tenant));
    }

    fn wake(&self, tenant: TenantId) {
        if let Ok(mut woken) = self.0.woken.lock() {
            woken.insert(tenant);
        }
        self.0.bell.notify_one();
    }

    fn take_woken(&self) -> HashSet<TenantId> {
        self.0.woken.lock().map(|mut woken| std::mem::take(&mut *woken)).unwrap_or_default()
    }

    /// Sends in the background from now on.
    pub fn start(&self) {
        if let Ok(mut task) = self.0.task.lock() {
            task.get_or_insert_with(|| tokio::spawn(timetable::run(self.clone())));
        }
    }

    /// Stops sending; what is on its way may end, for a few seconds. What does not is sent again by whoever finds it.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        let task = self.0.task.lock().ok().and_then(|mut task| task.take());
        if let Some(task) = task {
            // A task that panicked has ended as well.
            let _ = task.await;
        }
    }

    /// Sends everything that is due now, for all tenants, until nothing is left; for tests and the command line.
    ///
    /// # Errors
    /// When tenants cannot be listed or a database fails.
    pub async fn drain(&self) -> Result<(), WebhooksError> {
        for tenant in self.tenants().await.map_err(|error| WebhooksError(error.to_string()))? {
            serve::serve(self, tenant, &Notify::new())
                .await
                .map_err(|error| WebhooksError(error.to_string()))?;
        }
        self.take_woken();
        Ok(())
    }

    /// Every tenant with an active webhook.
    async fn tenants(&self) -> Result<Vec<TenantId>, LookupError> {
        let parts = &self.0.parts;
        let mut tenants = Vec::new();
        for placement in parts.lookup.list_databases().await? {
            match requesting_tenants(&parts.db, &placement).await {
                Ok(found) => tenants.extend(found),
                // Its merchants are found by the next sweep, the others now.
                Err(error) => {
                    tracing::warn!(database = %placement.database, error = %error, "webhooks cannot be listed");
                }
            }
        }
        Ok(tenants)
    }

    /// The context of sending for `tenant`; none for one that is not there any more.
    async fn context(&self, tenant: TenantId) -> Result<Option<Ctx>, LookupError> {
        let found = self.0.parts.lookup.find_tenant(tenant).await?;
        Ok(found.map(|tenant| Ctx::system(tenant, "webhooks", self.0.parts.clock.now())))
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.parts.db
    }

    pub(crate) fn key(&self) -> &MasterKey {
        &self.0.parts.master_key
    }

    pub(crate) fn types(&self) -> &'static [MessageType] {
        self.0.parts.types
    }

    pub(crate) fn resolver(&self) -> &Resolver {
        &self.0.resolver
    }
}
