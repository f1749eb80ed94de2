//! What an installation says about payments.

use std::time::Duration;

use serde::Deserialize;

/// How payments are taken in this installation.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentsConfig {
    /// Whether there is the built-in test provider, which charges nobody.
    pub test_provider: bool,
    /// How long a provider may take to answer, in milliseconds; after that the outcome is unknown. Well below the
    /// minute after which the reconciliation looks.
    pub call_timeout_ms: u64,
}

impl Default for PaymentsConfig {
    fn default() -> Self {
        Self { test_provider: true, call_timeout_ms: 10_000 }
    }
}

impl PaymentsConfig {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self) -> Result<(), String> {
        if (10..=25_000).contains(&self.call_timeout_ms) {
            Ok(())
        } else {
            Err(format!(
                "payments.call_timeout_ms must be between 10 and 25000, not {}",
                self.call_timeout_ms
            ))
        }
    }

    pub(crate) fn call_timeout(&self) -> Duration {
        Duration::from_millis(self.call_timeout_ms)
    }
}
