//! What carrying messages and running jobs ask about tenants.

use std::sync::Arc;

use async_trait::async_trait;
use db::DbError;
use kernel::{Placement, Tenant, TenantId};
use messages::{LookupError, TenantLookup};

use crate::{
    Control,
    tenants::{list_placements, list_tenants_by_id},
};

#[async_trait]
impl TenantLookup for Control {
    async fn find_tenant(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, LookupError> {
        edge::Registry::find_tenant_by_id(self, id).await.map_err(|error| LookupError(error.to_string()))
    }

    async fn list_databases(&self) -> Result<Vec<Placement>, LookupError> {
        let read = async {
            let tx = self.db().control().await?;
            let placements = list_placements(&tx).await?;
            tx.commit().await?;
            Ok(placements)
        };
        read.await.map_err(refused)
    }

    async fn list_tenants(
        &self,
        after: Option<TenantId>,
        limit: usize,
    ) -> Result<Vec<Arc<Tenant>>, LookupError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = async {
            let tx = self.db().control().await?;
            let tenants = list_tenants_by_id(self, &tx, after, limit).await?;
            tx.commit().await?;
            Ok(tenants)
        };
        read.await.map_err(refused)
    }
}

fn refused(error: DbError) -> LookupError {
    LookupError(error.to_string())
}
