//! A domain's routes behind the real gate, over fresh databases, before there is a whole program around them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use axum::Router;
use edge::{
    Api, AuthError, Edge, EdgeConfig, Identity, LimitsConfig, Principal, Registry, RegistryError, Routes,
    SecurityEvent, SecurityEvents,
};
use jiff::{SignedDuration, Timestamp};
use kernel::{Actor, Clock, Ctx, PermissionSet, Tenant, TenantId};

use crate::{Client, TestDatabases};

/// When the clock of a [`Site`] stands at its start.
const START: &str = "2026-11-21T10:00:00Z";
/// Separates tenant and permissions in a token of a [`Site`].
const TOKEN_SEPARATOR: char = '/';

/// A small market of one domain: real gate, real databases, tenants and tokens by word of mouth.
pub struct Site {
    /// Its databases.
    pub databases: TestDatabases,
    /// The way into them.
    pub db: db::Db,
    /// Stands still until a test moves it.
    pub clock: Clock,
    router: Router,
    known: Arc<Known>,
}

/// The edge as configured by default, without rate limits: a test calls more often than any user.
#[must_use]
pub fn unlimited() -> EdgeConfig {
    let limits = LimitsConfig { enabled: false, ..LimitsConfig::default() };
    EdgeConfig { limits, ..EdgeConfig::default() }
}

impl Site {
    /// Puts `routes` behind the gate.
    ///
    /// # Errors
    /// When the declarations of the routes contradict each other.
    pub fn new(
        databases: TestDatabases,
        routes: impl FnOnce(&db::Db, &Clock) -> Vec<Routes<()>>,
    ) -> anyhow::Result<Self> {
        let db = databases.db()?;
        let clock = Clock::fake(START.parse()?);
        let known = Arc::new(Known::default());
        let router = behind_gate(&known, &clock, routes(&db, &clock))?;
        Ok(Self { databases, db, clock, router, known })
    }

    /// The same market in another process, which shares nothing in memory but connections: somebody without a token
    /// there.
    ///
    /// # Errors
    /// When the declarations of the routes contradict each other.
    pub fn stranger_elsewhere(
        &self,
        routes: impl FnOnce(&db::Db, &Clock) -> Vec<Routes<()>>,
    ) -> anyhow::Result<Client> {
        Ok(Client::new(behind_gate(&self.known, &self.clock, routes(&self.db, &self.clock))?))
    }

    /// A new merchant in the shared database.
    pub fn add_tenant(&self, slug: &str) -> Arc<Tenant> {
        self.put_tenant(self.databases.tenant(slug).as_ref().clone())
    }

    /// A merchant as given; replaces the one of that slug.
    pub fn put_tenant(&self, tenant: Tenant) -> Arc<Tenant> {
        let tenant = Arc::new(tenant);
        self.known.tenants().insert(tenant.slug.to_string(), tenant.clone());
        tenant
    }

    /// Somebody of the tenant `slug` with these permissions, naming the tenant.
    #[must_use]
    pub fn member(&self, slug: &str, permissions: &[&str]) -> Client {
        Self::as_member(self.stranger(), slug, permissions)
    }

    /// `stranger`, of whatever process of a market, as somebody of the tenant `slug` with these permissions.
    #[must_use]
    pub fn as_member(stranger: Client, slug: &str, permissions: &[&str]) -> Client {
        let token = format!("{slug}{TOKEN_SEPARATOR}{}", permissions.join(","));
        stranger.with_tenant(slug).with_token(&token)
    }

    /// The operator of the platform with these permissions, naming no tenant.
    #[must_use]
    pub fn operator(&self, permissions: &[&str]) -> Client {
        self.stranger().with_token(&format!("{TOKEN_SEPARATOR}{}", permissions.join(",")))
    }

    /// Somebody without a token.
    #[must_use]
    pub fn stranger(&self) -> Client {
        Client::new(self.router.clone())
    }

    /// The context of somebody who may do everything as `tenant`, now.
    #[must_use]
    pub fn ctx(&self, tenant: &Arc<Tenant>) -> Ctx {
        self.databases.ctx(tenant, self.clock.now())
    }

    /// The security events since the last call.
    #[must_use]
    pub fn take_security_events(&self) -> Vec<SecurityEvent> {
        std::mem::take(&mut *self.known.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn behind_gate(known: &Arc<Known>, clock: &Clock, routes: Vec<Routes<()>>) -> anyhow::Result<Router> {
    let edge = Edge::new(unlimited(), known.clone(), known.clone(), known.clone(), clock.clone());
    Ok(Api::new(routes)?.into_router(&edge))
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("databases", &self.databases).finish_non_exhaustive()
    }
}

/// Tenants by slug; tokens say themselves whom they stand for.
#[derive(Debug, Default)]
struct Known {
    tenants: Mutex<BTreeMap<String, Arc<Tenant>>>,
    events: Mutex<Vec<SecurityEvent>>,
}

impl Known {
    fn tenants(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Tenant>>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Identity for Known {
    async fn authenticate(&self, bearer: &str, now: Timestamp) -> Result<Arc<Principal>, AuthError> {
        let (slug, permissions) =
            bearer.split_once(TOKEN_SEPARATOR).ok_or(AuthError::Invalid("no separator"))?;
        let tenant = match slug {
            "" => None,
            slug => Some(
                self.tenants()
                    .get(slug)
                    .map(|tenant| tenant.id)
                    .ok_or(AuthError::Invalid("unknown tenant"))?,
            ),
        };
        Ok(Arc::new(Principal {
            actor: Actor::User("usr_test".into()),
            tenant,
            permissions: PermissionSet::new(permissions.split(',')),
            expires_at: now.saturating_add(SignedDuration::from_mins(1)).unwrap_or(now),
        }))
    }
}

#[async_trait]
impl Registry for Known {
    async fn find_tenant(&self, slug: &str) -> Result<Option<Arc<Tenant>>, RegistryError> {
        Ok(self.tenants().get(slug).cloned())
    }

    async fn find_tenant_by_id(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, RegistryError> {
        Ok(self.tenants().values().find(|tenant| tenant.id == id).cloned())
    }

    async fn knows_origin(&self, origin: &str) -> Result<bool, RegistryError> {
        let knows = |tenant: &Arc<Tenant>| tenant.settings.cors_origins.iter().any(|known| known == origin);
        Ok(self.tenants().values().any(knows))
    }
}

impl SecurityEvents for Known {
    fn record(&self, event: SecurityEvent) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}
