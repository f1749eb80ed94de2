//! Sales by id, serialised, in memory: a sale changes only when it is corrected.

use edge::{ReplyCache, reply_key};
use kernel::TenantId;

use crate::model::{Sale, SaleId};

/// Sales as they are answered; see [`ReplyCache`].
pub type SaleCache = ReplyCache<()>;

const KIND: &str = "sale";
/// The most bytes of JSON that are kept.
const MOST_BYTES: u64 = 32 << 20;

/// An empty cache.
#[must_use]
pub fn sale_cache() -> SaleCache {
    ReplyCache::new(KIND, MOST_BYTES)
}

/// Under which key other processes are told that a sale was corrected.
#[must_use]
pub fn key(tenant: TenantId, sale: SaleId) -> String {
    reply_key(KIND, tenant, sale.0)
}

/// The version of a sale: booked sales change only in what was taken back, and that only grows.
#[must_use]
pub fn etag(sale: &Sale) -> String {
    let status = serde_json::to_string(&sale.status).unwrap_or_default();
    format!("{}-{}", status.trim_matches('"'), sale.refunded_total.amount)
}
