//! The gate: the one layer that every request passes, outside in and inside out.
//!
//! Correlation id, trace, load shedding, authentication, tenant, permission, body; then the handler; then headers,
//! problem document, metrics, log. It is one function around each endpoint, so that it knows the operation.

mod address;
mod admit;
mod body;
mod correlation;
mod cors;
mod finish;
mod meter;
mod pages;
mod room;
mod run;
mod tally;
mod trace;
mod visit;

use std::{
    net::IpAddr,
    sync::{
        Arc, Once,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use cache::Redis;
use http::HeaderValue;
use kernel::Clock;

pub(crate) use correlation::CORRELATION_ID;
pub(crate) use pages::{not_allowed_endpoint, not_found_endpoint};
pub(crate) use run::service;
pub(crate) use visit::Visit;

use crate::{
    Audit, EdgeConfig, Identity, Meter, Registry, SecurityEvents, compress::Compressor, limits::Limits,
    telemetry::Responses,
};
use tally::Tally;

/// What the gate is made of.
pub struct EdgeParts {
    /// Who a token is.
    pub identity: Arc<dyn Identity>,
    /// Which tenant a name is.
    pub registry: Arc<dyn Registry>,
    /// Where security events go.
    pub security: Arc<dyn SecurityEvents>,
    /// The time.
    pub clock: Clock,
    /// Where rate limits are shared with other processes.
    pub redis: Option<Redis>,
    /// Where entries of the audit log go.
    pub audit: Option<Arc<dyn Audit>>,
    /// Who counts what tenants use, if anybody does.
    pub meter: Option<Arc<dyn Meter>>,
}

/// Everything the gate needs; one per process, cheap to clone.
#[derive(Clone)]
pub struct Edge(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: EdgeConfig,
    pub(crate) identity: Arc<dyn Identity>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) security: Arc<dyn SecurityEvents>,
    pub(crate) audit: Option<Arc<dyn Audit>>,
    pub(crate) clock: Clock,
    pub(crate) compressor: Compressor,
    /// Who counts what tenants use, if anybody does.
    meter: Option<Arc<dyn Meter>>,
    responses: Responses,
    /// For large bodies.
    room: room::Room,
    guesses: Tally,
    refusals: Tally,
    pub(crate) limits: Limits,
    /// Requests that wait for their turn under a rate limit.
    queued: AtomicUsize,
    /// Said once that a proxy stands in front that nobody configured.
    strange_proxy: Once,
    in_flight: AtomicUsize,
    draining: AtomicBool,
}

impl Edge {
    /// An edge with the parts that the control plane provides.
    pub fn new(
        config: EdgeConfig,
        identity: Arc<dyn Identity>,
        registry: Arc<dyn Registry>,
        security: Arc<dyn SecurityEvents>,
        clock: Clock,
    ) -> Self {
        Self::with_parts(
            config,
            EdgeParts { identity, registry, security, clock, redis: None, audit: None, meter: None },
        )
    }

    /// An edge with these parts.
    #[must_use]
    pub fn with_parts(config: EdgeConfig, parts: EdgeParts) -> Self {
        let EdgeParts { identity, registry, security, clock, redis, audit, meter } = parts;
        Self(Arc::new(Inner {
            compressor: Compressor::new(config.compression),
            responses: Responses::new(config.named_tenants),
            room: room::Room::new(config.large_bodies_mib),
            guesses: Tally::new(tally::MANY_GUESSES),
            refusals: Tally::new(tally::MANY_REFUSALS),
            limits: Limits::new(config.limits.clone(), redis),
            queued: AtomicUsize::new(0),
            strange_proxy: Once::new(),
            meter,
            config,
            identity,
            registry,
            security,
            audit,
            clock,
            in_flight: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
        }))
    }

    /// Requests being worked on.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::Relaxed)
    }

    /// From now on `/health/ready` says no, so that load balancers send new work elsewhere.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::SeqCst);
    }

    /// Whether [`Edge::drain`] was called.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::SeqCst)
    }

    /// A place among the requests worked on at once; `None` when all are taken.
    pub(crate) fn enter(&self) -> Option<Place> {
        let before = self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        let place = Place(self.0.clone());
        if before < self.0.config.max_in_flight { Some(place) } else { None }
    }
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge").field("config", &self.0.config).finish_non_exhaustive()
    }
}

/// Given back when dropped, also when the client goes away.
pub(crate) struct Place(Arc<Inner>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The address of the connection's other end; put into every request by [`crate::serve`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The client program as it names itself, at most 200 characters, nothing unprintable.
pub(crate) fn agent(named: Option<&HeaderValue>) -> Option<String> {
    let text = named?.to_str().ok()?;
    Some(text.chars().take(200).collect())
}
