//! What the gate hands to the audit log (DPR-1).

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use kernel::{Actor, Tenant, Timestamp};

/// Bodies that are longer are not kept.
pub(crate) const MOST_BODY: usize = 64 * 1024;

/// One request of a tenant and its answer.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Whose data it was about.
    pub tenant: Arc<Tenant>,
    /// When it came.
    pub at: Timestamp,
    /// By whom; `None` where nobody was signed in.
    pub actor: Option<Actor>,
    /// The operation.
    pub operation: &'static str,
    /// Its method.
    pub method: http::Method,
    /// The path, at most 300 characters.
    pub subject: String,
    /// The status of the answer.
    pub status: u16,
    /// From where.
    pub address: Option<IpAddr>,
    /// With what program; at most 200 characters.
    pub agent: Option<String>,
    /// Ties it to logs and messages.
    pub correlation_id: Arc<str>,
    /// How long it took.
    pub took: Duration,
    /// The body of the request as it came, secrets and all; empty where there was none or it was longer than 64 KiB.
    pub request: Bytes,
    /// The body of the answer, as [`AuditEntry::request`].
    pub response: Bytes,
}

/// Takes entries of the audit log. Never blocks for long and never fails.
pub trait Audit: Send + Sync {
    /// Whether this request is to be kept; asked once for each.
    fn wants(&self, changes: bool) -> bool;

    /// Takes one entry.
    fn record(&self, entry: AuditEntry);
}
