//! Feature flags: what is decided about them, who decided it and when, and what this process knows of it.

mod change_rule;
mod config;
mod http;
mod list_rules;
mod store;

use kernel::{Flag, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use change_rule::{ClearRuleError, SetRule, SetRuleError, clear_rule, set_rule};
pub(crate) use http::routes;
pub use list_rules::{RuleFilter, find_rule, list_rules};
pub(crate) use store::FlagStore;

/// What is decided about a feature for one tenant, or for all that have no decision of their own.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeatureRule {
    /// The feature.
    pub feature: String,
    /// The tenant's slug; null for everybody.
    pub tenant: Option<String>,
    /// Whether it is on at all.
    pub enabled: bool,
    /// For how many of a hundred it is on, when it is.
    #[schema(minimum = 0, maximum = 100)]
    pub percentage: u8,
    /// It holds from here on.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub starts_at: Option<Timestamp>,
    /// It holds until before this.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
    /// What the code that asks is told besides.
    #[schema(schema_with = config::schema)]
    pub config: Option<Map<String, Value>>,
    /// When it was decided first.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
    /// The version for `If-Match`.
    #[serde(skip)]
    pub version: i32,
}

/// A feature that the program can switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Feature {
    /// Its name.
    pub feature: &'static str,
    /// What is different when it is on.
    pub about: &'static str,
    /// The part of the program that asks.
    pub owner: &'static str,
    /// The day by which the switch is to be gone, or renewed.
    #[schema(value_type = String, format = Date)]
    pub expires: String,
    /// Whether that day is past.
    pub expired: bool,
    /// Whether it is on where nothing was decided.
    pub default_on: bool,
}

impl Feature {
    /// The feature of `flag` as it stands at `now`.
    #[must_use]
    pub fn of(flag: &Flag, now: Timestamp) -> Self {
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        Self {
            feature: flag.name,
            about: flag.about,
            owner: flag.owner,
            expires: flag.expires.to_string(),
            expired: flag.expires < today,
            default_on: flag.default_on,
        }
    }
}

/// A feature as it is for one tenant now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeatureState {
    /// Its name.
    pub feature: &'static str,
    /// What is different when it is on.
    pub about: &'static str,
    /// Whether it is on.
    pub on: bool,
    /// What was decided besides; null where it is off or nothing was said.
    #[schema(schema_with = config::schema)]
    pub config: Option<Value>,
}
