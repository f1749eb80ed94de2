//! What tenants use: counted in memory by every process, handed in every few seconds, added up by hour and day.

mod csv;
mod http;
mod jobs;
mod list_usage;
mod meter;
mod range;
mod save_usage;

use kernel::{Tier, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use http::routes;
pub use jobs::add_up;
pub(crate) use jobs::{add_up_job, purge_usage};
pub use list_usage::{UsageFilter, list_own_usage, list_usage};
pub use meter::Amounts;
pub(crate) use meter::UsageMeter;
pub use range::{Days, DaysError};

/// What one tenant used in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantUsage {
    /// The tenant's slug.
    pub tenant: String,
    /// Its tier now.
    pub tier: Tier,
    /// How much.
    #[serde(flatten)]
    pub used: UsedView,
}

/// What was used in an hour or on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeriodUsage {
    /// When the hour or day began.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// How much.
    #[serde(flatten)]
    pub used: UsedView,
}

/// How much was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsedView {
    /// Requests that reached their handler.
    pub calls: i64,
    /// Bytes of the bodies of requests.
    pub received_bytes: i64,
    /// Bytes of the bodies of answers, before compression.
    pub sent_bytes: i64,
    /// How long handlers were at work, in milliseconds.
    pub worked_ms: i64,
}
