//! The way of one request through the gate.

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, Method, header};
use tower::util::BoxCloneSyncService;

use super::{
    Peer, Visit, address,
    admit::{Admitted, Arrival},
    body,
    correlation::{self, Ties},
    cors,
    finish::Outcome,
    meter::{self, Begun},
    trace,
};
use crate::{
    Edge, FieldError, IdempotencyKey, Op, Problem, audit, codes, compress, extract, routes::Endpoint,
    telemetry::OpMetrics,
};

/// One endpoint behind the gate.
pub(crate) struct Gate {
    edge: Edge,
    op: Arc<Op>,
    endpoint: Endpoint,
    metrics: OpMetrics,
    named: trace::Named,
    /// For what answers wrong methods: which methods there are, to answer preflights.
    allow: Option<http::HeaderValue>,
}

/// The service that the router calls for `op`.
pub(crate) fn service(
    edge: &Edge,
    op: Op,
    endpoint: Endpoint,
    allow: Option<http::HeaderValue>,
) -> BoxCloneSyncService<Request, Response, Infallible> {
    // Wrong methods and unknown paths share labels, so that clients cannot make up new ones.
    let method = if allow.is_some() { "other" } else { method_label(&op.method) };
    let route =
        Some(op.full_path()).filter(|path| !path.is_empty()).unwrap_or_else(|| "unmatched".to_owned());
    let named = trace::Named::new(&op, method, &route);
    let metrics = OpMetrics::new(route, method);
    let gate = Arc::new(Gate { edge: edge.clone(), op: Arc::new(op), endpoint, metrics, named, allow });
    BoxCloneSyncService::new(tower::service_fn(move |request: Request| {
        let gate = gate.clone();
        async move { Ok(gate.run(request).await) }
    }))
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "GET",
    }
}

impl Gate {
    async fn run(&self, mut request: Request) -> Response {
        let started = Instant::now();
        let asked = compress::Asked::of(request.headers());
        let ties = correlation::ties(request.headers());
        // Ends with this function, or earlier with a client that goes away.
        let mut span = self.named.begin(&ties, request.method());
        let mut known = Admitted::default();
        let origin = request.headers().get(header::ORIGIN).cloned();
        let agent = request.headers().get(header::USER_AGENT).cloned();
        let none_match = request.headers().get(header::IF_NONE_MATCH).cloned();
        let path = request.uri().clone();
        let method = request.method().clone();
        let answer = match self.edge.enter() {
            None => Err(Problem::new(codes::OVERLOADED)),
            Some(place) => {
                let limit = self.op.timeout.unwrap_or_else(|| self.edge.0.config.request_timeout());
                let work = AssertUnwindSafe(self.work(&mut request, &ties, &mut known)).catch_unwind();
                let answer = match tokio::time::timeout(limit, work).await {
                    Ok(Ok(answer)) => answer,
                    Ok(Err(panic)) => Err(Problem::internal(panic_text(&*panic))),
                    Err(_) => Err(Problem::new(codes::REQUEST_TIMEOUT)),
                };
                drop(place);
                answer
            }
        };
        let outcome = Outcome {
            edge: &self.edge,
            op: &self.op,
            ties: &ties,
            known: &known,
            origin: origin.as_ref(),
            agent: agent.as_ref(),
            none_match: none_match.as_ref(),
            method: &method,
            path: path.path(),
            started,
        };
        let mut response = outcome.finish(answer.unwrap_or_else(IntoResponse::into_response), &mut span);
        if self.is_audited(&known) {
            response = outcome.audit(response).await;
        }
        let tenant = known.tenant.as_deref();
        self.metrics.record(response.status(), tenant.map(|tenant| tenant.tier), started.elapsed());
        // A probe that says no tells of health, not of failed work.
        if !self.op.hidden {
            self.edge.0.responses.record(response.status(), tenant);
        }
        let response = meter::measure(&self.edge, &known, response);
        self.edge.0.compressor.answer(&asked, response)
    }

    async fn work(
        &self,
        request: &mut Request,
        ties: &Ties,
        known: &mut Admitted,
    ) -> Result<Response, Problem> {
        let (edge, op) = (&self.edge, &*self.op);
        if let Some(allow) = &self.allow
            && cors::is_preflight(request.method(), request.headers())
        {
            return cors::preflight(edge, request.headers(), allow).await;
        }
        let now = edge.0.clock.now();
        let headers = request.headers();
        let peer = request.extensions().get::<Peer>();
        let address::Origin { address, disguised } = address::origin(edge, peer, headers);
        known.address = address;
        let arrival = Arrival { edge, op, headers, ties, address, disguised, now };
        if let Err(problem) = arrival.admit(known).await {
            arrival.name_tenant_for_cors(known).await;
            return Err(problem);
        }
        check_request(op, request)?;
        let taken = self.take_body(request).await?;
        if edge.0.audit.is_some() && taken.len() <= audit::MOST_BODY {
            known.body = taken.clone();
        }
        let visit = Visit {
            op: self.op.clone(),
            correlation_id: ties.correlation_id.clone(),
            trace: ties.trace.clone(),
            now,
            address,
            principal: known.principal.clone(),
            tenant: known.tenant.clone(),
            body: taken,
        };
        known.begun = Some(Begun { at: Instant::now(), received: visit.body.len() as u64 });
        let mut request = std::mem::take(request);
        request.extensions_mut().insert(Arc::new(visit));
        Ok((self.endpoint)(request).await)
    }

    /// What a tenant's caller, or a stranger at its door, asks is kept; probes and pages are not.
    fn is_audited(&self, known: &Admitted) -> bool {
        let Some(audit) = &self.edge.0.audit else { return false };
        known.tenant.is_some() && !self.op.hidden && audit.wants(self.op.is_unsafe())
    }

    async fn take_body(&self, request: &mut Request) -> Result<Bytes, Problem> {
        if self.op.body.is_none() {
            return Ok(Bytes::new());
        }
        let taken = std::mem::take(request.body_mut());
        let (limit, edge) = (self.op.body_limit, &self.edge.0);
        body::collect(request.headers(), taken, limit, edge.config.body_timeout(), &edge.room).await
    }
}

/// What can be refused before the handler: undeclared parameters, unsound headers, NUL in the path.
fn check_request(op: &Op, request: &Request) -> Result<(), Problem> {
    if request.uri().path().contains("%00") {
        return Err(Problem::not_found());
    }
    if op.hidden {
        return Ok(());
    }
    if op.query.is_none()
        && let Some(query) = request.uri().query().filter(|query| !query.is_empty())
    {
        let name = query.split(['=', '&']).next().unwrap_or("").chars().take(64).collect::<String>();
        return Err(Problem::invalid([FieldError::parameter(
            name,
            codes::UNKNOWN_FIELD,
            "this operation takes no query parameters",
        )]));
    }
    check_headers(op, request.headers())
}

fn check_headers(op: &Op, headers: &HeaderMap) -> Result<(), Problem> {
    if let Some(needed) = op.idempotency {
        let key = extract::idempotency_key(headers)?;
        if key.is_none() && needed == IdempotencyKey::Required {
            return Err(Problem::new(codes::IDEMPOTENCY_KEY_REQUIRED));
        }
    }
    if op.is_cacheable() {
        extract::check_tags(headers, &header::IF_NONE_MATCH, "If-None-Match")?;
    }
    if op.if_match {
        extract::check_tags(headers, &header::IF_MATCH, "If-Match")?;
    }
    Ok(())
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.as_deref().unwrap_or("unknown"))
}

/// An endpoint that always fails the same way.
pub(super) fn failing(make: impl Fn() -> Problem + Send + Sync + 'static) -> Endpoint {
    Arc::new(move |_request: Request<Body>| {
        let response = make().into_response();
        Box::pin(std::future::ready(response))
    })
}
