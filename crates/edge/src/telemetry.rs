//! Metrics: one handle per operation and outcome, made once; the text for Prometheus.

mod page;
mod tenants;

pub use page::{Collect, Page};
pub(crate) use tenants::Responses;
pub use tenants::TierCounter;

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use http::StatusCode;
use kernel::Tier;
use metrics::{Counter, Histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the duration histogram, in seconds.
const BUCKETS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// How often histograms are folded; between two times they grow with the load.
const UPKEEP: Duration = Duration::from_secs(5);
/// All tiers, and none.
const TIERS: usize = Tier::ALL.len() + 1;
/// Statuses that are counted apart; all others together as `other`.
const STATUSES: [u16; 24] = [
    200, 201, 202, 204, 301, 302, 304, 308, 400, 401, 403, 404, 405, 406, 408, 409, 410, 412, 413, 415, 422,
    429, 500, 503,
];

const REQUESTS: &str = "markethall_http_requests_total";
const DURATION: &str = "markethall_http_request_duration_seconds";
pub(crate) const IN_FLIGHT: &str = "markethall_http_requests_in_flight";

/// Counts the requests of one operation. Handles are looked up once; counting is two atomic additions.
pub(crate) struct OpMetrics {
    route: String,
    method: &'static str,
    duration: OnceLock<Histogram>,
    counts: Box<[OnceLock<Counter>]>,
}

impl OpMetrics {
    pub(crate) fn new(route: String, method: &'static str) -> Self {
        let counts = std::iter::repeat_with(OnceLock::new).take(TIERS * (STATUSES.len() + 1)).collect();
        Self { route, method, duration: OnceLock::new(), counts }
    }

    pub(crate) fn record(&self, status: StatusCode, tier: Option<Tier>, took: Duration) {
        let place = STATUSES.binary_search(&status.as_u16()).unwrap_or(STATUSES.len());
        let count = self.counts[tier_place(tier) * (STATUSES.len() + 1) + place].get_or_init(|| {
            let (route, method) = (self.route.clone(), self.method);
            let status = STATUSES.get(place).map_or_else(|| "other".to_owned(), u16::to_string);
            let tier = tier_name(tier);
            metrics::counter!(REQUESTS, "route" => route, "method" => method, "status" => status, "tier" => tier)
        });
        count.increment(1);
        let duration = self.duration.get_or_init(
            || metrics::histogram!(DURATION, "route" => self.route.clone(), "method" => self.method),
        );
        duration.record(took.as_secs_f64());
    }
}

/// Where a tier is in arrays of [`TIERS`]; requests of no tenant come first.
fn tier_place(tier: Option<Tier>) -> usize {
    tier.map_or(0, |tier| tier as usize + 1)
}

/// The name of a tier in labels.
fn tier_name(tier: Option<Tier>) -> &'static str {
    tier.map_or("none", Tier::as_str)
}

/// What `/metrics` shows. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    counted: PrometheusHandle,
    collected: Arc<[Box<dyn Collect>]>,
}

impl Metrics {
    /// Makes this process count. Once per process; a second call fails.
    ///
    /// # Errors
    /// [`BuildError`] when a recorder is installed already.
    pub fn install() -> Result<Self, BuildError> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
            .install_recorder()?;
        metrics::describe_counter!(
            REQUESTS,
            "Requests answered, by route, method, status and the tenant's tier."
        );
        metrics::describe_counter!(
            tenants::RESPONSES,
            "Requests answered, by class of status and the tenant's tier."
        );
        metrics::describe_counter!(
            tenants::OF_TENANTS,
            "Requests answered, by tenant and class of status; tenants without a name of their own as `_other`."
        );
        metrics::describe_gauge!(IN_FLIGHT, "Requests being worked on.");
        metrics::describe_histogram!(
            DURATION,
            metrics::Unit::Seconds,
            "How long requests took, by route and method."
        );
        crate::limits::register_metrics();
        Ok(Self { counted: handle, collected: Arc::new([]) })
    }

    /// The same with `collected`, who are asked whenever the numbers are.
    #[must_use]
    pub fn with(self, collected: Vec<Box<dyn Collect>>) -> Self {
        Self { collected: collected.into(), ..self }
    }

    /// The present numbers in Prometheus' text format, those of `page` among them.
    #[must_use]
    pub fn render(&self, mut page: Page) -> String {
        for one in &*self.collected {
            one.collect(&mut page);
        }
        self.counted.render() + &page.into_text()
    }

    /// Folds what histograms have gathered; without it they grow with the number of requests.
    pub fn fold(&self) {
        self.counted.run_upkeep();
    }

    /// [`Metrics::fold`] every five seconds, until dropped.
    pub async fn keep(self) {
        let mut ticks = tokio::time::interval_at((Instant::now() + UPKEEP).into(), UPKEEP);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.fold();
        }
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statuses_can_be_searched() {
        assert!(STATUSES.is_sorted());
    }
}
