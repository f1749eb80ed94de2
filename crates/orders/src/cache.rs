//! Orders by id, serialised, in memory: asked for often while they are young, changed seldom.

use customers::Buyer;
use edge::{ReplyCache, reply_key};
use kernel::TenantId;

use crate::model::OrderId;

/// Orders as they are answered, each with whose it is; see [`ReplyCache`].
pub type OrderCache = ReplyCache<Buyer>;

const KIND: &str = "order";
/// The most bytes of JSON that are kept.
const MOST_BYTES: u64 = 32 << 20;

/// An empty cache.
pub(crate) fn order_cache() -> OrderCache {
    ReplyCache::new(KIND, MOST_BYTES)
}

/// Under which key other processes are told that an order has changed.
pub(crate) fn key(tenant: TenantId, order: OrderId) -> String {
    reply_key(KIND, tenant, order.0)
}
