//! Turns by tenant: each has so many at once, however many the others take.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use kernel::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A turn, given back when dropped.
pub(crate) type Turn = OwnedSemaphorePermit;

/// The turns of every tenant; kept only for those that have or want one.
#[derive(Debug)]
pub(crate) struct TenantTurns {
    most: usize,
    by_tenant: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
}

impl TenantTurns {
    /// `most` at once for each tenant.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, by_tenant: Mutex::default() }
    }

    /// Waits for a turn; `None` never in practice, because nobody closes them.
    pub(crate) async fn take(&self, tenant: TenantId) -> Option<Turn> {
        self.of(tenant).acquire_owned().await.ok()
    }

    /// A turn when one is free now.
    pub(crate) fn try_take(&self, tenant: TenantId) -> Option<Turn> {
        self.of(tenant).try_acquire_owned().ok()
    }

    fn of(&self, tenant: TenantId) -> Arc<Semaphore> {
        let mut known = self.by_tenant.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever has or awaits a turn holds a reference; what nobody holds is as good as new.
        known.retain(|_, turns| Arc::strong_count(turns) > 1);
        known.entry(tenant).or_insert_with(|| Arc::new(Semaphore::new(self.most))).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // CAT-3: one merchant's imports do not take the places of all others.
    #[tokio::test]
    async fn a_tenant_waits_for_its_own_turn_and_never_for_anothers() {
        let turns = TenantTurns::new(1);
        let (mine, theirs) = (TenantId::new(), TenantId::new());
        let first = turns.take(mine).await.unwrap();
        assert!(turns.try_take(mine).is_none());
        let other = turns.try_take(theirs).unwrap();
        let waiting = turns.take(mine);
        futures::pin_mut!(waiting);
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(first);
        drop(waiting.await.unwrap());
        drop(other);
        assert!(turns.try_take(mine).is_some());
        assert_eq!(turns.by_tenant.lock().unwrap().len(), 1);
    }
}
