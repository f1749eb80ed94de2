//! The issuers of all tenants in memory: there are few, and invented ones must not reach the database.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use db::DbError;
use jiff::SignedDuration;
use kernel::Timestamp;
use resilience::{Breakers, Group};

use super::{Issuer, fetch::Fetcher, find_issuers::list_active_issuers, key_set::KeySet};
use crate::Control;

const TTL: SignedDuration = SignedDuration::from_mins(10);

type ByUrl = HashMap<String, Vec<Arc<Issuer>>>;

struct Loaded {
    by_url: ByUrl,
    loaded_at: Timestamp,
}

/// The issuers with their keys.
pub(crate) struct Issuers {
    loaded: RwLock<Option<Arc<Loaded>>>,
    outdated: AtomicBool,
    turn: tokio::sync::Mutex<()>,
    key_sets: Mutex<HashMap<String, Arc<KeySet>>>,
    /// Around each issuer.
    breakers: Group,
    pub(super) fetcher: Fetcher,
}

impl Issuers {
    pub(crate) fn new(insecure: bool, breakers: &Breakers) -> Self {
        Self {
            loaded: RwLock::default(),
            outdated: AtomicBool::new(false),
            turn: tokio::sync::Mutex::default(),
            key_sets: Mutex::default(),
            breakers: breakers.group_of_lookups("issuers"),
            fetcher: Fetcher::new(insecure, breakers.retries("issuers")),
        }
    }

    /// Has them read again before the next use.
    pub(crate) fn outdate(&self) {
        self.outdated.store(true, Ordering::Release);
    }

    fn loaded(&self) -> Option<Arc<Loaded>> {
        self.loaded.read().ok().and_then(|loaded| loaded.clone())
    }

    fn fresh(&self, now: Timestamp) -> Option<Arc<Loaded>> {
        let loaded = self.loaded()?;
        let fresh = !self.outdated.load(Ordering::Acquire) && now.duration_since(loaded.loaded_at) < TTL;
        fresh.then_some(loaded)
    }

    /// The keys of the issuer at `url`. Only asked for configured issuers, so that there are never more than those.
    pub(super) fn key_set(&self, url: &str) -> Arc<KeySet> {
        let mut sets = self.key_sets.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(KeySet::new(self.breakers.breaker()));
        sets.entry(url.to_owned()).or_insert_with(make).clone()
    }

    fn keep(&self, loaded: Loaded) {
        let mut sets = self.key_sets.lock().unwrap_or_else(PoisonError::into_inner);
        sets.retain(|url, _| loaded.by_url.contains_key(url));
        drop(sets);
        if let Ok(mut slot) = self.loaded.write() {
            *slot = Some(Arc::new(loaded));
        }
    }
}

impl Control {
    /// The active issuers at `url`, of whichever tenants.
    pub(super) async fn issuers_at(&self, url: &str, now: Timestamp) -> Result<Vec<Arc<Issuer>>, DbError> {
        let at = |loaded: &Loaded| loaded.by_url.get(url).cloned().unwrap_or_default();
        let store = self.issuers();
        if let Some(loaded) = store.fresh(now) {
            return Ok(at(&loaded));
        }
        let _turn = store.turn.lock().await;
        if let Some(loaded) = store.fresh(now) {
            return Ok(at(&loaded));
        }
        store.outdated.store(false, Ordering::Release);
        match self.guarded(self.read_issuers()).await {
            Ok(by_url) => {
                let loaded = Loaded { by_url, loaded_at: now };
                let found = at(&loaded);
                store.keep(loaded);
                Ok(found)
            }
            Err(error) => {
                store.outdate();
                store.loaded().map(|loaded| at(&loaded)).ok_or(error)
            }
        }
    }

    async fn read_issuers(&self) -> Result<ByUrl, DbError> {
        let tx = self.db().control().await?;
        let issuers = list_active_issuers(&tx).await?;
        tx.commit().await?;
        let mut by_url = ByUrl::new();
        for issuer in issuers {
            by_url.entry(issuer.url.clone()).or_default().push(Arc::new(issuer));
        }
        Ok(by_url)
    }
}
