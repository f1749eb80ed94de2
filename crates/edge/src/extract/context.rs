//! Who asks: extractors for the context that the gate has established.

use std::{net::IpAddr, sync::Arc};

use axum::extract::FromRequestParts;
use http::request::Parts;
use kernel::{Actor, Ctx, PermissionSet, Tenant, Timestamp, TraceParent};

use super::Input;
use crate::{Access, Op, Problem, codes, gate::Visit};

/// The visit that the gate has put into the request.
pub(super) fn visit(parts: &Parts) -> Result<&Arc<Visit>, Problem> {
    parts
        .extensions
        .get::<Arc<Visit>>()
        .ok_or_else(|| Problem::internal("an extractor of the edge was used outside the gate"))
}

/// The context of a request inside a tenant: tenant, caller, time, correlation id.
#[derive(Debug, Clone)]
pub struct Tenanted(pub Ctx);

impl Input for Tenanted {
    fn describe(op: &mut Op) {
        if !matches!(op.access, Some(Access::Permission(_) | Access::Owned(..) | Access::Authenticated)) {
            op.defects.push("takes Tenanted but declares neither permission() nor authenticated()");
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Tenanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let visit = visit(parts)?;
        let caller = visit.caller().ok_or_else(|| Problem::new(codes::UNAUTHENTICATED))?;
        let tenant = visit.tenant.clone().ok_or_else(|| Problem::new(codes::TENANT_REQUIRED))?;
        Ok(Self(Ctx { tenant, caller }))
    }
}

/// The context under the name that reads best where the tenant goes without saying: [`Tenanted`] again.
#[derive(Debug, Clone)]
pub struct Caller(pub Ctx);

impl Input for Caller {
    fn describe(op: &mut Op) {
        Tenanted::describe(op);
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Tenanted::from_request_parts(parts, state).await.map(|Tenanted(ctx)| Self(ctx))
    }
}

/// Whoever holds the valid token, with or without a tenant: for operators' routes and `GET /me`.
#[derive(Debug, Clone)]
pub struct Operator(pub kernel::Caller);

impl Input for Operator {
    fn describe(op: &mut Op) {
        if matches!(op.access, None | Some(Access::Public)) {
            op.defects.push("takes Operator but declares no permission");
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        visit(parts)?.caller().map(Self).ok_or_else(|| Problem::new(codes::UNAUTHENTICATED))
    }
}

/// What is known of a caller before any token: for sign-in, pages and the like.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The tenant named in `X-Tenant`, if there is such a tenant and it is active.
    pub tenant: Option<Arc<Tenant>>,
    /// Whence the request came: the client's address, as far as proxies are trusted.
    pub address: Option<IpAddr>,
    /// The client program as it names itself; at most 200 characters.
    pub agent: Option<String>,
    /// Ties the request to its log.
    pub correlation_id: Arc<str>,
    /// The trace it belongs to.
    pub trace: Option<TraceParent>,
    /// The time of the request.
    pub now: Timestamp,
}

impl Visitor {
    /// The context of work for `actor`, whom this request's own credentials have just shown, in the tenant named; it
    /// has no rights.
    ///
    /// # Errors
    /// `TENANT_REQUIRED` when no tenant that is active was named.
    pub fn in_tenant(&self, actor: Actor) -> Result<Ctx, Problem> {
        let tenant = self.tenant.clone().ok_or_else(|| Problem::new(codes::TENANT_REQUIRED))?;
        let caller = kernel::Caller {
            actor,
            permissions: PermissionSet::default(),
            correlation_id: self.correlation_id.clone(),
            trace: self.trace.clone(),
            now: self.now,
        };
        Ok(Ctx { tenant, caller })
    }
}

impl Input for Visitor {
    fn describe(op: &mut Op) {
        op.names_tenant = true;
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let visit = visit(parts)?;
        Ok(Self {
            tenant: visit.tenant.clone(),
            address: visit.address,
            agent: crate::gate::agent(parts.headers.get(http::header::USER_AGENT)),
            correlation_id: visit.correlation_id.clone(),
            trace: Some(visit.trace.clone()),
            now: visit.now,
        })
    }
}
