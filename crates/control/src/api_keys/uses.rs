//! When keys were used last: noted in memory on the hot path, written by and by.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use db::DbError;
use kernel::{TenantId, Timestamp};

use super::ApiKeyId;
use crate::Control;

/// Keys noted between two writings; beyond this the uses of further keys are not noted.
const MOST_NOTED: usize = 10_000;

/// A key in the cache of verified tokens.
#[derive(Debug)]
pub(crate) struct KeyUse {
    pub(crate) id: ApiKeyId,
    tenant: TenantId,
    noted_minute: AtomicI64,
}

impl KeyUse {
    pub(super) fn new(id: ApiKeyId, tenant: TenantId) -> Self {
        Self { id, tenant, noted_minute: AtomicI64::new(i64::MIN) }
    }

    /// Notes a use; costs one atomic read unless a minute has passed since the last one noted.
    pub(crate) fn touch(&self, control: &Control, now: Timestamp) {
        let minute = now.as_second().div_euclid(60);
        if self.noted_minute.load(Ordering::Relaxed) < minute
            && self.noted_minute.swap(minute, Ordering::Relaxed) < minute
        {
            control.key_uses().note(self.tenant, self.id, now);
        }
    }
}

/// Uses that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct KeyUses(Mutex<HashMap<(TenantId, ApiKeyId), Timestamp>>);

impl KeyUses {
    fn note(&self, tenant: TenantId, id: ApiKeyId, now: Timestamp) {
        if let Ok(mut noted) = self.0.lock()
            && (noted.len() < MOST_NOTED || noted.contains_key(&(tenant, id)))
        {
            noted.insert((tenant, id), now);
        }
    }

    fn take(&self) -> HashMap<(TenantId, ApiKeyId), Timestamp> {
        self.0.lock().map(|mut noted| std::mem::take(&mut *noted)).unwrap_or_default()
    }
}

impl Control {
    /// Writes down when keys were used last. What cannot be written now is lost: it is only a hint, to the minute.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn flush_key_uses(&self) -> Result<(), DbError> {
        let noted = self.key_uses().take();
        if noted.is_empty() {
            return Ok(());
        }
        let (keys, times): (Vec<_>, Vec<Timestamp>) = noted.into_iter().unzip();
        let (tenants, ids): (Vec<TenantId>, Vec<ApiKeyId>) = keys.into_iter().unzip();
        let tx = self.db().control().await?;
        tx.execute(include_str!("note_uses.sql"), &[&tenants, &ids, &times]).await?;
        tx.commit().await
    }
}
