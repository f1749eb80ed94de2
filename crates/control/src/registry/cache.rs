//! Tenants in memory, by name and by identifier.
//!
//! An entry is fresh for 10 minutes unless a change makes it stale at once. A stale entry is looked up again; only
//! while the control database is away it is used on, for at most a day. Also "no such tenant" is remembered, briefly.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use jiff::SignedDuration;
use kernel::{Spending, Tenant, TenantId, Timestamp};
use quick_cache::sync::Cache;
use tokio::sync::{Mutex, MutexGuard};

/// How long "no such tenant" is believed.
const ABSENT_TTL: SignedDuration = SignedDuration::from_secs(30);
/// Lookups of different tenants that may run at once; those of one tenant wait for each other.
const STRIPES: usize = 64;

/// What was found at some time.
#[derive(Debug)]
pub(super) struct Entry {
    tenant: Option<Arc<Tenant>>,
    loaded_at: Timestamp,
    outdated: AtomicBool,
}

/// How long entries are good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    pub(crate) fresh: SignedDuration,
    pub(crate) stale: SignedDuration,
}

/// Bounded; the entries used least go first.
pub(crate) struct TenantCache {
    by_slug: Cache<Arc<str>, Arc<Entry>>,
    by_id: Cache<TenantId, Arc<Entry>>,
    lifetimes: Lifetimes,
    epoch: AtomicU64,
    hasher: RandomState,
    turns: Vec<Mutex<()>>,
    spending: Cache<TenantId, Spending>,
}

/// By what a tenant is looked up.
#[derive(Debug, Clone, Copy, Hash)]
pub(super) enum Key<'a> {
    Slug(&'a str),
    Id(TenantId),
}

impl TenantCache {
    pub(crate) fn new(capacity: usize, lifetimes: Lifetimes) -> Self {
        Self {
            by_slug: Cache::new(capacity),
            by_id: Cache::new(capacity),
            lifetimes,
            epoch: AtomicU64::new(0),
            hasher: RandomState::new(),
            turns: (0..STRIPES).map(|_| Mutex::default()).collect(),
            spending: Cache::new(capacity),
        }
    }

    fn get(&self, key: Key<'_>) -> Option<Arc<Entry>> {
        match key {
            Key::Slug(slug) => self.by_slug.get(slug),
            Key::Id(id) => self.by_id.get(&id),
        }
    }

    /// The answer, if it is fresh.
    pub(super) fn find(&self, key: Key<'_>, now: Timestamp) -> Option<Option<Arc<Tenant>>> {
        let entry = self.get(key)?;
        let ttl = if entry.tenant.is_some() { self.lifetimes.fresh } else { ABSENT_TTL };
        let fresh = !entry.outdated.load(Ordering::Acquire) && now.duration_since(entry.loaded_at) < ttl;
        fresh.then(|| entry.tenant.clone())
    }

    /// The tenant as it was known last, for when the database is away.
    pub(super) fn find_stale(&self, key: Key<'_>, now: Timestamp) -> Option<Arc<Tenant>> {
        let entry = self.get(key)?;
        let usable = now.duration_since(entry.loaded_at) < self.lifetimes.stale;
        if usable { entry.tenant.clone() } else { None }
    }

    /// Lets one caller at a time look a tenant up: the others find the answer in memory afterwards.
    pub(super) async fn take_turn(&self, key: Key<'_>) -> MutexGuard<'_, ()> {
        let hash = self.hasher.hash_one(key);
        let stripe = usize::try_from(hash % STRIPES as u64).unwrap_or(0);
        self.turns[stripe].lock().await
    }

    /// To be read before a lookup.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Keeps what a lookup begun at `epoch` found; outdated from the start if something has changed since.
    pub(super) fn keep(&self, key: Key<'_>, tenant: Option<Arc<Tenant>>, now: Timestamp, epoch: u64) {
        let entry = Arc::new(Entry { tenant, loaded_at: now, outdated: AtomicBool::new(false) });
        match (&entry.tenant, key) {
            (Some(tenant), _) => {
                self.by_slug.insert(tenant.slug.clone(), entry.clone());
                self.by_id.insert(tenant.id, entry.clone());
            }
            (None, Key::Slug(slug)) => self.by_slug.insert(slug.into(), entry.clone()),
            (None, Key::Id(id)) => self.by_id.insert(id, entry.clone()),
        }
        if self.epoch() != epoch {
            entry.outdated.store(true, Ordering::Release);
        }
    }

    /// What the tenant has spent in this process, the same in each of its entries. Of more tenants than there is room for, the least
    /// used are forgotten and begin anew.
    pub(super) fn spending(&self, id: TenantId) -> Spending {
        let made = || Ok::<_, std::convert::Infallible>(Spending::default());
        let Ok(spending) = self.spending.get_or_insert_with(&id, made);
        spending
    }

    /// Makes the entry of one tenant outdated, and every "no such tenant": it may be a new one.
    pub(crate) fn outdate(&self, id: TenantId) {
        self.outdate_where(|entry| entry.tenant.as_ref().is_none_or(|tenant| tenant.id == id));
    }

    /// Makes every entry outdated.
    pub(crate) fn outdate_all(&self) {
        self.outdate_where(|_| true);
    }

    fn outdate_where(&self, applies: impl Fn(&Entry) -> bool) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        let entries = self.by_slug.iter().map(|(_, entry)| entry);
        for entry in entries.chain(self.by_id.iter().map(|(_, entry)| entry)) {
            if applies(&entry) {
                entry.outdated.store(true, Ordering::Release);
            }
        }
    }

    /// How many tenants are in memory.
    pub(crate) fn len(&self) -> usize {
        self.by_slug.len()
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Currency, Flags, Placement, TenantSettings, TenantStatus, Tier};

    use super::*;

    fn tenant(slug: &str) -> Arc<Tenant> {
        Arc::new(Tenant {
            id: TenantId::new(),
            slug: slug.into(),
            name: slug.into(),
            tier: Tier::Free,
            status: TenantStatus::Active,
            currency: Currency::EUR,
            settings: TenantSettings::default(),
            placement: Placement { shard: "a".into(), database: "b".into(), dedicated: false },
            rate_limit: None,
            flags: Flags::default(),
            spending: kernel::Spending::default(),
        })
    }

    fn cache() -> TenantCache {
        let lifetimes =
            Lifetimes { fresh: SignedDuration::from_mins(10), stale: SignedDuration::from_hours(24) };
        TenantCache::new(100, lifetimes)
    }

    // PLT-3
    #[test]
    fn an_entry_is_fresh_for_ten_minutes_and_a_fallback_for_a_day() {
        let (cache, acme, start) = (cache(), tenant("acme"), Timestamp::UNIX_EPOCH);
        cache.keep(Key::Slug("acme"), Some(acme.clone()), start, cache.epoch());
        let after = |minutes| start + SignedDuration::from_mins(minutes);
        assert_eq!(cache.find(Key::Slug("acme"), after(9)), Some(Some(acme.clone())));
        assert_eq!(cache.find(Key::Id(acme.id), after(9)), Some(Some(acme.clone())));
        assert_eq!(cache.find(Key::Slug("acme"), after(10)), None);
        assert_eq!(cache.find_stale(Key::Slug("acme"), after(60 * 23)), Some(acme));
        assert_eq!(cache.find_stale(Key::Slug("acme"), after(60 * 24)), None);
    }

    #[test]
    fn a_change_outdates_the_entry_but_leaves_it_as_a_fallback() {
        let (cache, acme, other, now) = (cache(), tenant("acme"), tenant("other"), Timestamp::UNIX_EPOCH);
        for tenant in [&acme, &other] {
            cache.keep(Key::Id(tenant.id), Some(tenant.clone()), now, cache.epoch());
        }
        cache.outdate(acme.id);
        assert_eq!(cache.find(Key::Slug("acme"), now), None);
        assert_eq!(cache.find_stale(Key::Slug("acme"), now), Some(acme));
        assert!(cache.find(Key::Slug("other"), now).is_some());
    }

    #[test]
    fn a_lookup_that_a_change_overtook_is_outdated_from_the_start() {
        let (cache, acme, now) = (cache(), tenant("acme"), Timestamp::UNIX_EPOCH);
        let epoch = cache.epoch();
        cache.outdate(acme.id);
        cache.keep(Key::Slug("acme"), Some(acme), now, epoch);
        assert_eq!(cache.find(Key::Slug("acme"), now), None);
    }

    #[test]
    fn an_unknown_name_is_remembered_briefly_and_forgotten_with_the_next_new_tenant() {
        let (cache, now) = (cache(), Timestamp::UNIX_EPOCH);
        cache.keep(Key::Slug("new"), None, now, cache.epoch());
        assert_eq!(cache.find(Key::Slug("new"), now + SignedDuration::from_secs(29)), Some(None));
        assert_eq!(cache.find(Key::Slug("new"), now + SignedDuration::from_secs(30)), None);
        cache.outdate(TenantId::new());
        assert_eq!(cache.find(Key::Slug("new"), now), None);
        assert_eq!(cache.find_stale(Key::Slug("new"), now), None);
    }
}
