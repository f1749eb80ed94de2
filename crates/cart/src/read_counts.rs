//! Where carts that were shown came from.

use metrics::Counter;

const READS: &str = "markethall_cart_reads_total";

/// Counts every stored cart that was shown, once. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ReadCounts {
    /// As Redis had them.
    pub(crate) redis: Counter,
    /// Read from PostgreSQL.
    pub(crate) postgresql: Counter,
}

impl ReadCounts {
    /// Counts that are shown from now on, with zero.
    pub(crate) fn registered() -> Self {
        metrics::describe_counter!(READS, "Stored carts that were shown, by source: redis, postgresql.");
        let of = |source: &'static str| metrics::counter!(READS, "source" => source);
        Self { redis: of("redis"), postgresql: of("postgresql") }
    }
}
