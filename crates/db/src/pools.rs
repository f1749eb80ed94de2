//! The open pools: one for each database and purpose, no more than there is room for.

use std::{
    collections::HashMap,
    sync::{
        RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use deadpool_postgres::Pool;

use crate::{DbError, counts::POOLS_CLOSED, pool::PoolKey};

/// Pools of dedicated databases that are open at once (RES-5); of more the longest unused are closed.
const MOST_DEDICATED: usize = 100;
/// A pool of a dedicated database that nobody uses for so long is closed.
const IDLE: Duration = Duration::from_secs(3600);

/// The pools of tenant databases. A closed pool ends its connections as they come back; what runs on them goes on.
pub(crate) struct Pools {
    began: Instant,
    open: RwLock<HashMap<PoolKey, Entry>>,
    most_dedicated: usize,
}

struct Entry {
    pool: Pool,
    dedicated: bool,
    /// In seconds since the process began.
    used: AtomicU64,
}

impl Default for Pools {
    fn default() -> Self {
        Self { began: Instant::now(), open: RwLock::default(), most_dedicated: MOST_DEDICATED }
    }
}

impl Pools {
    /// The pool of `key`, made by `make` where there is none; makes room by closing idle ones.
    pub(crate) fn get_or_open(
        &self,
        key: PoolKey,
        dedicated: bool,
        make: impl FnOnce() -> Result<Pool, DbError>,
    ) -> Result<Pool, DbError> {
        let now = self.began.elapsed().as_secs();
        if let Some(entry) = self.open.read().ok().as_ref().and_then(|open| open.get(&key)) {
            entry.used.store(now, Ordering::Relaxed);
            return Ok(entry.pool.clone());
        }
        let poisoned = |_| DbError::Other("pool table is poisoned".to_owned());
        let mut open = self.open.write().map_err(poisoned)?;
        if let Some(entry) = open.get(&key) {
            return Ok(entry.pool.clone());
        }
        let pool = make()?;
        // Before it is among them: of pools used within the same second it must not be the one that is closed.
        make_room(&mut open, self.most_dedicated.saturating_sub(usize::from(dedicated)), now);
        open.insert(key, Entry { pool: pool.clone(), dedicated, used: AtomicU64::new(now) });
        Ok(pool)
    }

    /// Closes the pools of dedicated databases that nobody has used for an hour.
    pub(crate) fn close_idle(&self) {
        if let Ok(mut open) = self.open.write() {
            make_room(&mut open, self.most_dedicated, self.began.elapsed().as_secs());
        }
    }

    /// Closes those pools of which `gone` is true.
    pub(crate) fn close(&self, gone: impl Fn(&PoolKey) -> bool) {
        if let Ok(mut open) = self.open.write() {
            open.retain(|key, entry| {
                let gone = gone(key);
                if gone {
                    entry.pool.close();
                }
                !gone
            });
        }
    }

    /// Every open pool.
    pub(crate) fn all(&self) -> Vec<(PoolKey, Pool)> {
        let open = self.open.read();
        open.map_or_else(
            |_| Vec::new(),
            |open| open.iter().map(|(key, it)| (key.clone(), it.pool.clone())).collect(),
        )
    }
}

/// Closes dedicated pools: those that were idle for long, then the longest unused until `most` are left.
fn make_room(open: &mut HashMap<PoolKey, Entry>, most: usize, now: u64) {
    let mut dedicated: Vec<(u64, PoolKey)> = open
        .iter()
        .filter(|(_, entry)| entry.dedicated)
        .map(|(key, entry)| (entry.used.load(Ordering::Relaxed), key.clone()))
        .collect();
    dedicated.sort_unstable_by_key(|(used, _)| *used);
    let surplus = dedicated.len().saturating_sub(most);
    for (at, (used, key)) in dedicated.into_iter().enumerate() {
        let idle = now.saturating_sub(used) >= IDLE.as_secs();
        if (at < surplus || idle)
            && let Some(entry) = open.remove(&key)
        {
            entry.pool.close();
            POOLS_CLOSED.increment(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use deadpool_postgres::{Manager, Runtime};
    use tokio_postgres::NoTls;

    use super::*;
    use crate::pool::Profile;

    fn key(database: &str) -> PoolKey {
        (Arc::from("main"), Arc::from(database), Profile::General)
    }

    fn pool() -> Result<Pool, DbError> {
        let manager = Manager::new(tokio_postgres::Config::new(), NoTls);
        Pool::builder(manager).runtime(Runtime::Tokio1).build().map_err(|it| DbError::Other(it.to_string()))
    }

    // RES-5
    #[test]
    fn of_too_many_dedicated_pools_the_longest_unused_are_closed_and_shared_ones_stay() {
        let pools = Pools { most_dedicated: 3, ..Pools::default() };
        let shared = pools.get_or_open(key("shared"), false, pool).unwrap();
        let first: Vec<_> =
            (0..3).map(|it| pools.get_or_open(key(&format!("own{it}")), true, pool).unwrap()).collect();
        // The first is used again, so that the second is the longest unused; the fourth comes within the same second.
        for (at, name) in ["own1", "own2", "own0"].iter().enumerate() {
            pools.open.read().unwrap()[&key(name)].used.store(at as u64, Ordering::Relaxed);
        }
        pools.get_or_open(key("own3"), true, pool).unwrap();
        let closed: Vec<_> = first.iter().map(Pool::is_closed).collect();
        assert_eq!(closed, [false, true, false]);
        assert!(!shared.is_closed());
        assert_eq!(pools.all().len(), 4);
    }

    // RES-5
    #[test]
    fn a_dedicated_pool_that_is_idle_for_an_hour_is_closed() {
        let mut open = HashMap::new();
        for (name, dedicated, used) in [("shared", false, 0), ("idle", true, 100), ("busy", true, 101)] {
            let entry = Entry { pool: pool().unwrap(), dedicated, used: AtomicU64::new(used) };
            open.insert(key(name), entry);
        }
        make_room(&mut open, 100, 3700);
        let mut left: Vec<_> = open.keys().map(|(_, database, _)| database.to_string()).collect();
        left.sort();
        assert_eq!(left, ["busy", "shared"]);
    }
}
