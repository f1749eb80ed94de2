//! How often reads were answered from memory, by what was read.

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
    /// Reads that went to the database.
    pub misses: u64,
}

#[derive(Default)]
struct Count {
    number: AtomicU64,
    metric: OnceLock<Counter>,
}

impl Count {
    fn add(&self, name: &'static str, kind: CacheKind) {
        self.number.fetch_add(1, Ordering::Relaxed);
        self.metric.get_or_init(|| handle(name, kind)).increment(1);
    }
}

fn handle(name: &'static str, kind: CacheKind) -> Counter {
    metrics::counter!(name, "kind" => kind.label())
}

/// Counts every read once, for metrics and proofs.
#[derive(Default)]
pub(crate) struct ReadCounts([(Count, Count); 3]);

impl ReadCounts {
    /// Counts that are shown from now on, with zero: alerts need a beginning.
    pub(crate) fn registered() -> Self {
        metrics::describe_counter!(HITS, "Reads of the catalog answered from memory, by kind.");
        metrics::describe_counter!(MISSES, "Reads of the catalog that went to the database, by kind.");
        let counts = Self::default();
        for kind in [CacheKind::Product, CacheKind::Products, CacheKind::Categories] {
            let (hits, misses) = &counts.0[kind as usize];
            hits.metric.get_or_init(|| handle(HITS, kind));
            misses.metric.get_or_init(|| handle(MISSES, kind));
        }
        counts
    }

    pub(crate) fn hit(&self, kind: CacheKind) {
        self.0[kind as usize].0.add(HITS, kind);
    }

    pub(crate) fn miss(&self, kind: CacheKind) {
        self.0[kind as usize].1.add(MISSES, kind);
    }

    pub(crate) fn of(&self, kind: CacheKind) -> CacheCounts {
        let (hits, misses) = &self.0[kind as usize];
        CacheCounts {
            hits: hits.number.load(Ordering::Relaxed),
            misses: misses.number.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    // CAT-4: the hit ratio is in the metrics.
    #[test]
    fn hits_and_misses_are_counted_apart_by_what_was_read() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let counts = ReadCounts::default();
        metrics::with_local_recorder(&recorder, || {
            counts.hit(CacheKind::Product);
            counts.hit(CacheKind::Product);
            counts.miss(CacheKind::Categories);
        });
        let shown = recorder.handle().render();
        assert!(shown.contains("markethall_catalog_cache_hits_total{kind=\"product\"} 2"), "{shown}");
        assert!(shown.contains("markethall_catalog_cache_misses_total{kind=\"categories\"} 1"), "{shown}");
        assert_eq!(counts.of(CacheKind::Product), CacheCounts { hits: 2, misses: 0 });
        assert_eq!(counts.of(CacheKind::Products), CacheCounts { hits: 0, misses: 0 });
    }
}
