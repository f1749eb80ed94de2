//! The span of a request: which operation, how it ended, for which merchant; never who asked or what for (OBS-2).

use http::{Method, StatusCode};
use traces::{Kind, Span};

use super::correlation::Ties;
use crate::{Op, Problem};

/// What a request is called in traces; made once per operation.
pub(super) struct Named {
    method: &'static str,
    route: String,
    /// Probes come every few seconds and are nobody's work.
    silent: bool,
}

impl Named {
    pub(super) fn new(op: &Op, method: &'static str, route: &str) -> Self {
        Self { method, route: route.to_owned(), silent: op.hidden }
    }

    /// Begins the span that the context of the request names.
    pub(super) fn begin(&self, ties: &Ties, method: &Method) -> Span {
        if self.silent || !traces::is_on() {
            return Span::none();
        }
        let method = if *method == Method::HEAD { "HEAD" } else { self.method };
        let name = || format!("{method} {}", self.route).into();
        let mut span = Span::of(&ties.trace, ties.caller_span, Kind::Server, name);
        span.set("http.request.method", if method == "other" { "_OTHER" } else { method });
        span.set("http.route", self.route.clone());
        span
    }
}

/// What became of the request. That it was refused is no failure of ours.
pub(super) fn end(
    span: &mut Span,
    op: &Op,
    ties: &Ties,
    tenant: Option<&str>,
    ended: (StatusCode, Option<&Problem>),
) {
    if !span.is_some() {
        return;
    }
    let (status, problem) = ended;
    span.set("http.response.status_code", status.as_u16());
    span.set("markethall.operation", op.id);
    span.set("markethall.correlation_id", ties.correlation_id.to_string());
    if let Some(tenant) = tenant {
        span.set("markethall.tenant", tenant.to_owned());
    }
    if let Some(problem) = problem {
        span.set("markethall.code", problem.code().code);
    }
    if status.is_server_error() {
        span.fail(status.as_u16().to_string());
    }
}
