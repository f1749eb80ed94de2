//! The declaration of one operation: everything said once, used by the router, the gate, OpenAPI and the tests.

use std::time::Duration;

use http::Method;
use kernel::{Code, Permission};
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use crate::{
    LimitedAs, SecurityEventKind,
    document::{SchemaPart, schema_part},
    limits::Held,
};

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a token.
    Public,
    /// Everybody with a valid token; a tenant is resolved if there is one.
    Authenticated,
    /// Callers in a tenant whose role has the permission.
    Permission(Permission),
    /// Callers in a tenant whose role has the first, and visitors with the second for what is theirs alone: the
    /// handler holds them to it.
    Owned(Permission, Permission),
    /// Operators of the platform with the permission; no tenant.
    Platform(Permission),
    /// The operator's network, or a token with the platform permission.
    OperatorNetwork(Permission),
}

/// Whether an operation takes an `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdempotencyKey {
    /// Without a key it is refused.
    Required,
    /// Without a key it is not protected against repetition.
    Optional,
}

pub(crate) type SchemaFn = fn() -> SchemaPart;

#[derive(Debug, Clone)]
pub(crate) struct Success {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) schema: Option<SchemaFn>,
}

#[derive(Debug, Clone)]
pub(crate) struct BodySpec {
    pub(crate) content_type: &'static str,
    pub(crate) schema: Option<SchemaFn>,
}

/// One operation: method, path, who may call it, what goes in and out, how it fails.
#[derive(Debug, Clone)]
#[must_use]
pub struct Op {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: Option<&'static str>,
    pub(crate) tag: &'static str,
    pub(crate) access: Option<Access>,
    pub(crate) success: Vec<Success>,
    pub(crate) query: Option<fn() -> Vec<Parameter>>,
    pub(crate) path_schemas: Vec<SchemaFn>,
    pub(crate) body: Option<BodySpec>,
    pub(crate) idempotency: Option<IdempotencyKey>,
    pub(crate) etag: bool,
    pub(crate) if_match: bool,
    /// Public, but minds `X-Tenant`.
    pub(crate) names_tenant: bool,
    pub(crate) problems: Vec<Code>,
    pub(crate) security_event: Option<SecurityEventKind>,
    pub(crate) limited_as: LimitedAs,
    pub(crate) body_limit: usize,
    pub(crate) timeout: Option<Duration>,
    pub(crate) at_root: bool,
    pub(crate) hidden: bool,
    /// What the handler takes but the declaration does not say.
    pub(crate) defects: Vec<&'static str>,
}

impl Op {
    fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            description: None,
            tag: "",
            access: None,
            success: Vec::new(),
            query: None,
            path_schemas: Vec::new(),
            body: None,
            idempotency: None,
            etag: false,
            if_match: false,
            names_tenant: false,
            problems: Vec::new(),
            security_event: None,
            limited_as: LimitedAs::Usual,
            body_limit: 1 << 20,
            timeout: None,
            at_root: false,
            hidden: false,
            defects: Vec::new(),
        }
    }

    /// `GET path`, relative to `/api/v1`; `id` is the operation id, unique and snake_case. HEAD comes with it.
    pub fn get(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::GET, path, id, summary)
    }

    /// `POST path`.
    pub fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::POST, path, id, summary)
    }

    /// `PUT path`.
    pub fn put(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::PUT, path, id, summary)
    }

    /// `DELETE path`.
    pub fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::DELETE, path, id, summary)
    }

    /// More about it, Markdown.
    pub fn description(mut self, text: &'static str) -> Self {
        self.description = Some(text);
        self
    }

    /// Callers in a tenant whose role has `permission`.
    pub fn permission(mut self, permission: Permission) -> Self {
        self.access = Some(Access::Permission(permission));
        self
    }

    /// Callers in a tenant whose role has `all`, and visitors with `own`; the handler lets these reach only what is
    /// theirs.
    pub fn owned(mut self, all: Permission, own: Permission) -> Self {
        self.access = Some(Access::Owned(all, own));
        self
    }

    /// Everybody, without a token.
    pub fn public(mut self) -> Self {
        self.access = Some(Access::Public);
        self
    }

    /// Everybody with a valid token.
    pub fn authenticated(mut self) -> Self {
        self.access = Some(Access::Authenticated);
        self
    }

    /// Operators with `permission` (`platform:...`); needs no tenant.
    pub fn platform(mut self, permission: Permission) -> Self {
        self.access = Some(Access::Platform(permission));
        self
    }

    /// The operator's network without a token, everybody else with `permission` (`platform:...`).
    pub fn operator_network(mut self, permission: Permission) -> Self {
        self.access = Some(Access::OperatorNetwork(permission));
        self
    }

    /// Query parameters. Operations without any refuse a query string.
    pub fn query<T: IntoParams>(mut self) -> Self {
        self.query = Some(|| T::into_params(|| Some(ParameterIn::Query)));
        self
    }

    /// A JSON body.
    pub fn body<T: ToSchema>(mut self) -> Self {
        self.body = Some(BodySpec { content_type: "application/json", schema: Some(schema_part::<T>) });
        self
    }

    /// A body of another media type (`image/*` for all of a family), taken with [`crate::RawBody`].
    pub fn body_raw(mut self, content_type: &'static str) -> Self {
        self.body = Some(BodySpec { content_type, schema: None });
        self
    }

    /// A success status with a JSON answer; 201 and 202 carry `Location`.
    pub fn returns<T: ToSchema>(mut self, status: u16) -> Self {
        let schema = Some(schema_part::<T> as SchemaFn);
        self.success.push(Success { status, content_type: "application/json", schema });
        self
    }

    /// A success status with an answer of another media type.
    pub fn returns_raw(mut self, status: u16, content_type: &'static str) -> Self {
        self.success.push(Success { status, content_type, schema: None });
        self
    }

    /// A success status without a body: 204.
    pub fn returns_nothing(mut self, status: u16) -> Self {
        self.success.push(Success { status, content_type: "", schema: None });
        self
    }

    /// Takes an `Idempotency-Key`; the handler takes [`crate::Idempotency`].
    pub fn idempotency(mut self, key: IdempotencyKey) -> Self {
        self.idempotency = Some(key);
        self
    }

    /// Answers carry `ETag`; on reads `If-None-Match` gives 304 by itself.
    pub fn etag(mut self) -> Self {
        self.etag = true;
        self
    }

    /// `If-Match` is honoured with 412; the handler takes [`crate::IfMatch`].
    pub fn if_match(mut self) -> Self {
        self.if_match = true;
        self
    }

    /// The problem codes of its use case; the standard ones come by themselves.
    pub fn problems(mut self, codes: &[Code]) -> Self {
        self.problems.extend_from_slice(codes);
        self
    }

    /// Its success is a security event.
    pub fn security_event(mut self, kind: SecurityEventKind) -> Self {
        self.security_event = Some(kind);
        self
    }

    /// Other rate limits than the usual ones.
    pub fn limited_as(mut self, what: LimitedAs) -> Self {
        self.limited_as = what;
        self
    }

    /// Another limit than 1 MiB for the body.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Another time limit than that of the configuration.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// The path is the whole one, outside `/api/v1` (`/health/live`).
    pub fn at_root(mut self) -> Self {
        self.at_root = true;
        self
    }

    /// Not in the OpenAPI document (pages, probes) and without rate limits.
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self.limited_as = LimitedAs::Unlimited;
        self
    }

    /// The whole path as the router knows it.
    pub(crate) fn full_path(&self) -> String {
        if self.at_root { self.path.to_owned() } else { format!("{}{}", crate::API_PREFIX, self.path) }
    }

    /// The names in braces of its path, in order.
    pub(crate) fn path_names(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
    }

    /// Whether `If-None-Match` means something to it.
    pub(crate) fn is_cacheable(&self) -> bool {
        self.etag && !self.is_unsafe()
    }

    /// How soon it is held to what its tenant's requests have cost (PLT-15): what may take long, a list, a report or an export,
    /// before a look at one thing; what changes something never, for people stand at a till.
    pub(crate) fn held(&self) -> Held {
        let of_tenant = matches!(self.access, Some(Access::Permission(_) | Access::Owned(..)));
        match (self.is_unsafe(), of_tenant && !self.path.ends_with('}')) {
            (true, _) => Held::Never,
            (false, true) => Held::First,
            (false, false) => Held::Late,
        }
    }

    /// Whether it changes something.
    pub(crate) fn is_unsafe(&self) -> bool {
        self.method != Method::GET
    }
}
