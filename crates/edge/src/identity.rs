//! What the edge asks of the control plane: who a token is, which tenant a name is, and where security events go.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use kernel::{Actor, PermissionSet, Tenant, TenantId, Timestamp};

/// Whom a valid token stands for.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Who.
    pub actor: Actor,
    /// The one tenant the token belongs to; `None` for tokens of the platform.
    pub tenant: Option<TenantId>,
    /// With what rights.
    pub permissions: PermissionSet,
    /// From this moment on the token is worth nothing.
    pub expires_at: Timestamp,
}

/// Why a token was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Not a token of ours, forged, revoked, not yet valid; the reason is for security events, never for the caller.
    #[error("invalid token: {0}")]
    Invalid(&'static str),
    /// Its time is over.
    #[error("expired token")]
    Expired,
    /// It cannot be checked now (key server, database).
    #[error("tokens cannot be checked: {0}")]
    Unavailable(String),
}

/// Turns a bearer token into a principal. Called on every request, so implementations cache.
#[async_trait]
pub trait Identity: Send + Sync {
    /// Whom `bearer` stands for at `now`.
    ///
    /// # Errors
    /// [`AuthError`]; only `Unavailable` is worth another try.
    async fn authenticate(&self, bearer: &str, now: Timestamp) -> Result<Arc<Principal>, AuthError>;
}

/// Tenants cannot be looked up now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tenants cannot be looked up: {0}")]
pub struct RegistryError(pub String);

/// Finds tenants. Called on every request, so implementations cache.
#[async_trait]
pub trait Registry: Send + Sync {
    /// The tenant of that name, whatever its status.
    ///
    /// # Errors
    /// [`RegistryError`] when the answer is not known now.
    async fn find_tenant(&self, slug: &str) -> Result<Option<Arc<Tenant>>, RegistryError>;

    /// The tenant with that identifier, whatever its status; asked when a request has a token but no `X-Tenant`.
    ///
    /// # Errors
    /// [`RegistryError`] when the answer is not known now.
    async fn find_tenant_by_id(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, RegistryError>;

    /// Whether any active tenant lists `origin` among its `cors_origins`: a browser's preflight names no tenant.
    /// The answer to the request itself is decided by its own tenant's list alone.
    ///
    /// # Errors
    /// [`RegistryError`] when the answer is not known now.
    async fn knows_origin(&self, origin: &str) -> Result<bool, RegistryError>;
}

/// Something worth the attention of whoever guards the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecurityEventKind {
    /// A token that is forged, revoked, unknown or expired.
    TokenRefused,
    /// A valid token without the permission of the route.
    PermissionDenied,
    /// A token used for another tenant than its own.
    TenantMismatch,
    /// An operator's route called from elsewhere without the permission.
    OperatorRouteRefused,
    /// A key, a secret or an issuer of tokens was made, changed or ended.
    KeyChanged,
    /// A role, or who has which, was changed.
    RoleChanged,
    /// A feature was switched on or off, for a tenant or for all.
    FlagChanged,
    /// Data left as a file.
    DataExported,
    /// Somebody asks for many things that are not there, as one does who tries out identifiers.
    IdsGuessed,
    /// Somebody goes on far beyond a rate limit, as no well-behaved program does.
    RateExceeded,
}

/// One security event, as the edge sees it (IDN-9). Holds no token and no personal data beyond address and agent.
#[derive(Debug, Clone)]
pub struct SecurityEvent {
    /// What happened.
    pub kind: SecurityEventKind,
    /// When.
    pub at: Timestamp,
    /// In which tenant, as far as known.
    pub tenant: Option<TenantId>,
    /// By whom, as far as known.
    pub actor: Option<Actor>,
    /// From where.
    pub address: Option<IpAddr>,
    /// With what program; at most 200 characters.
    pub agent: Option<String>,
    /// Why it was refused or noted.
    pub reason: &'static str,
    /// What it was about: the path of a thing, at most 300 characters; only of what was done.
    pub subject: Option<String>,
    /// The operation that was called.
    pub operation: &'static str,
    /// Ties it to the log.
    pub correlation_id: Arc<str>,
}

/// Takes security events. Never blocks and never fails: implementations queue, and count what they must drop.
pub trait SecurityEvents: Send + Sync {
    /// Takes one event.
    fn record(&self, event: SecurityEvent);
}

impl SecurityEvents for () {
    fn record(&self, _event: SecurityEvent) {}
}
