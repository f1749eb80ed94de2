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
