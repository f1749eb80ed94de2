//! The way out: problem documents, conditional reads, headers on every answer, one event in the log.

use std::time::Instant;

use axum::{
    body::{Body, HttpBody as _},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use kernel::Actor;
use traces::Span;

use super::{admit::Admitted, correlation::Ties, cors, trace};
use crate::{
    AuditEntry, Edge, Op, Problem, SecurityEvent, SecurityEventKind, audit::MOST_BODY, document, extract,
    limits, reply,
};

pub(crate) const API_VERSIONS: HeaderName = HeaderName::from_static("x-api-versions");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const DENY: HeaderValue = HeaderValue::from_static("DENY");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const NO_FEATURES: HeaderValue =
    HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()");
/// What is no page needs nothing; pages bring their own policy.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const TWO_YEARS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const VERSIONS: HeaderValue = HeaderValue::from_static(crate::API_VERSION);

/// What is needed to finish an answer.
pub(super) struct Outcome<'a> {
    pub(super) edge: &'a Edge,
    pub(super) op: &'a Op,
    pub(super) method: &'a Method,
    pub(super) ties: &'a Ties,
    pub(super) known: &'a Admitted,
    pub(super) origin: Option<&'a HeaderValue>,
    pub(super) agent: Option<&'a HeaderValue>,
    pub(super) none_match: Option<&'a HeaderValue>,
    pub(super) path: &'a str,
    pub(super) started: Instant,
}

impl Outcome<'_> {
    pub(super) fn finish(&self, mut response: Response, span: &mut Span) -> Response {
        let problem = response.extensions_mut().remove::<Problem>().map(|problem| self.declared(problem));
        if let Some(problem) = &problem {
            let trace_id = self.ties.trace.0.get(3..35).unwrap_or("");
            response = problem.render(self.path, &self.ties.correlation_id, trace_id);
        } else if cfg!(debug_assertions)
            && let Some(undeclared) = self.undeclared_success(&response)
        {
            response = undeclared;
        } else if self.is_unchanged(&response) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        self.write_headers(response.headers_mut());
        self.log(response.status(), problem.as_ref());
        let tenant = self.known.tenant.as_ref().map(|tenant| &*tenant.slug);
        trace::end(span, self.op, self.ties, tenant, (response.status(), problem.as_ref()));
        self.note(&response);
        response
    }

    /// Tells whoever guards the platform of what was done, and of those who ask for what is not there again and again.
    fn note(&self, response: &Response) {
        let headers = response.headers();
        let (kind, reason) = match (response.status(), self.op.security_event) {
            (status, Some(kind)) if status.is_success() && !headers.contains_key(reply::REPLAYED) => {
                (kind, "done")
            }
            (StatusCode::OK, None) if headers.get(header::CONTENT_TYPE).is_some_and(is_file_of_rows) => {
                (SecurityEventKind::DataExported, "taken as CSV")
            }
            (StatusCode::NOT_FOUND, _) if self.op.path_names().next().is_some() && self.guesses_again() => {
                (SecurityEventKind::IdsGuessed, "many things asked for are not there")
            }
            (StatusCode::TOO_MANY_REQUESTS, _) if !self.known.standings.is_empty() && self.insists() => {
                (SecurityEventKind::RateExceeded, "far more calls than the rate limit allows")
            }
            _ => return,
        };
        let now = self.edge.0.clock.now();
        let event = self.known.event(kind, reason, self.op, self.ties, self.agent, now);
        // What was asked for in vain may be anything, a mail address too.
        let place = headers.get(header::LOCATION).and_then(|place| place.to_str().ok());
        let done = !matches!(kind, SecurityEventKind::IdsGuessed | SecurityEventKind::RateExceeded);
        let subject = done.then(|| place.unwrap_or(self.path));
        let subject = subject.map(|path| path.chars().take(300).collect());
        self.edge.0.security.record(SecurityEvent { subject, ..event });
    }

    /// Hands request and answer to the audit log.
    pub(super) async fn audit(&self, response: Response) -> Response {
        let (Some(audit), Some(tenant)) = (&self.edge.0.audit, &self.known.tenant) else { return response };
        let (response, body) = keep_body(response).await;
        let took = self.started.elapsed();
        let now = self.edge.0.clock.now();
        audit.record(AuditEntry {
            tenant: tenant.clone(),
            at: now.checked_sub(took).unwrap_or(now),
            actor: self.known.principal.as_ref().map(|principal| principal.actor.clone()),
            operation: self.op.id,
            method: self.method.clone(),
            subject: self.path.chars().take(300).collect(),
            status: response.status().as_u16(),
            address: self.known.address,
            agent: super::agent(self.agent),
            correlation_id: self.ties.correlation_id.clone(),
            took,
            request: self.known.body.clone(),
            response: body,
        });
        response
    }

    fn guesses_again(&self) -> bool {
        let actor = self.known.principal.as_ref().map(|principal| &principal.actor);
        self.edge.0.guesses.count(actor, self.known.address, self.edge.0.clock.now())
    }

    fn insists(&self) -> bool {
        let actor = self.known.principal.as_ref().map(|principal| &principal.actor);
        self.edge.0.refusals.count(actor, self.known.address, self.edge.0.clock.now())
    }

    fn is_unchanged(&self, response: &Response) -> bool {
        let Some(given) = self.none_match else { return false };
        let Some(etag) = response.headers().get(header::ETAG) else { return false };
        response.status() == StatusCode::OK
            && (*self.method == Method::GET || *self.method == Method::HEAD)
            && extract::none_match(given, etag)
    }

    /// In debug builds a success status that the operation does not declare becomes a failure that no test can miss.
    fn undeclared_success(&self, response: &Response) -> Option<Response> {
        let status = response.status();
        let declared = self.op.success.iter().any(|success| success.status == status.as_u16());
        if declared || self.op.hidden || *self.method == Method::OPTIONS {
            return None;
        }
        let text = format!("{} answers {status} but does not declare it", self.op.id);
        let problem = Problem::internal(&text).detail(text);
        Some(problem.render(self.path, &self.ties.correlation_id, ""))
    }

    /// In debug builds a problem that the operation does not declare becomes a failure that no test can miss.
    fn declared(&self, problem: Problem) -> Problem {
        let code = problem.code();
        if self.op.hidden || document::declares(self.op, code) {
            return problem;
        }
        metrics::counter!("markethall_http_undeclared_problems_total", "code" => code.code).increment(1);
        if cfg!(debug_assertions) {
            let text = format!("{} answers {} but does not declare it", self.op.id, code.code);
            return Problem::internal(&text).detail(text);
        }
        problem
    }

    fn write_headers(&self, headers: &mut HeaderMap) {
        headers.insert(super::CORRELATION_ID, self.ties.header.clone());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        headers.insert(header::X_FRAME_OPTIONS, DENY);
        headers.insert(header::REFERRER_POLICY, NO_REFERRER);
        headers.insert(PERMISSIONS_POLICY, NO_FEATURES);
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING);
        if !self.op.at_root {
            headers.insert(API_VERSIONS, VERSIONS);
        }
        if !headers.contains_key(header::CACHE_CONTROL) {
            let policy = if headers.contains_key(header::ETAG) { REVALIDATE } else { NO_STORE };
            headers.insert(header::CACHE_CONTROL, policy);
        }
        if !self.known.standings.is_empty() {
            limits::write(headers, &self.known.standings);
        }
        if self.edge.0.config.https {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, TWO_YEARS);
        }
        if let Some(origin) = self.origin.filter(|_| cors::applies(self.op)) {
            cors::mark(headers, origin, self.known.tenant.as_deref());
        }
    }

    /// One event at the boundary: what, how long, for whom by pseudonym; never a token, a query or a body (DPR-4).
    fn log(&self, status: StatusCode, problem: Option<&Problem>) {
        macro_rules! event {
            ($level:ident) => {
                tracing::$level!(
                    http.operation = self.op.id,
                    http.method = self.method.as_str(),
                    http.status = status.as_u16(),
                    duration_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
                    correlation_id = &*self.ties.correlation_id,
                    trace_id = self.ties.trace.0.get(3..35),
                    tenant = self.known.tenant.as_ref().map(|tenant| &*tenant.slug),
                    user = self.known.principal.as_ref().and_then(|principal| pseudonym(&principal.actor)),
                    code = problem.map(|problem| problem.code().code),
                    cause = problem.and_then(Problem::cause),
                    "request"
                )
            };
        }
        match status.as_u16() {
            500 => event!(error),
            501.. => event!(warn),
            400.. => event!(info),
            _ => event!(debug),
        }
    }
}

/// The body of an answer in JSON that is not long; the answer goes on as it was.
async fn keep_body(response: Response) -> (Response, Bytes) {
    let is_json =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|it| it.as_bytes().ends_with(b"json"));
    let is_short = response.body().size_hint().exact().is_some_and(|length| length <= MOST_BODY as u64);
    if !is_json || !is_short {
        return (response, Bytes::new());
    }
    let (parts, body) = response.into_parts();
    // All of it is in memory already.
    let body = axum::body::to_bytes(body, MOST_BODY).await.unwrap_or_default();
    (Response::from_parts(parts, Body::from(body.clone())), body)
}

fn is_file_of_rows(content_type: &HeaderValue) -> bool {
    content_type.as_bytes().starts_with(b"text/csv")
}

/// Our own identifiers say nothing about a person; subjects of other issuers may be mail addresses.
fn pseudonym(actor: &Actor) -> Option<&str> {
    match actor {
        Actor::User(id) | Actor::Key(id) => {
            let ours = id.len() == 30 && id.as_bytes()[3] == b'_';
            Some(if ours { id } else { "external" })
        }
        Actor::Visitor(id) => Some(id),
        Actor::Operator => Some("operator"),
        Actor::System => Some("system"),
    }
}
