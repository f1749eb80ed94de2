//! Tokens that have been verified, by the SHA-256 of their text.
//!
//! An entry lives until the token expires or a [`Change`] touches it. A change that comes while a token is being
//! verified must not be lost: every change moves `epoch`, and what was verified under an older epoch is not kept.
//! When changes may have been missed, or the database could not be asked, entries are in doubt: they are verified
//! again, and used only while that is not possible.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use edge::Principal;
use jiff::SignedDuration;
use kernel::{TenantId, Timestamp};
use quick_cache::sync::Cache;

use super::opaque;
use crate::{
    accounts::{AccountId, SessionId},
    api_keys::KeyUse,
    change::Change,
};

/// What a verified token hangs on.
#[derive(Debug, Clone)]
pub(crate) enum Anchor {
    /// A sign-in at the built-in issuer.
    Account { account: AccountId, tenant: Option<TenantId>, session: Option<SessionId> },
    /// Made on the command line.
    Operator,
    /// A visitor's: ends with its time alone.
    Visitor,
    /// An external issuer's, for this tenant.
    External(TenantId),
    /// An API key.
    ApiKey(Arc<KeyUse>),
}

/// A token that has been verified.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) principal: Arc<Principal>,
    pub(crate) anchor: Anchor,
    /// False when only the signature could be checked, because the database was away.
    pub(crate) confirmed: bool,
}

/// What the cache knows of a token.
pub(crate) enum Found {
    /// It is good.
    Good(Arc<Verified>),
    /// It was good; to be verified again if that is possible.
    InDoubt(Arc<Verified>),
    /// Nothing.
    Unknown,
}

#[derive(Clone)]
struct Entry {
    verified: Arc<Verified>,
    era: u64,
    recheck_at: Timestamp,
}

/// Also without any news a token is verified again after this long: an issuer may have dropped its key.
const RECHECK: SignedDuration = SignedDuration::from_mins(10);

impl Anchor {
    fn is_touched_by(&self, change: Change) -> bool {
        match (self, change) {
            (Self::Account { account, .. }, Change::Account(changed)) => *account == changed,
            (Self::Account { account, tenant, .. }, Change::Membership(in_tenant, changed)) => {
                *account == changed && *tenant == Some(in_tenant)
            }
            (Self::Account { session, .. }, Change::Session(changed)) => *session == Some(changed),
            (Self::Account { tenant, .. }, Change::Roles(changed)) => *tenant == Some(changed),
            (Self::External(tenant), Change::Roles(changed)) => *tenant == changed,
            (Self::External(_), Change::Issuers) | (Self::Operator, Change::OperatorTokens) => true,
            (Self::ApiKey(key), Change::ApiKey(changed)) => key.id == changed,
            _ => false,
        }
    }
}

pub(crate) type Fingerprint = [u8; 32];

/// Bounded; the entries used least go first.
pub(crate) struct TokenCache {
    entries: Cache<Fingerprint, Entry>,
    epoch: AtomicU64,
    era: AtomicU64,
}

impl TokenCache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: Cache::new(capacity), epoch: AtomicU64::new(0), era: AtomicU64::new(1) }
    }

    /// The key of a token's entry.
    pub(crate) fn fingerprint(bearer: &str) -> Fingerprint {
        opaque::hash(bearer.as_bytes())
    }

    /// The entry, if its time is not over.
    pub(crate) fn find(&self, key: &Fingerprint, now: Timestamp) -> Found {
        match self.entries.get(key) {
            None => Found::Unknown,
            Some(entry) if entry.verified.principal.expires_at <= now => {
                self.entries.remove(key);
                Found::Unknown
            }
            Some(entry) if entry.era == self.era.load(Ordering::Acquire) && now < entry.recheck_at => {
                Found::Good(entry.verified)
            }
            Some(entry) => Found::InDoubt(entry.verified),
        }
    }

    /// To be read before anything is looked up for a verification.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Keeps what was `verified` at `now`, unless something has changed since `epoch`.
    pub(crate) fn keep(&self, key: Fingerprint, verified: Arc<Verified>, epoch: u64, now: Timestamp) {
        if self.epoch() != epoch {
            return;
        }
        let era = if verified.confirmed { self.era.load(Ordering::SeqCst) } else { 0 };
        let recheck_at = now.checked_add(RECHECK).unwrap_or(now);
        self.entries.insert(key, Entry { verified, era, recheck_at });
        // A change between the check and the insertion may have looked before the entry was there.
        if self.epoch() != epoch {
            self.entries.remove(&key);
        }
    }

    /// Forgets a token that turned out to be worthless.
    pub(crate) fn forget(&self, key: &Fingerprint) {
        self.entries.remove(key);
    }

    /// Drops what `change` touches.
    pub(crate) fn apply(&self, change: Change) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.entries.retain(|_, entry| !entry.verified.anchor.is_touched_by(change));
    }

    /// Puts everything in doubt, when changes may have been missed.
    pub(crate) fn doubt_all(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.era.fetch_add(1, Ordering::SeqCst);
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Actor, PermissionSet};

    use super::*;

    fn entry(account: AccountId, expires_s: i64) -> Arc<Verified> {
        let principal = Principal {
            actor: Actor::User("usr".into()),
            tenant: None,
            permissions: PermissionSet::default(),
            expires_at: at(expires_s),
        };
        let anchor = Anchor::Account { account, tenant: None, session: None };
        Arc::new(Verified { principal: Arc::new(principal), anchor, confirmed: true })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_entry_ends_with_its_token_and_with_its_account() {
        let cache = TokenCache::new(100);
        let (a, b) = (AccountId::new(), AccountId::new());
        let (key_a, key_b) = (TokenCache::fingerprint("a"), TokenCache::fingerprint("b"));
        cache.keep(key_a, entry(a, 100), cache.epoch(), at(0));
        cache.keep(key_b, entry(b, 100), cache.epoch(), at(0));
        assert!(matches!(cache.find(&key_a, at(99)), Found::Good(_)));
        cache.apply(Change::Account(a));
        assert!(matches!(cache.find(&key_a, at(99)), Found::Unknown));
        assert!(matches!(cache.find(&key_b, at(99)), Found::Good(_)));
        assert!(matches!(cache.find(&key_b, at(100)), Found::Unknown));
    }

    #[test]
    fn what_was_verified_before_a_change_is_not_kept() {
        let cache = TokenCache::new(100);
        let key = TokenCache::fingerprint("a");
        let epoch = cache.epoch();
        cache.apply(Change::Issuers);
        cache.keep(key, entry(AccountId::new(), 100), epoch, at(0));
        assert!(matches!(cache.find(&key, at(1)), Found::Unknown));
    }

    #[test]
    fn missed_changes_put_everything_in_doubt_until_verified_again() {
        let cache = TokenCache::new(100);
        let (account, key) = (AccountId::new(), TokenCache::fingerprint("a"));
        cache.keep(key, entry(account, 1000), cache.epoch(), at(0));
        cache.doubt_all();
        assert!(matches!(cache.find(&key, at(1)), Found::InDoubt(_)));
        cache.keep(key, entry(account, 1000), cache.epoch(), at(1));
        assert!(matches!(cache.find(&key, at(600)), Found::Good(_)));
        assert!(matches!(cache.find(&key, at(601)), Found::InDoubt(_)));
    }
}
