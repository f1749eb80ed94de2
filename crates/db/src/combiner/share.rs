//! How much of a worker's queue one tenant may take.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use kernel::TenantId;

/// Counts what each tenant has waiting with one worker.
pub(super) struct Shares {
    counts: Arc<Mutex<HashMap<TenantId, usize>>>,
    most: usize,
}

/// One place; given back when dropped.
pub(super) struct Share {
    counts: Arc<Mutex<HashMap<TenantId, usize>>>,
    tenant: TenantId,
}

impl Shares {
    pub(super) fn new(most: usize) -> Self {
        Self { counts: Arc::default(), most }
    }

    /// A place for one more, unless the tenant has as many as it may.
    pub(super) fn take(&self, tenant: TenantId) -> Option<Share> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(tenant).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Share { counts: Arc::clone(&self.counts), tenant })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_its_share_and_no_more_and_gives_it_back() {
        let (shares, one, other) = (Shares::new(2), TenantId::new(), TenantId::new());
        let first = shares.take(one);
        let second = shares.take(one);
        assert!(first.is_some() && second.is_some() && shares.take(one).is_none());
        assert!(shares.take(other).is_some());
        drop(first);
        assert!(shares.take(one).is_some());
        drop(second);
        assert_eq!(shares.counts.lock().map(|counts| counts.len()).unwrap_or(9), 0);
    }
}
