//! What use costs: quantities, times the prices that were valid, is amounts that add up to the cent.

mod csv;
mod http;
mod price;
mod report;

use jiff::civil::Date;
use kernel::{Money, Tier};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use http::routes;
pub use price::PriceConfig;
pub(crate) use price::check_prices;
pub use report::report_costs;

/// What a tenant's use cost on some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostReport {
    /// The tenant's slug.
    pub tenant: String,
    /// The first day (UTC).
    #[schema(value_type = String, format = Date)]
    pub from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    pub to: Date,
    /// Facts of days before this one change no more.
    #[schema(value_type = String, format = Date)]
    pub settled_before: Date,
    /// One for each thing and each price of it that counted, by name, tier and time.
    #[schema(max_items = 2000)]
    pub lines: Vec<CostLine>,
    /// The sum of all lines.
    pub total: Money,
}

/// One thing that was used, at one price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostLine {
    /// What: `calls`, `received_bytes`, `sent_bytes`, `worked_us`, `messages`, `database_us`, `moved_rows`, `stored_row_days`, `stored_byte_days` or a kind of
    /// billable facts, such as `sale` or `order`.
    #[schema(max_length = 50)]
    pub item: String,
    /// The tier at whose price.
    pub tier: Tier,
    /// The first day on which any was used at this price.
    #[schema(value_type = String, format = Date)]
    pub from: Date,
    /// The last one.
    #[schema(value_type = String, format = Date)]
    pub to: Date,
    /// How much.
    pub quantity: i64,
    /// At which price; null where it costs nothing.
    pub price: Option<UnitPrice>,
    /// What that is: quantity times price, rounded half up once.
    pub amount: Money,
}

/// So much money for so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnitPrice {
    /// The money.
    pub amount: Money,
    /// For how many.
    pub per: i64,
}
