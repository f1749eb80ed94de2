//! The limits as configured.

use kernel::{RateLimit, Tier};
use serde::{Deserialize, Serialize};

/// How often may be called, by whom. Each is `{ limit, window_seconds, burst, queue }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Whether anything is limited at all.
    pub enabled: bool,
    /// A tenant of the tier `free`, all its callers together.
    pub free: RateLimit,
    /// A tenant of the tier `standard`.
    pub standard: RateLimit,
    /// A tenant of the tier `enterprise`.
    pub enterprise: RateLimit,
    /// A signed-in person, customers and guests of a shop included. Programs (API keys) count towards their tenant only.
    pub user: RateLimit,
    /// An address from which somebody calls without a valid token; of IPv6 the network.
    pub address: RateLimit,
    /// Registrations of one user, or of one address where nobody is signed in.
    pub registration: RateLimit,
    /// Callers that are remembered at once; of more the least busy are forgotten.
    pub callers: usize,
    /// What a tenant's requests may cost.
    pub cost: CostConfig,
}

/// What requests of a tenant may cost, all its callers together, in milliseconds of the database: `limit` per window in the long
/// run, `burst` at once, and while at most `queue` more are owed lists, reports and exports wait for their turn. Each process
/// keeps its own books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CostConfig {
    /// A tenant of the tier `free`.
    pub free: RateLimit,
    /// A tenant of the tier `standard`.
    pub standard: RateLimit,
    /// A tenant of the tier `enterprise`.
    pub enterprise: RateLimit,
    /// What a row that a statement returns or changes costs, in microseconds, beside its time.
    pub row_us: u32,
    /// What a KiB of an answer costs, in microseconds.
    pub kib_us: u32,
}

impl Default for CostConfig {
    fn default() -> Self {
        Self {
            free: RateLimit::new(30_000, 60, 30_000, 1_000),
            standard: RateLimit::new(120_000, 60, 120_000, 1_000),
            enterprise: RateLimit::new(480_000, 60, 480_000, 1_000),
            row_us: 2,
            kib_us: 10,
        }
    }
}

impl CostConfig {
    /// The budget of tenants of `tier`.
    #[must_use]
    pub fn of_tier(&self, tier: Tier) -> RateLimit {
        match tier {
            Tier::Free => self.free,
            Tier::Standard => self.standard,
            Tier::Enterprise => self.enterprise,
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            free: RateLimit::new(60, 60, 60, 2),
            standard: RateLimit::new(600, 60, 600, 10),
            enterprise: RateLimit::new(6_000, 60, 6_000, 100),
            user: RateLimit::new(10, 1, 20, 10),
            address: RateLimit::new(100, 60, 100, 0),
            registration: RateLimit::new(5, 60, 5, 0),
            callers: 100_000,
            cost: CostConfig::default(),
        }
    }
}

impl LimitsConfig {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self) -> Result<(), String> {
        let all = [
            ("free", self.free),
            ("standard", self.standard),
            ("enterprise", self.enterprise),
            ("user", self.user),
            ("address", self.address),
            ("registration", self.registration),
            ("cost.free", self.cost.free),
            ("cost.standard", self.cost.standard),
            ("cost.enterprise", self.cost.enterprise),
        ];
        for (name, limit) in all {
            limit.validate().map_err(|(field, wrong)| format!("edge.limits.{name}: {field} {wrong}"))?;
        }
        if (1_000..=10_000_000).contains(&self.callers) {
            Ok(())
        } else {
            Err(format!("edge.limits.callers must be between 1000 and 10000000, not {}", self.callers))
        }
    }

    /// The limit of every tenant of `tier` that has none of its own.
    #[must_use]
    pub fn of_tier(&self, tier: Tier) -> RateLimit {
        match tier {
            Tier::Free => self.free,
            Tier::Standard => self.standard,
            Tier::Enterprise => self.enterprise,
        }
    }
}
