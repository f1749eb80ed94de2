//! `edge::Registry`: the tenant of a name or an identifier.

use std::sync::Arc;

use async_trait::async_trait;
use db::DbError;
use edge::{Registry, RegistryError};
use kernel::{Tenant, TenantId, Timestamp};

use super::cache::Key;
use crate::{
    Control,
    counts::{REGISTRY_LOOKUPS, REGISTRY_STALE},
    tenants,
};

#[async_trait]
impl Registry for Control {
    async fn find_tenant(&self, slug: &str) -> Result<Option<Arc<Tenant>>, RegistryError> {
        if slug.len() > 40 {
            return Ok(None);
        }
        self.look_up(Key::Slug(slug)).await
    }

    async fn find_tenant_by_id(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, RegistryError> {
        self.look_up(Key::Id(id)).await
    }

    async fn knows_origin(&self, origin: &str) -> Result<bool, RegistryError> {
        self.find_origin(origin).await
    }
}

impl Control {
    async fn look_up(&self, key: Key<'_>) -> Result<Option<Arc<Tenant>>, RegistryError> {
        let cache = self.tenants();
        let now = self.clock().now();
        match cache.find(key, now) {
            Some(found) => Ok(found),
            // Seldom, and large: who is known shall not carry it.
            None => Box::pin(self.look_up_anew(key, now)).await,
        }
    }

    async fn look_up_anew(&self, key: Key<'_>, now: Timestamp) -> Result<Option<Arc<Tenant>>, RegistryError> {
        let cache = self.tenants();
        let _turn = cache.take_turn(key).await;
        if let Some(found) = cache.find(key, now) {
            return Ok(found);
        }
        let epoch = cache.epoch();
        match self.guarded(self.read_tenant(key)).await {
            Ok(found) => {
                cache.keep(key, found.clone(), now, epoch);
                Ok(found)
            }
            Err(error) => {
                REGISTRY_STALE.increment(1);
                cache.find_stale(key, now).map(Some).ok_or_else(|| RegistryError(error.to_string()))
            }
        }
    }

    async fn read_tenant(&self, key: Key<'_>) -> Result<Option<Arc<Tenant>>, DbError> {
        REGISTRY_LOOKUPS.increment(1);
        let tx = self.db().control().await?;
        let row = match key {
            Key::Slug(slug) => tx.query_opt(include_str!("find_by_slug.sql"), &[&slug]).await?,
            Key::Id(id) => tx.query_opt(include_str!("find_by_id.sql"), &[&id]).await?,
        };
        tx.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let tenant = tenants::decode_tenant(&row, self.flags())?;
        Ok(Some(Arc::new(Tenant { spending: self.tenants().spending(tenant.id), ..tenant })))
    }
}
