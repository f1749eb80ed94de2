//! Which origins browsers may call from, over all tenants: a preflight names no tenant.

use std::{
    collections::HashSet,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use db::DbError;
use edge::RegistryError;
use jiff::SignedDuration;
use kernel::Timestamp;
use tokio::sync::Mutex;

use crate::Control;

/// The whole set is read at once, so that invented origins never reach the database.
const MOST: i64 = 100_000;
const TTL: SignedDuration = SignedDuration::from_mins(10);

#[derive(Debug)]
struct Known {
    origins: HashSet<Box<str>>,
    loaded_at: Timestamp,
}

/// The origins that any active tenant lists.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    known: RwLock<Option<Arc<Known>>>,
    outdated: AtomicBool,
    turn: Mutex<()>,
}

impl Origins {
    /// Has them read again before the next use.
    pub(crate) fn outdate(&self) {
        self.outdated.store(true, Ordering::Release);
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.known.read().ok().and_then(|known| known.clone())
    }

    fn fresh(&self, now: Timestamp) -> Option<Arc<Known>> {
        let known = self.known()?;
        let fresh = !self.outdated.load(Ordering::Acquire) && now.duration_since(known.loaded_at) < TTL;
        fresh.then_some(known)
    }
}

impl Control {
    pub(super) async fn find_origin(&self, origin: &str) -> Result<bool, RegistryError> {
        let now = self.clock().now();
        let store = self.origins();
        if let Some(known) = store.fresh(now) {
            return Ok(known.origins.contains(origin));
        }
        let _turn = store.turn.lock().await;
        if let Some(known) = store.fresh(now) {
            return Ok(known.origins.contains(origin));
        }
        store.outdated.store(false, Ordering::Release);
        match self.guarded(self.read_origins()).await {
            Ok(origins) => {
                let found = origins.contains(origin);
                if let Ok(mut slot) = store.known.write() {
                    *slot = Some(Arc::new(Known { origins, loaded_at: now }));
                }
                Ok(found)
            }
            Err(error) => {
                store.outdate();
                let known = store.known().ok_or_else(|| RegistryError(error.to_string()))?;
                Ok(known.origins.contains(origin))
            }
        }
    }

    async fn read_origins(&self) -> Result<HashSet<Box<str>>, DbError> {
        let tx = self.db().control().await?;
        let rows = tx.query(include_str!("list_origins.sql"), &[&MOST]).await?;
        tx.commit().await?;
        rows.iter().map(|row| Ok(row.try_get::<_, String>(0)?.into())).collect()
    }
}
