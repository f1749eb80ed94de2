//! When a breaker opens and closes, and how often a call is made again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The part `resilience` of the configuration: one set of figures for everything that can be away (RES-1, RES-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResilienceConfig {
    /// When calls to something that is away are no longer made.
    pub breaker: BreakerConfig,
    /// In place of `breaker.pause_ms` for lookups, which have a stale answer to fall back to.
    pub lookup_pause_ms: u64,
    /// When a call that failed is made again.
    pub retry: RetryConfig,
}

/// When a breaker opens, tries again and closes (RES-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// When a call that failed for a passing reason is made again; only for calls that may be made twice (RES-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// So many times more at most; 0 for never.
    pub times: u32,
    /// The first pause; each further one is twice as long, and up to as much again is added by chance.
    pub first_ms: u64,
    /// Calls made again are at most this share of all calls, in percent, but for the first ten.
    pub budget_percent: u32,
}

impl Default for ResilienceConfig {
    fn default() -> Self {
        Self { breaker: BreakerConfig::default(), lookup_pause_ms: 30_000, retry: RetryConfig::default() }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failures: 5, window_ms: 30_000, failed_percent: 50, pause_ms: 60_000, successes: 3 }
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { times: 3, first_ms: 100, budget_percent: 10 }
    }
}

impl ResilienceConfig {
    /// The figures for lookups that have a stale answer to fall back to.
    #[must_use]
    pub fn lookups(&self) -> BreakerConfig {
        BreakerConfig { pause_ms: self.lookup_pause_ms, ..self.breaker }
    }

    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self) -> Result<(), String> {
        let within = |key: &str, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("resilience.{key} must be between {least} and {most}, not {value}"))
            }
        };
        let Self { breaker, lookup_pause_ms, retry } = *self;
        within("breaker.failures", breaker.failures.into(), 1, 100)?;
        within("breaker.window_ms", breaker.window_ms, 100, 3_600_000)?;
        within("breaker.failed_percent", breaker.failed_percent.into(), 1, 100)?;
        within("breaker.pause_ms", breaker.pause_ms, 10, 3_600_000)?;
        within("breaker.successes", breaker.successes.into(), 1, 100)?;
        within("lookup_pause_ms", lookup_pause_ms, 10, 3_600_000)?;
        within("retry.times", retry.times.into(), 0, 10)?;
        within("retry.first_ms", retry.first_ms, 1, 10_000)?;
        within("retry.budget_percent", retry.budget_percent.into(), 0, 100)
    }
}

impl BreakerConfig {
    pub(crate) fn window(&self) -> Duration {
        Duration::from_millis(self.window_ms)
    }

    pub(crate) fn pause(&self) -> Duration {
        Duration::from_millis(self.pause_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RES-1, RES-2: the figures of the requirements are the defaults; what cannot work is refused in words.
    #[test]
    fn the_defaults_are_those_required_and_settings_that_cannot_work_are_refused() {
        let config = ResilienceConfig::default();
        assert_eq!(config.validate(), Ok(()));
        assert_eq!(
            (config.breaker.failures, config.breaker.window_ms, config.breaker.failed_percent),
            (5, 30_000, 50)
        );
        assert_eq!(
            (config.breaker.pause_ms, config.lookups().pause_ms, config.breaker.successes),
            (60_000, 30_000, 3)
        );
        assert_eq!((config.retry.times, config.retry.first_ms, config.retry.budget_percent), (3, 100, 10));
        let refused = |change: fn(&mut ResilienceConfig)| {
            let mut config = ResilienceConfig::default();
            change(&mut config);
            config.validate().unwrap_err()
        };
        assert!(refused(|it| it.breaker.failures = 0).starts_with("resilience.breaker.failures must be"));
        assert!(refused(|it| it.lookup_pause_ms = 1).starts_with("resilience.lookup_pause_ms must be"));
        assert!(refused(|it| it.retry.times = 11).starts_with("resilience.retry.times must be"));
    }
}
