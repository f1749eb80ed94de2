//! Health (HTTP-12): is the process alive, is it ready for work, what is wrong in detail.
//!
//! `server` gives the checks; the edge runs them within two seconds, at most once a second, and shows the details to
//! the operator only.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use axum::extract::State;
use bytes::Bytes;
use futures::future::join_all;
use http::StatusCode;
use kernel::{Permission, Tenant};
use serde::Serialize;
use tokio::sync::Mutex;

use crate::{
    Edge, Op, Path, Problem, Reply, Routes, codes,
    telemetry::{IN_FLIGHT, Metrics, Page},
};

/// Seeing health details and metrics from outside the operator's network.
pub const PLATFORM_HEALTH: Permission = Permission::new("platform:health");

/// A check that takes longer counts as failed.
const MOST_WAIT: Duration = Duration::from_secs(2);
/// Results are shown again for so long: probes of many balancers cost one check.
const FRESH: Duration = Duration::from_secs(1);

/// How a dependency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// Works.
    Up,
    /// Works worse than it should; requests are still served.
    Degraded,
    /// Does not work.
    Down,
}

/// What a check has found. Details hold no addresses, user names or secrets.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How it is.
    pub condition: Condition,
    /// What an operator should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How long the check took.
    pub duration_ms: u64,
}

impl Finding {
    /// It works.
    #[must_use]
    pub fn up() -> Self {
        Self { condition: Condition::Up, detail: None, duration_ms: 0 }
    }

    /// It works worse than it should.
    pub fn degraded(detail: impl Into<String>) -> Self {
        Self { condition: Condition::Degraded, detail: Some(detail.into()), duration_ms: 0 }
    }

    /// It does not work.
    pub fn down(detail: impl Into<String>) -> Self {
        Self { condition: Condition::Down, detail: Some(detail.into()), duration_ms: 0 }
    }

    /// It works and there is something to say.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// One dependency of the process: a database, a cache, a bus, a breaker.
#[async_trait]
pub trait Check: Send + Sync {
    /// Its name in the report.
    fn name(&self) -> &str;

    /// Whether requests cannot be served without it.
    fn is_critical(&self) -> bool {
        true
    }

    /// Looks how it is.
    async fn check(&self) -> Finding;
}

/// What one tenant's requests need: its database.
#[async_trait]
pub trait TenantCheck: Send + Sync {
    /// Looks how the tenant's dependencies are, by name.
    async fn check(&self, tenant: &Arc<Tenant>) -> BTreeMap<String, Finding>;
}

/// The state of health of a process.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    edge: Edge,
    checks: Vec<Box<dyn Check>>,
    tenant: Option<Box<dyn TenantCheck>>,
    metrics: Option<Metrics>,
    latest: Mutex<Option<(Instant, Arc<Report>)>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    status: Condition,
    draining: bool,
    in_flight: usize,
    version: &'static str,
    checks: BTreeMap<String, Finding>,
    #[serde(skip)]
    ready: bool,
}

impl Health {
    /// The health of the process with these dependencies.
    #[must_use]
    pub fn new(
        edge: &Edge,
        checks: Vec<Box<dyn Check>>,
        tenant: Option<Box<dyn TenantCheck>>,
        metrics: Option<Metrics>,
    ) -> Self {
        Self(Arc::new(Inner { edge: edge.clone(), checks, tenant, metrics, latest: Mutex::new(None) }))
    }

    /// `/health/live`, `/health/ready`, `/health`, `/health/tenant/{tenant}`, `/metrics`.
    pub fn routes(self) -> Routes<()> {
        let probe = |path, id, summary| {
            Op::get(path, id, summary).at_root().hidden().returns_raw(200, "application/json")
        };
        Routes::new("Health")
            .add(probe("/health/live", "get_live", "Whether the process runs").public(), get_live)
            .add(probe("/health/ready", "get_ready", "Whether it takes work").public(), get_ready)
            .add(
                probe("/health", "get_health", "Every dependency").operator_network(PLATFORM_HEALTH),
                get_health,
            )
            .add(
                probe("/health/tenant/{tenant}", "get_tenant_health", "A tenant's database")
                    .operator_network(PLATFORM_HEALTH),
                get_tenant_health,
            )
            .add(
                probe("/metrics", "get_metrics", "Numbers for Prometheus").operator_network(PLATFORM_HEALTH),
                get_metrics,
            )
            .with_state(self)
    }

    /// The latest report; made anew when it is older than a second. Callers at one time share one.
    async fn report(&self) -> Arc<Report> {
        let mut latest = self.0.latest.lock().await;
        if let Some((made, report)) = &*latest
            && made.elapsed() < FRESH
            && report.draining == self.0.edge.is_draining()
        {
            return report.clone();
        }
        let report = Arc::new(self.look().await);
        *latest = Some((Instant::now(), report.clone()));
        report
    }

    async fn look(&self) -> Report {
        let found = join_all(self.0.checks.iter().map(|check| timed(check.check()))).await;
        let mut checks = BTreeMap::new();
        let (mut status, mut ready) = (Condition::Up, true);
        for (check, finding) in self.0.checks.iter().zip(found) {
            let critical = check.is_critical();
            let weight =
                if critical { finding.condition } else { finding.condition.min(Condition::Degraded) };
            status = status.max(weight);
            ready &= !critical || finding.condition != Condition::Down;
            checks.insert(check.name().to_owned(), finding);
        }
        let draining = self.0.edge.is_draining();
        let in_flight = self.0.edge.in_flight();
        let version = env!("CARGO_PKG_VERSION");
        Report { status, draining, in_flight, version, checks, ready: ready && !draining }
    }
}

impl Report {
    fn write(&self, page: &mut Page) {
        let number = |yes: bool| f64::from(u8::from(yes));
        page.number("markethall_ready", "Whether the process takes work.", number(self.ready));
        page.number("markethall_draining", "Whether the process is about to stop.", number(self.draining));
        let checks = self.checks.iter().map(|(name, finding)| {
            let value = match finding.condition {
                Condition::Up => 0.0,
                Condition::Degraded => 1.0,
                Condition::Down => 2.0,
            };
            ([("check", name.as_str())], value)
        });
        let help = "How a dependency is: 0 up, 1 degraded, 2 down.";
        page.gauge("markethall_health_condition", help, checks);
        let version = [([("version", self.version)], 1.0)];
        page.gauge("markethall_build_info", "The version that runs.", version);
    }
}

async fn timed(check: impl Future<Output = Finding>) -> Finding {
    let started = Instant::now();
    let mut finding = match tokio::time::timeout(MOST_WAIT, check).await {
        Ok(finding) => finding,
        Err(_) => Finding::down("no answer within two seconds"),
    };
    finding.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    finding
}

fn status(fine: bool) -> StatusCode {
    if fine { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn get_live() -> Reply {
    Reply::bytes(StatusCode::OK, Bytes::from_static(b"{\"status\":\"alive\"}"), None)
}

async fn get_ready(State(health): State<Health>) -> Reply {
    let report = health.report().await;
    let word: &[u8] = match (report.ready, report.draining) {
        (true, _) => b"{\"status\":\"ready\"}",
        (false, true) => b"{\"status\":\"draining\"}",
        (false, false) => b"{\"status\":\"unready\"}",
    };
    Reply::bytes(status(report.ready), Bytes::copy_from_slice(word), None)
}

async fn get_health(State(health): State<Health>) -> Reply {
    let report = health.report().await;
    Reply::json(status(report.ready), &*report)
}

async fn get_tenant_health(State(health): State<Health>, Path(slug): Path<String>) -> Result<Reply, Problem> {
    let found = health.0.edge.0.registry.find_tenant(&slug).await;
    let tenant = found
        .map_err(|error| Problem::new(codes::IDENTITY_UNAVAILABLE).because(error))?
        .ok_or_else(Problem::not_found)?;
    let check = health.0.tenant.as_ref().ok_or_else(Problem::not_found)?;
    let checks = tokio::time::timeout(MOST_WAIT, check.check(&tenant)).await.unwrap_or_else(|_| {
        BTreeMap::from([("database".to_owned(), Finding::down("no answer within two seconds"))])
    });
    let worst = checks.values().map(|finding| finding.condition).max().unwrap_or(Condition::Up);
    let report = serde_json::json!({
        "status": worst, "tenant": &*tenant.slug, "tenantStatus": tenant.status, "checks": checks,
    });
    Ok(Reply::json(status(worst != Condition::Down), &report))
}

async fn get_metrics(State(health): State<Health>) -> Result<Reply, Problem> {
    let metrics = health.0.metrics.as_ref().ok_or_else(Problem::not_found)?;
    metrics::gauge!(IN_FLIGHT).set(health.0.edge.in_flight() as f64);
    let mut page = Page::default();
    health.report().await.write(&mut page);
    let text = Bytes::from(metrics.render(page));
    Ok(Reply::raw(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text))
}
