//! How often reads were answered from memory, from Redis and from the database, by what was read.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use metrics::Counter;

const HITS: &str = "markethall_catalog_cache_hits_total";
const MISSES: &str = "markethall_catalog_cache_misses_total";

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheKind {
    /// One product, by id or SKU.
    Product,
    /// A page of products.
    Products,
    /// The category tree.
    Categories,
}

impl CacheKind {
    fn label(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Products => "products",
            Self::Categories => "categories",
        }
    }
}

/// What the caches did since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheCounts {
    /// Reads answered from memory, or by what another request was fetching already.
    pub hits: u64,
    /// Reads answered from Redis, by what another process or an earlier one had read.
    pub shared_hits: u64,
    /// Reads that went to the database.
    pub misses: u64,
}

/// What answered a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The memory of this process.
    Memory,
    /// Redis.
    Redis,
    /// The database.
    Database,
}

const SOURCES: [Source; 3] = [Source::Memory, Source::Redis, Source::Database];
const KINDS: [CacheKind; 3] = [CacheKind::Product, CacheKind::Products, CacheKind::Categories];

#[derive(Default)]
struct Count {
    number: AtomicU64,
    metric: OnceLock<Counter>,
}

impl Count {
    fn metric(&self, kind: CacheKind, source: Source) -> &Counter {
        self.metric.get_or_init(|| match source {
            Source::Memory => metrics::counter!(HITS, "kind" => kind.label(), "level" => "memory"),
            Source::Redis => metrics::counter!(HITS, "kind" => kind.label(), "level" => "redis"),
            Source::Database => metrics::counter!(MISSES, "kind" => kind.label()),
        })
    }
}

/// Counts every read once, for metrics and proofs.
#[derive(Default)]
pub(crate) struct ReadCounts([[Count; 3]; 3]);

impl ReadCounts {
    /// Counts that are shown from now on, with zero: alerts need a beginning.
    pub(crate) fn registered() -> Self {
        metrics::describe_counter!(
            HITS,
            "Reads of the catalog answered from a cache, by kind and level: memory, redis."
        );
        metrics::describe_counter!(MISSES, "Reads of the catalog that went to the database, by kind.");
        let counts = Self::default();
        for (kind, source) in KINDS.into_iter().flat_map(|kind| SOURCES.map(|source| (kind, source))) {
            counts.count(kind, source).metric(kind, source);
        }
        counts
    }

    fn count(&self, kind: CacheKind, source: Source) -> &Count {
        &self.0[kind as usize][source as usize]
    }

    /// Counts one read.
    pub(crate) fn add(&self, kind: CacheKind, source: Source) {
        let count = self.count(kind, source);
        count.number.fetch_add(1, Ordering::Relaxed);
        count.metric(kind, source).increment(1);
    }

    pub(crate) fn of(&self, kind: CacheKind) -> CacheCounts {
        let number = |source| self.count(kind, source).number.load(Ordering::Relaxed);
        CacheCounts {
            hits: number(Source::Memory),
            shared_hits: number(Source::Redis),
            misses: number(Source::Database),
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    // CAT-4: the hit ratio is in the metrics.
    #[test]
    fn reads_are_counted_by_what_was_read_and_what_answered() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let counts = ReadCounts::default();
        metrics::with_local_recorder(&recorder, || {
            counts.add(CacheKind::Product, Source::Memory);
            counts.add(CacheKind::Product, Source::Memory);
            counts.add(CacheKind::Product, Source::Redis);
            counts.add(CacheKind::Categories, Source::Database);
        });
        let shown = recorder.handle().render();
        for line in [
            "markethall_catalog_cache_hits_total{kind=\"product\",level=\"memory\"} 2",
            "markethall_catalog_cache_hits_total{kind=\"product\",level=\"redis\"} 1",
            "markethall_catalog_cache_misses_total{kind=\"categories\"} 1",
        ] {
            assert!(shown.contains(line), "{shown}");
        }
        assert_eq!(counts.of(CacheKind::Product), CacheCounts { hits: 2, shared_hits: 1, misses: 0 });
        assert_eq!(counts.of(CacheKind::Products), CacheCounts { hits: 0, shared_hits: 0, misses: 0 });
    }
}
