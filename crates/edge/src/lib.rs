//! The edge: what every HTTP request meets before and after its use case.
#![doc = include_str!("../README.md")]

mod api;
mod audit;
pub mod codes;
mod compress;
mod config;
mod document;
mod extract;
mod gate;
pub mod health;
pub mod idempotency;
mod identity;
mod limits;
mod meter;
mod network;
mod op;
pub mod page;
mod pages;
mod problem;
mod problem_db;
mod reply;
mod reply_cache;
mod routes;
pub mod serve;
pub mod telemetry;

pub use api::{Api, ApiError, RouteAccess};
pub use audit::{Audit, AuditEntry};
pub use config::EdgeConfig;
pub use extract::{
    Caller, Idempotency, IfMatch, IfNoneMatch, Input, Inputs, Json, Operator, Path, Path2, Query, RawBody,
    Tenanted, Visitor,
};
pub use gate::{Edge, EdgeParts};
pub use identity::{
    AuthError, Identity, Principal, Registry, RegistryError, SecurityEvent, SecurityEventKind, SecurityEvents,
};
pub use limits::{CostConfig, LimitedAs, LimitsConfig};
pub use meter::{Meter, Used};
pub use network::{Network, counted_as};
pub use op::{Access, IdempotencyKey, Op};
pub use problem::{FieldCode, FieldError, Problem};
pub use reply::Reply;
pub use reply_cache::{CachedReply, ReplyCache, reply_key};
pub use routes::Routes;

/// The version of the API that this program serves.
pub const API_VERSION: &str = "v1";
/// Where the API begins.
pub const API_PREFIX: &str = "/api/v1";
