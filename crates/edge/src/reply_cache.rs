//! Answers about one thing by its id, serialised, in memory: for things that seldom change and are asked for again.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use db::Epochs;
use kernel::TenantId;
use moka::sync::Cache;
use serde::Serialize;
use uuid::Uuid;

/// How long an entry lives at most: the bound on staleness should a notification be lost.
const LIFETIME: Duration = Duration::from_secs(600);
/// What an entry costs beside its body, in bytes.
const OVERHEAD: usize = 200;

/// A serialised answer and its entity tag.
#[derive(Debug, Clone)]
pub struct CachedReply<T> {
    /// JSON.
    pub body: Bytes,
    /// Another one for every change.
    pub etag: Box<str>,
    /// What must be known to decide who may see it.
    pub about: T,
    epoch: u64,
}

/// The answers of one kind. Bounded by bytes; what is cold falls out, what has changed is stale at once (see
/// [`Epochs`]). Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReplyCache<T: Clone + Send + Sync + 'static> {
    kind: &'static str,
    kept: Cache<(TenantId, Uuid), CachedReply<T>>,
    epochs: Arc<Epochs>,
}

/// Under which key other processes are told that the answer of that kind about `id` has changed.
#[must_use]
pub fn reply_key(kind: &str, tenant: TenantId, id: Uuid) -> String {
    format!("{kind}:{tenant}:{id}")
}

impl<T: Clone + Send + Sync + 'static> ReplyCache<T> {
    /// A cache for answers of `kind`, of at most `bytes`.
    #[must_use]
    pub fn new(kind: &'static str, bytes: u64) -> Self {
        let weigh = |_: &(TenantId, Uuid), reply: &CachedReply<T>| {
            u32::try_from(reply.body.len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        let kept = Cache::builder().max_capacity(bytes).weigher(weigh).time_to_live(LIFETIME).build();
        Self { kind, kept, epochs: Arc::default() }
    }

    /// The answer if it is here and no change is known since it was read.
    #[must_use]
    pub fn find(&self, tenant: TenantId, id: Uuid) -> Option<CachedReply<T>> {
        self.kept.get(&(tenant, id)).filter(|found| found.epoch == self.epoch(tenant, id))
    }

    /// To be taken before a thing is read whose answer is to be kept.
    #[must_use]
    pub fn epoch(&self, tenant: TenantId, id: Uuid) -> u64 {
        self.epochs.of(&(tenant, id))
    }

    /// Keeps the answer `value` about a thing that was read after `epoch` was taken.
    ///
    /// # Errors
    /// When it cannot be serialised.
    pub fn keep(
        &self,
        place: (TenantId, Uuid),
        value: &impl Serialize,
        etag: &str,
        about: T,
        epoch: u64,
    ) -> Result<CachedReply<T>, serde_json::Error> {
        let body = serde_json::to_vec(value)?.into();
        let cached = CachedReply { body, etag: etag.into(), about, epoch };
        self.kept.insert(place, cached.clone());
        Ok(cached)
    }

    /// Forgets what `key` (see [`reply_key`]) names; other keys are not for this cache.
    pub fn forget_key(&self, key: &str) {
        let mut parts = key.split(':');
        if parts.next() != Some(self.kind) {
            return;
        }
        if let (Some(Ok(tenant)), Some(Ok(id))) = (parts.next().map(str::parse), parts.next().map(str::parse))
        {
            self.forget(tenant, id);
        }
    }

    /// Forgets the answer about a thing that changed.
    pub fn forget(&self, tenant: TenantId, id: Uuid) {
        self.epochs.move_on(&(tenant, id));
    }

    /// Forgets everything: after a gap in the news nothing here can be trusted.
    pub fn clear(&self) {
        self.epochs.move_all_on();
    }
}
