//! First pages of lists and the category tree, as they go out: serialised, for a minute at most.

use std::sync::Arc;

use bytes::Bytes;
use db::Epochs;
use jiff::Timestamp;
use kernel::TenantId;
use quick_cache::{Weighter, sync::Cache};

use crate::list_products::{Extras, ProductFilter};

/// How long an entry lives at most: the bound on staleness should a notification be lost.
const LIFETIME_S: i64 = 60;
/// What an entry costs beside its body and key, in bytes; with it the bound on bytes bounds their number, too.
const OVERHEAD: u64 = 1_024;
/// Larger pages are not kept: one of them would push out many small ones.
const BODY_BYTES: usize = 1 << 20;

/// What a list was asked for; equal when the answer must be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ListQuery {
    /// A page of products.
    Products(ProductFilter, Extras),
    /// The category tree, or the part below a path.
    Categories(Option<String>),
}

impl ListQuery {
    fn weight(&self) -> u64 {
        let texts = match self {
            Self::Products(filter, _) => filter.text_bytes(),
            Self::Categories(parent) => parent.as_ref().map_or(0, String::len),
        };
        texts as u64
    }
}

/// A list of one tenant, as it was before the next change of anything in the tenant's catalog.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ListKey {
    tenant: TenantId,
    query: Arc<ListQuery>,
    epoch: u64,
}

#[derive(Debug, Clone)]
struct CachedList {
    body: Bytes,
    expires_at_s: i64,
}

#[derive(Debug, Clone)]
struct ListWeight;

impl Weighter<ListKey, CachedList> for ListWeight {
    fn weight(&self, key: &ListKey, list: &CachedList) -> u64 {
        list.body.len() as u64 + key.query.weight() + OVERHEAD
    }
}

/// The lists of one process. The epoch of the tenant is part of the key: after a change nobody asks for the entries
/// before it, and they fall out.
pub(crate) struct ListCache {
    kept: Cache<ListKey, CachedList, ListWeight>,
    epochs: Epochs,
}

impl ListKey {
    pub(crate) fn query(&self) -> &ListQuery {
        &self.query
    }
}

impl ListCache {
    /// A cache of at most `bytes`.
    pub(crate) fn new(bytes: u64) -> Self {
        let entries = usize::try_from(bytes / 8_192).unwrap_or(1_024).clamp(64, 16_384);
        Self { kept: Cache::with_weighter(entries, bytes, ListWeight), epochs: Epochs::new() }
    }

    /// The key of a list as of now; to be made before the list is read.
    pub(crate) fn key(&self, tenant: TenantId, query: ListQuery) -> ListKey {
        ListKey { tenant, query: Arc::new(query), epoch: self.epoch(tenant) }
    }

    /// Counts the changes in the tenant's catalog.
    pub(crate) fn epoch(&self, tenant: TenantId) -> u64 {
        self.epochs.of(&tenant)
    }

    pub(crate) fn find(&self, key: &ListKey, now: Timestamp) -> Option<Bytes> {
        self.kept.get(key).filter(|found| now.as_second() < found.expires_at_s).map(|found| found.body)
    }

    /// Keeps a list that was right at `now`, after `key` was made.
    pub(crate) fn put(&self, key: ListKey, body: Bytes, now: Timestamp) {
        if body.len() <= BODY_BYTES {
            self.kept.insert(key, CachedList { body, expires_at_s: now.as_second() + LIFETIME_S });
        }
    }

    /// Makes all lists of a tenant stale.
    pub(crate) fn forget_tenant(&self, tenant: TenantId) {
        self.epochs.move_on(&tenant);
    }

    /// Makes everything stale.
    pub(crate) fn forget_all(&self) {
        self.epochs.move_all_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(path: &str) -> ListQuery {
        ListQuery::Categories(Some(path.to_owned()))
    }

    // CAT-4, DPR-6
    #[test]
    fn a_list_is_found_by_its_own_tenant_until_a_change_or_for_a_minute() {
        let cache = ListCache::new(1 << 20);
        let (tenant, other, now) = (TenantId::new(), TenantId::new(), Timestamp::UNIX_EPOCH);
        let key = cache.key(tenant, below("A"));
        cache.put(key.clone(), Bytes::from_static(b"[]"), now);
        assert!(cache.find(&key, now).is_some());
        assert!(cache.find(&cache.key(tenant, below("B")), now).is_none());
        assert!(cache.find(&cache.key(other, below("A")), now).is_none());
        assert!(cache.find(&key, Timestamp::from_second(LIFETIME_S).unwrap()).is_none());
        cache.forget_tenant(tenant);
        assert!(cache.find(&cache.key(tenant, below("A")), now).is_none());
    }

    #[test]
    fn what_was_read_before_a_change_is_not_found_after_it() {
        let cache = ListCache::new(1 << 20);
        let (tenant, now) = (TenantId::new(), Timestamp::UNIX_EPOCH);
        let before = cache.key(tenant, below("A"));
        cache.forget_tenant(tenant);
        cache.put(before, Bytes::from_static(b"[]"), now);
        assert!(cache.find(&cache.key(tenant, below("A")), now).is_none());
    }

    #[test]
    fn many_small_lists_and_one_huge_one_stay_within_the_bounds() {
        let cache = ListCache::new(256 << 10);
        let (tenant, now) = (TenantId::new(), Timestamp::UNIX_EPOCH);
        for n in 0..5_000 {
            cache.put(cache.key(tenant, below(&n.to_string())), Bytes::from_static(b"[]"), now);
        }
        assert!(cache.kept.weight() <= 256 << 10 && cache.kept.len() <= 256);
        let huge = cache.key(tenant, below("huge"));
        cache.put(huge.clone(), Bytes::from(vec![b' '; BODY_BYTES + 1]), now);
        assert!(cache.find(&huge, now).is_none());
    }
}
