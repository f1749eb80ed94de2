//! Caches of many processes: who changes what others cache says so in the transaction, every process hears it.
//!
//! [`crate::TenantTx::notify_invalidate`] sends at commit; [`Invalidations::listen`] keeps one session per database
//! that hears it. Between losing that session and having a new one anything may have changed, so that subscribers are
//! then told to forget everything of that database.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, RwLock},
    time::Duration,
};

use kernel::Placement;
use tokio::task::AbortHandle;

use crate::{Db, DbError, relay::Notice, relay::RelayConn};

const CHANNEL: &str = "markethall_invalidate";
const RECONNECT_MIN: Duration = Duration::from_millis(100);
const RECONNECT_MAX: Duration = Duration::from_secs(5);

/// Where a change happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// In the control database.
    Control,
    /// In a database of tenants.
    Tenants(Placement),
}

/// What to forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale<'a> {
    /// What is held under this key.
    Key(&'a str),
    /// All that came from that database.
    All,
}

type Subscriber = Box<dyn Fn(&Source, Stale<'_>) + Send + Sync>;

#[derive(Default)]
struct Inner {
    subscribers: RwLock<Vec<Subscriber>>,
    listeners: Mutex<HashMap<Source, AbortHandle>>,
}

/// The caches of this process that want to know. Cheap to clone; listeners end with [`Invalidations::close`].
#[derive(Clone, Default)]
pub struct Invalidations(Arc<Inner>);

impl fmt::Debug for Invalidations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invalidations").finish_non_exhaustive()
    }
}

impl Invalidations {
    /// Nobody subscribed, nothing listened to.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `subscriber` for every change heard from now on; it must not block.
    pub fn subscribe(&self, subscriber: impl Fn(&Source, Stale<'_>) + Send + Sync + 'static) {
        if let Ok(mut subscribers) = self.0.subscribers.write() {
            subscribers.push(Box::new(subscriber));
        }
    }

    /// Hears what is sent in the database of `source` from now on, through reconnects; twice is once.
    pub fn listen(&self, db: &Db, source: Source) {
        let Ok(mut listeners) = self.0.listeners.lock() else { return };
        listeners.entry(source.clone()).or_insert_with(|| {
            let (hub, db) = (Arc::downgrade(&self.0), db.clone());
            let told = move |source: &Source, stale: Stale<'_>| match hub.upgrade() {
                Some(inner) => tell(&inner, source, stale),
                None => false,
            };
            tokio::spawn(async move { hear(&db, &source, &told).await }).abort_handle()
        });
    }

    /// Stops listening to `source`, for a database that goes away.
    pub fn unlisten(&self, source: &Source) {
        if let Some(listener) = self.0.listeners.lock().ok().and_then(|mut all| all.remove(source)) {
            listener.abort();
        }
    }

    /// Stops all listening.
    pub fn close(&self) {
        if let Ok(mut listeners) = self.0.listeners.lock() {
            listeners.drain().for_each(|(_, listener)| listener.abort());
        }
    }

    /// Tells this process' own subscribers, for changes that need no other process.
    pub fn tell(&self, source: &Source, stale: Stale<'_>) {
        tell(&self.0, source, stale);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Ok(listeners) = self.listeners.get_mut() {
            listeners.drain().for_each(|(_, listener)| listener.abort());
        }
    }
}

fn tell(inner: &Inner, source: &Source, stale: Stale<'_>) -> bool {
    if let Ok(subscribers) = inner.subscribers.read() {
        subscribers.iter().for_each(|subscriber| subscriber(source, stale));
    }
    true
}

/// Connects, hears, connects again; ends when nobody is there to be told.
async fn hear(db: &Db, source: &Source, told: &(dyn Fn(&Source, Stale<'_>) -> bool + Send + Sync)) {
    let mut pause = RECONNECT_MIN;
    loop {
        match connect(db, source).await {
            Ok(session) => {
                pause = RECONNECT_MIN;
                if !told(source, Stale::All) || !relate(&session, source, told).await {
                    return;
                }
                if !told(source, Stale::All) {
                    return;
                }
            }
            Err(error) => {
                tracing::debug!(source = ?source, error = %error, "cannot listen for invalidations")
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RECONNECT_MAX);
    }
}

/// Passes on what `session` hears until it is lost; false when nobody listens any more.
async fn relate(
    session: &RelayConn,
    source: &Source,
    told: &(dyn Fn(&Source, Stale<'_>) -> bool + Send + Sync),
) -> bool {
    while let Some(notice) = session.next_notice().await {
        let listening = match &notice {
            Notice::Sent { channel, payload } if channel == CHANNEL => told(source, Stale::Key(payload)),
            Notice::Sent { .. } => true,
            Notice::Missed => told(source, Stale::All),
        };
        if !listening {
            return false;
        }
    }
    true
}

async fn connect(db: &Db, source: &Source) -> Result<RelayConn, DbError> {
    let session = match source {
        Source::Control => db.control_session().await?,
        Source::Tenants(placement) => db.relay(placement).await?,
    };
    session.query("listen markethall_invalidate", &[]).await?;
    Ok(session)
}
