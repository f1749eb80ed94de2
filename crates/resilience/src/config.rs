//! When a breaker opens and closes.

use std::time::Duration;

use serde::Deserialize;

/// When a breaker opens, tries again and closes (RES-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// So many failures in a row open it, if they happen within `window_ms`.
    pub failures: u32,
    /// The time within which failures in a row belong together.
    pub window_ms: u64,
    /// This share of the last 100 calls having failed opens it too, in percent.
    pub failed_percent: u32,
    /// How long it stays open before a call may try; less where a probe says earlier that the dependency is back.
    pub pause_ms: u64,
    /// So many successes, tried one beside the other at most, close it again.
    pub successes: u32,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failures: 5, window_ms: 30_000, failed_percent: 50, pause_ms: 60_000, successes: 3 }
    }
}

impl BreakerConfig {
    /// For lookups that have a stale answer to fall back to: tries again after half the time.
    #[must_use]
    pub fn lookups() -> Self {
        Self { pause_ms: 30_000, ..Self::default() }
    }

    /// Refuses settings that cannot work; `name` is the section they stand in.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self, name: &str) -> Result<(), String> {
        let within = |key: &str, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("{name}.{key} must be between {least} and {most}, not {value}"))
            }
        };
        within("failures", self.failures.into(), 1, 100)?;
        within("window_ms", self.window_ms, 100, 3_600_000)?;
        within("failed_percent", self.failed_percent.into(), 1, 100)?;
        within("pause_ms", self.pause_ms, 10, 3_600_000)?;
        within("successes", self.successes.into(), 1, 100)
    }

    pub(crate) fn window(&self) -> Duration {
        Duration::from_millis(self.window_ms)
    }

    pub(crate) fn pause(&self) -> Duration {
        Duration::from_millis(self.pause_ms)
    }
}
