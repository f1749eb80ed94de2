//! What carrying messages and running jobs must know about tenants and databases.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Placement, Tenant, TenantId};

/// Tenants or databases cannot be listed or found now.
#[derive(Debug, Clone, thiserror::Error)]
#[error("tenants cannot be looked up: {0}")]
pub struct LookupError(pub String);

/// Knows tenants and where their data lives; implemented by the control plane.
#[async_trait]
pub trait TenantLookup: Send + Sync {
    /// The tenant with this id, whatever its status; from a cache where there is one.
    async fn find_tenant(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, LookupError>;

    /// Every database that holds tenants' data, each once.
    async fn list_databases(&self) -> Result<Vec<Placement>, LookupError>;

    /// Tenants whose data exists, ordered by id, at most `limit` of those after `after`.
    async fn list_tenants(
        &self,
        after: Option<TenantId>,
        limit: usize,
    ) -> Result<Vec<Arc<Tenant>>, LookupError>;
}
