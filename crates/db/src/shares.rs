//! How many connections of a database one tenant may hold at once (RES-5).

use std::{sync::Arc, time::Duration};

use kernel::{Tenant, TenantId, Tier};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{DbError, counts::SHARES_REFUSED};

/// Tenants whose share is remembered; a forgotten one begins with a whole share.
const MOST_TENANTS: usize = 10_000;

/// How many connections a tenant may hold at once, by tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TierShares {
    /// Of the tier `free`.
    pub free: usize,
    /// Of the tier `standard`.
    pub standard: usize,
    /// Of the tier `enterprise`.
    pub enterprise: usize,
}

impl Default for TierShares {
    fn default() -> Self {
        Self { free: 5, standard: 20, enterprise: 40 }
    }
}

impl TierShares {
    fn of(&self, tier: Tier) -> usize {
        match tier {
            Tier::Free => self.free,
            Tier::Standard => self.standard,
            Tier::Enterprise => self.enterprise,
        }
    }
}

/// The bulkheads of tenants, those with a database of their own among them.
pub(crate) struct Shares {
    tiers: TierShares,
    pool: usize,
    wait: Duration,
    tenants: Cache<TenantId, Arc<Semaphore>>,
}

impl Shares {
    /// For pools of `pool` connections.
    pub(crate) fn new(tiers: TierShares, pool: usize, wait: Duration) -> Self {
        Self { tiers, pool, wait, tenants: Cache::new(MOST_TENANTS) }
    }

    /// Leave to hold one connection; waits for the tenant's other requests to end.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when none of them ends in time.
    pub(crate) async fn take(&self, tenant: &Tenant) -> Result<OwnedSemaphorePermit, DbError> {
        let made = self.tenants.get_or_insert_with(&tenant.id, || {
            // Whatever the tier says, others in the same database must find a connection too.
            let most = if tenant.placement.dedicated { self.pool } else { self.pool * 3 / 4 };
            let share = self.tiers.of(tenant.tier).clamp(1, most.max(1));
            Ok::<_, std::convert::Infallible>(Arc::new(Semaphore::new(share)))
        });
        let Ok(share) = made;
        match tokio::time::timeout(self.wait, share.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(DbError::Other("a tenant's share was closed".to_owned())),
            Err(_) => {
                SHARES_REFUSED.increment(1);
                Err(DbError::Unavailable("the tenant's share of connections is in use".to_owned()))
            }
        }
    }
}
