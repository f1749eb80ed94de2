//! Who asks, for which tenant, and may they: authentication, tenant, permission, in this order.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use kernel::{Actor, Permission, Tenant, TenantStatus, Timestamp};

use super::{correlation::Ties, meter::Begun};
use crate::{
    Access, AuthError, Edge, FieldError, Op, Principal, Problem, SecurityEvent, SecurityEventKind, codes,
    limits::{Few, Standing, Subject},
};

const TENANT: HeaderName = HeaderName::from_static("x-tenant");

/// What admission has found out; kept also when it refuses, for the log and for CORS.
#[derive(Debug, Default)]
pub(super) struct Admitted {
    pub(super) principal: Option<Arc<Principal>>,
    pub(super) tenant: Option<Arc<Tenant>>,
    pub(super) address: Option<IpAddr>,
    /// How the caller stands with its rate limits; empty where none applies.
    pub(super) standings: Few<Standing>,
    /// The body of the request, for the audit log.
    pub(super) body: Bytes,
    /// Set when the handler begins.
    pub(super) begun: Option<Begun>,
}

impl Admitted {
    /// A security event about whoever this is.
    pub(super) fn event(
        &self,
        kind: SecurityEventKind,
        reason: &'static str,
        op: &Op,
        ties: &Ties,
        agent: Option<&HeaderValue>,
        at: Timestamp,
    ) -> SecurityEvent {
        let bound = self.principal.as_ref().and_then(|principal| principal.tenant);
        SecurityEvent {
            kind,
            at,
            tenant: self.tenant.as_ref().map(|tenant| tenant.id).or(bound),
            actor: self.principal.as_ref().map(|principal| principal.actor.clone()),
            address: self.address,
            agent: super::agent(agent),
            reason,
            subject: None,
            operation: op.id,
            correlation_id: ties.correlation_id.clone(),
        }
    }
}

/// One request before its handler.
pub(super) struct Arrival<'a> {
    pub(super) edge: &'a Edge,
    pub(super) op: &'a Op,
    pub(super) headers: &'a HeaderMap,
    pub(super) ties: &'a Ties,
    pub(super) address: Option<IpAddr>,
    /// The address cannot be trusted: a proxy that nobody configured stands in between.
    pub(super) disguised: bool,
    pub(super) now: Timestamp,
}

impl Arrival<'_> {
    /// Lets the request in or says why not; what is known by then stays in `known`.
    ///
    /// Whoever cannot be identified is counted by address, so that guessing at tokens is limited too.
    pub(super) async fn admit(&self, known: &mut Admitted) -> Result<(), Problem> {
        let access = self.op.access.unwrap_or(Access::Platform(Permission::new("platform:undeclared")));
        let identified = self.identify(access, known).await;
        if !matches!(access, Access::OperatorNetwork(_)) || !self.is_operator_network() {
            self.limit(known).await?;
        }
        identified?;
        let needed = match access {
            Access::OperatorNetwork(_) if self.is_operator_network() => return Ok(()),
            Access::Public | Access::Authenticated => return Ok(()),
            Access::OperatorNetwork(permission)
            | Access::Platform(permission)
            | Access::Permission(permission) => permission,
            Access::Owned(all, own) => {
                let visits = |it: &Arc<Principal>| matches!(it.actor, Actor::Visitor(_));
                if known.principal.as_ref().is_some_and(visits) { own } else { all }
            }
        };
        self.permit(needed, known)
    }

    /// Who asks, and for which tenant.
    async fn identify(&self, access: Access, known: &mut Admitted) -> Result<(), Problem> {
        match access {
            Access::Public => {
                if self.op.names_tenant {
                    let named = self.named_tenant().await?;
                    known.tenant = named.filter(|tenant| tenant.status == TenantStatus::Active);
                }
                Ok(())
            }
            Access::OperatorNetwork(_) => {
                if self.is_operator_network() {
                    return Ok(());
                }
                if !self.headers.contains_key(header::AUTHORIZATION) {
                    self.record(SecurityEventKind::OperatorRouteRefused, known, "no token");
                    return Err(Problem::new(codes::UNAUTHENTICATED));
                }
                self.authenticate(known).await
            }
            Access::Platform(_) => self.authenticate(known).await,
            Access::Authenticated => {
                self.authenticate(known).await?;
                self.enter_tenant(known).await
            }
            Access::Permission(_) | Access::Owned(..) => {
                self.authenticate(known).await?;
                self.enter_tenant(known).await?;
                if known.tenant.is_none() {
                    return Err(Problem::new(codes::TENANT_REQUIRED));
                }
                Ok(())
            }
        }
    }

    /// Counts the call towards its rate limits; waits where there is a queue.
    async fn limit(&self, known: &mut Admitted) -> Result<(), Problem> {
        let subject = Subject {
            principal: known.principal.as_deref(),
            tenant: known.tenant.as_deref(),
            address: self.address,
        };
        let edge = &self.edge.0;
        let (as_what, held) = (self.op.limited_as, self.op.held());
        let Some(verdict) = edge.limits.count(&subject, as_what, held, self.now).await else {
            return Ok(());
        };
        known.standings = verdict.standings;
        let seconds = |wait: Duration| u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        let refusal = |detail: String| {
            Problem::new(codes::RATE_LIMITED).detail(detail).retry_after(seconds(verdict.wait).max(1))
        };
        if let Some(policy) = verdict.refused_by {
            return Err(refusal(format!("The limit of the {policy} is used up.")));
        }
        if verdict.wait > Duration::ZERO {
            let Some(_place) = Queued::enter(self.edge) else {
                return Err(refusal("Too many requests wait for their turn.".to_owned()));
            };
            tokio::time::sleep(verdict.wait).await;
        }
        Ok(())
    }

    /// A page of the tenant's own may read why its call was refused.
    pub(super) async fn name_tenant_for_cors(&self, known: &mut Admitted) {
        if known.tenant.is_none() && self.headers.contains_key(header::ORIGIN) {
            known.tenant = self.named_tenant().await.ok().flatten();
        }
    }

    async fn authenticate(&self, known: &mut Admitted) -> Result<(), Problem> {
        let Some(bearer) = bearer(self.headers) else { return Err(Problem::new(codes::UNAUTHENTICATED)) };
        let principal = match self.edge.0.identity.authenticate(bearer, self.now).await {
            Ok(principal) if principal.expires_at > self.now => principal,
            Ok(_) | Err(AuthError::Expired) => {
                self.record(SecurityEventKind::TokenRefused, known, "expired");
                return Err(Problem::new(codes::TOKEN_EXPIRED));
            }
            Err(AuthError::Invalid(reason)) => {
                self.record(SecurityEventKind::TokenRefused, known, reason);
                return Err(Problem::new(codes::UNAUTHENTICATED));
            }
            Err(AuthError::Unavailable(cause)) => {
                return Err(Problem::new(codes::IDENTITY_UNAVAILABLE).because(cause));
            }
        };
        known.principal = Some(principal);
        Ok(())
    }

    /// The tenant named in `X-Tenant`, else the token's own. A token of one tenant opens no other.
    async fn enter_tenant(&self, known: &mut Admitted) -> Result<(), Problem> {
        let bound = known.principal.as_ref().and_then(|principal| principal.tenant);
        let registry = &self.edge.0.registry;
        let unavailable = |error| Problem::new(codes::IDENTITY_UNAVAILABLE).because(error);
        let named = self.headers.contains_key(TENANT);
        let found = match (named, bound) {
            (true, _) => self.named_tenant().await?,
            (false, Some(id)) => registry.find_tenant_by_id(id).await.map_err(unavailable)?,
            (false, None) => return Ok(()),
        };
        let Some(tenant) = found else {
            self.record(SecurityEventKind::TenantMismatch, known, "unknown tenant");
            return Err(Problem::new(codes::TENANT_MISMATCH));
        };
        if bound.is_some_and(|id| id != tenant.id) {
            self.record(SecurityEventKind::TenantMismatch, known, "token of another tenant");
            return Err(Problem::new(codes::TENANT_MISMATCH));
        }
        let active = tenant.status == TenantStatus::Active;
        known.tenant = Some(tenant);
        if active { Ok(()) } else { Err(Problem::new(codes::TENANT_SUSPENDED)) }
    }

    async fn named_tenant(&self) -> Result<Option<Arc<Tenant>>, Problem> {
        let Some(value) = self.headers.get(TENANT) else { return Ok(None) };
        let slug = value.to_str().ok().filter(|text| is_slug(text)).ok_or_else(|| {
            Problem::invalid([FieldError::header(
                "X-Tenant",
                codes::INVALID_VALUE,
                "must be a tenant's slug: 2 to 40 characters a-z, 0-9 and -",
            )])
        })?;
        let found = self.edge.0.registry.find_tenant(slug).await;
        found.map_err(|error| Problem::new(codes::IDENTITY_UNAVAILABLE).because(error))
    }

    fn permit(&self, permission: Permission, known: &Admitted) -> Result<(), Problem> {
        if known.principal.as_ref().is_some_and(|principal| principal.permissions.allows(permission)) {
            return Ok(());
        }
        self.record(SecurityEventKind::PermissionDenied, known, permission.as_str());
        Err(Problem::new(codes::PERMISSION_DENIED).detail(format!("The permission {permission} is needed.")))
    }

    fn is_operator_network(&self) -> bool {
        let networks = &self.edge.0.config.operator_networks;
        !self.disguised && self.address.is_some_and(|it| networks.iter().any(|range| range.contains(it)))
    }

    fn record(&self, kind: SecurityEventKind, known: &Admitted, reason: &'static str) {
        let agent = self.headers.get(header::USER_AGENT);
        self.edge.0.security.record(known.event(kind, reason, self.op, self.ties, agent, self.now));
    }
}

/// One of the requests that wait for their turn; they hold a place among those in flight, so that at most half of these
/// may wait.
struct Queued<'a>(&'a Edge);

impl<'a> Queued<'a> {
    fn enter(edge: &'a Edge) -> Option<Self> {
        let before = edge.0.queued.fetch_add(1, Ordering::Relaxed);
        let place = Self(edge);
        (before < edge.0.config.max_in_flight.div_ceil(2)).then_some(place)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.0.queued.fetch_sub(1, Ordering::Relaxed);
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() { Some(token) } else { None }
}

fn is_slug(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (2..=40).contains(&text.len()) && text.bytes().all(plain)
}
