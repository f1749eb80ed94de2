//! One merchant as every request sees it: identity, tier, settings, and where its data lives.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Currency, Flags, RateLimit, Spending};

crate::id!(
    /// A merchant.
    TenantId,
    "ten"
);

/// What the merchant pays for: limits, pool sizes, retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Small and shared.
    Free,
    /// The usual one, shared.
    Standard,
    /// Own database by default.
    Enterprise,
}

impl Tier {
    /// Every tier, the smallest first.
    pub const ALL: [Self; 3] = [Self::Free, Self::Standard, Self::Enterprise];

    /// Its name in data, messages and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Standard => "standard",
            Self::Enterprise => "enterprise",
        }
    }
}

/// Where a tenant stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenantStatus {
    /// Being set up; resumable.
    Provisioning,
    /// Trading.
    Active,
    /// Stopped by the operator; nobody can sign in.
    Suspended,
    /// Set-up failed and may be retried.
    ProvisionError,
    /// A migration failed; the tenant's database is at an older version.
    MigrationError,
}

/// How VAT is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum VatRounding {
    /// Each line by itself.
    #[default]
    Line,
    /// Each rate's total once, spread over its lines by largest remainder.
    Total,
}

/// The smallest cash step in minor units: 1 none, 5 for 0.05.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct CashRounding(pub i64);

impl Default for CashRounding {
    fn default() -> Self {
        Self(1)
    }
}

/// What happens when more is sold than a counted shelf holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum ShortagePolicy {
    /// The sale is refused.
    #[default]
    Refuse,
    /// The sale is taken, the shelf goes negative and is flagged.
    Flag,
}

/// How a merchant trades. Changes apply to later sales; each sale keeps the policy it was made under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TenantSettings {
    /// Prices include VAT.
    pub prices_include_vat: bool,
    /// How VAT is rounded.
    pub vat_rounding: VatRounding,
    /// The smallest cash step in minor units.
    #[schema(value_type = i64, minimum = 1, maximum = 1000)]
    pub cash_rounding: CashRounding,
    /// Selling more than is there.
    pub shortage_policy: ShortagePolicy,
    /// IANA time zone of the merchant's days.
    #[schema(max_length = 64)]
    pub time_zone: String,
    /// Origins that browsers may call from; at most 20.
    #[schema(max_items = 20)]
    pub cors_origins: Vec<String>,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            prices_include_vat: true,
            vat_rounding: VatRounding::Line,
            cash_rounding: CashRounding::default(),
            shortage_policy: ShortagePolicy::Refuse,
            time_zone: "UTC".to_owned(),
            cors_origins: Vec::new(),
        }
    }
}

/// Where a tenant's data lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, PartialOrd, Ord)]
pub struct Placement {
    /// The PostgreSQL cluster, by its configured name.
    pub shard: Arc<str>,
    /// The database in it.
    pub database: Arc<str>,
    /// Own database, or one shared under row-level security.
    pub dedicated: bool,
}

/// One merchant as requests see it; immutable but for its flags and what it spends, shared, replaced when something changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Identity.
    pub id: TenantId,
    /// The name in addresses and headers: `[a-z0-9-]`, 2 to 40 characters.
    pub slug: Arc<str>,
    /// The name for people.
    pub name: Arc<str>,
    /// The tier.
    pub tier: Tier,
    /// Where it stands.
    pub status: TenantStatus,
    /// The one currency of its prices and books.
    pub currency: Currency,
    /// How it trades.
    pub settings: TenantSettings,
    /// Where its data lives.
    pub placement: Placement,
    /// How often it may call, where that is not what its tier says.
    pub rate_limit: Option<RateLimit>,
    /// What is switched on and off, for this tenant and for all; changes while this value is in use.
    pub flags: Flags,
    /// What its requests have cost in this process; goes on when this value is replaced.
    pub spending: Spending,
}
