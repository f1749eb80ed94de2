//! How the tenants are: who trades, whose setting up failed, whose database answers and how fast.

mod http;
mod probe;
mod report;

use std::time::Duration;

use kernel::{TenantStatus, Tier, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use http::routes;
pub(crate) use probe::probe_job;
pub use probe::{ProbePlan, Probed, probe_tenants};
pub use report::tenant_health;

/// Answers older than this say nothing about how tenants are now.
const SAMPLE: Duration = Duration::from_secs(3600);

/// How the tenants are.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantHealth {
    /// As of when.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Each tier once.
    #[schema(min_items = 3, max_items = 3)]
    pub tiers: Vec<TierHealth>,
    /// The slowest answers of the last hour, slowest first.
    #[schema(max_items = 10)]
    pub slowest: Vec<Probe>,
    /// Those whose database did not answer when it was asked last, longest first.
    #[schema(max_items = 50)]
    pub silent: Vec<Probe>,
    /// Those whose setting up or migration failed, longest first.
    #[schema(max_items = 50)]
    pub failed: Vec<FailedTenant>,
}

/// How the tenants of one tier are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TierHealth {
    /// The tier.
    pub tier: Tier,
    /// How many trade.
    pub active: i64,
    /// How many the operator has stopped.
    pub suspended: i64,
    /// How many are being set up.
    pub provisioning: i64,
    /// Of how many setting up or a migration failed.
    pub failed: i64,
    /// Of these, of how many a migration; for metrics.
    #[serde(skip)]
    pub migration_failed: i64,
    /// How many of the active ones were asked within the last hour.
    pub sampled: i64,
    /// How many of these answered.
    pub answered: i64,
    /// How long half of the answers took at most, in microseconds.
    pub median_us: Option<i32>,
    /// How long the slowest answer took, in microseconds.
    pub slowest_us: Option<i32>,
}

/// How one tenant's database answered when it was asked last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// The tenant's slug.
    pub tenant: String,
    /// Its tier.
    pub tier: Tier,
    /// The cluster.
    pub shard: String,
    /// The database in it.
    pub database: String,
    /// When it was asked.
    #[schema(value_type = String, format = DateTime)]
    pub checked_at: Timestamp,
    /// How long it took to answer, or to give up, in microseconds.
    pub took_us: i32,
    /// Why there was no answer.
    pub reason: Option<String>,
    /// When it was first asked in vain.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub silent_since: Option<Timestamp>,
}

/// A tenant whose setting up or migration failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedTenant {
    /// The tenant's slug.
    pub tenant: String,
    /// Its tier.
    pub tier: Tier,
    /// Where it stands.
    pub status: TenantStatus,
    /// The step that failed.
    pub step: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Why.
    pub last_error: Option<String>,
    /// Since when it stands there.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}
