//! What the generator is told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How hard, how long, and with what.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// `host:port`.
    pub(crate) address: String,
    /// Connections, each with one request under way.
    pub(crate) connections: usize,
    /// Requests per second at a constant rate; as fast as answers come when absent.
    pub(crate) rate: Option<f64>,
    pub(crate) warmup_ms: u64,
    pub(crate) duration_ms: u64,
    pub(crate) work: Work,
}

impl Plan {
    pub(crate) fn warmup(&self) -> Duration {
        Duration::from_millis(self.warmup_ms)
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_millis(self.duration_ms)
    }
}

/// The requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Work {
    /// These, one after the other, from the start again at the end.
    Get(Vec<Get>),
    /// New sales at random tills.
    Sales(Sales),
    /// These, one after the other, each with a key of its own.
    Post(Vec<Post>),
    /// Each connection is a shopper who fills a cart and checks it out, again and again: two requests for one order.
    Checkouts(Checkouts),
}

/// A request that writes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Post {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    /// JSON.
    pub(crate) body: String,
}

/// What is bought by whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Checkouts {
    /// At least as many as connections.
    pub(crate) shoppers: Vec<Shopper>,
    /// Products are `<prefix>0` to `<prefix><count - 1>`.
    pub(crate) sku_prefix: String,
    pub(crate) sku_count: u32,
    pub(crate) lines: u32,
}

/// One shopper of one tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Shopper {
    pub(crate) tenant: String,
    pub(crate) token: String,
}

/// A request that reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Get {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// What is sold where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sales {
    pub(crate) tills: Vec<Till>,
    /// Products are `<prefix>0` to `<prefix><count - 1>`.
    pub(crate) sku_prefix: String,
    pub(crate) sku_count: u32,
    pub(crate) lines: u32,
    pub(crate) currency: String,
    /// Cash given, in minor units: more than any sale costs, there is change.
    pub(crate) cash: i64,
    /// RFC 3339.
    pub(crate) occurred_at: String,
}

/// One till of one tenant, and who stands at it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Till {
    pub(crate) tenant: String,
    pub(crate) token: String,
    pub(crate) shop: String,
    pub(crate) register: String,
}
