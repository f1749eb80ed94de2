//! What is kept, and for how long.

use kernel::Tier;
use serde::{Deserialize, Serialize};

/// What the audit log keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// Whether anything is kept at all.
    pub enabled: bool,
    /// How many of a hundred requests that only read are kept; those that change something always are.
    pub reads_percent: u32,
    /// Entries that may wait in memory; of more the surplus goes to the spool.
    pub queue: usize,
    /// For how many days entries are kept.
    pub keep_days: KeepDays,
}

/// For how many days entries are kept, by tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeepDays {
    /// Of the tier `free`.
    pub free: u32,
    /// Of the tier `standard`.
    pub standard: u32,
    /// Of the tier `enterprise`.
    pub enterprise: u32,
}

impl Default for KeepDays {
    fn default() -> Self {
        Self { free: 30, standard: 365, enterprise: 7 * 365 }
    }
}

impl KeepDays {
    /// Those of `tier`.
    #[must_use]
    pub fn of(&self, tier: Tier) -> u32 {
        match tier {
            Tier::Free => self.free,
            Tier::Standard => self.standard,
            Tier::Enterprise => self.enterprise,
        }
    }
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { enabled: true, reads_percent: 0, queue: 10_000, keep_days: KeepDays::default() }
    }
}

impl AuditConfig {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self) -> Result<(), String> {
        let within = |name: &str, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("audit.{name} must be between {least} and {most}, not {value}"))
            }
        };
        within("reads_percent", self.reads_percent.into(), 0, 100)?;
        within("queue", self.queue as u64, 1, 1_000_000)?;
        within("keep_days.free", self.keep_days.free.into(), 1, 36_500)?;
        within("keep_days.standard", self.keep_days.standard.into(), 1, 36_500)?;
        within("keep_days.enterprise", self.keep_days.enterprise.into(), 1, 36_500)
    }
}
