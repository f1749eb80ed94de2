//! How webhooks are sent in an installation.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The `webhooks` section of the configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Whether addresses outside the public internet may be called: for tests, and where all merchants are trusted.
    pub allow_private_networks: bool,
    /// Whether `http` addresses are taken, and not only `https`.
    pub allow_http: bool,
    /// Requests on their way at once, in this process.
    pub requests: usize,
    /// Of these, for one merchant.
    pub requests_per_tenant: usize,
    /// Of these, to one webhook.
    pub requests_per_webhook: usize,
    /// How long connecting may take.
    pub connect_timeout_ms: u64,
    /// How long a request may take, from its beginning to its answer.
    pub timeout_ms: u64,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            allow_private_networks: false,
            allow_http: false,
            requests: 64,
            requests_per_tenant: 16,
            requests_per_webhook: 4,
            connect_timeout_ms: 5_000,
            timeout_ms: 15_000,
        }
    }
}

impl WebhooksConfig {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self) -> Result<(), String> {
        let sizes = [
            ("requests", self.requests as u64, 1000),
            ("requests_per_tenant", self.requests_per_tenant as u64, 1000),
            ("requests_per_webhook", self.requests_per_webhook as u64, 100),
            // Shorter than the lease of what is being sent.
            ("connect_timeout_ms", self.connect_timeout_ms, 30_000),
            ("timeout_ms", self.timeout_ms, 30_000),
        ];
        for (name, value, most) in sizes {
            if !(1..=most).contains(&value) {
                return Err(format!("webhooks.{name} must be between 1 and {most}, not {value}"));
            }
        }
        Ok(())
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}
