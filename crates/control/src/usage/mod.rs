//! What tenants use: counted in memory by every process, handed in every few seconds, added up by hour and day.

mod cost;
mod csv;
mod facts;
mod http;
mod jobs;
mod list_usage;
mod meter;
mod range;
mod save_usage;
mod storage;

use kernel::{Tier, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

pub use cost::{CostLine, CostReport, PriceConfig, UnitPrice, report_costs};
pub use facts::{BillableFacts, Fact, count_facts, count_facts_of, list_facts};
pub use jobs::add_up;
pub(crate) use jobs::purge_usage;
pub use list_usage::{UsageFilter, list_own_usage, list_usage};
pub use meter::Amounts;
pub(crate) use meter::UsageMeter;
pub use range::{Days, DaysError};
pub use storage::sample_storage;

use edge::Routes;

use crate::Control;

pub(crate) use cost::check_prices;

pub(crate) fn routes(control: &Control) -> Routes<()> {
    let with = |routes: Routes<Control>| routes.with_state(control.clone());
    with(http::routes()).merge(with(facts::routes())).merge(with(cost::routes()))
}

/// Scheduled work of this part.
pub(crate) fn jobs(control: &Control) -> [messages::Job; 3] {
    [jobs::add_up_job(control), facts::count_facts_job(control), storage::sample_storage_job(control)]
}

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
    /// Messages published.
    pub messages: i64,
    /// Rows held in the database, on the average; null where nothing was sampled.
    pub stored_rows: Option<i64>,
    /// Bytes held in the database with its indexes, on the average; null where nothing was sampled.
    pub stored_bytes: Option<i64>,
    /// How long its requests held connections to the database, in milliseconds.
    pub database_ms: i64,
    /// Rows that their statements returned or changed.
    pub moved_rows: i64,
}
