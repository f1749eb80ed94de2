//! What an installation says about payments.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::web_call::read_base;

/// How payments are taken in this installation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentsConfig {
    /// Whether there is the built-in test provider, which charges nobody.
    pub test_provider: bool,
    /// Stripe, or an API compatible with it.
    pub stripe: ProviderConfig,
    /// PayPal, or an API of its shape.
    pub paypal: ProviderConfig,
    /// How long a provider may take to answer, in milliseconds; after that the outcome is unknown. Well below the
    /// minute after which the reconciliation looks.
    pub call_timeout_ms: u64,
}

impl Default for PaymentsConfig {
    fn default() -> Self {
        Self {
            test_provider: true,
            stripe: ProviderConfig::at("https://api.stripe.com"),
            paypal: ProviderConfig::at("https://api-m.paypal.com"),
            call_timeout_ms: 10_000,
        }
    }
}

/// Where a provider is asked. Merchants bring their own accounts; without one nothing is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The address of its API: https, or http on this machine. Never a merchant's to choose. Empty: no such provider.
    pub base_url: String,
}

impl ProviderConfig {
    fn at(base_url: &str) -> Self {
        Self { base_url: base_url.to_owned() }
    }
}

impl PaymentsConfig {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self) -> Result<(), String> {
        if !(10..=25_000).contains(&self.call_timeout_ms) {
            let given = self.call_timeout_ms;
            return Err(format!("payments.call_timeout_ms must be between 10 and 25000, not {given}"));
        }
        for (name, provider) in [("stripe", &self.stripe), ("paypal", &self.paypal)] {
            if !provider.base_url.is_empty() {
                read_base(&provider.base_url).map_err(|why| format!("payments.{name}.base_url: {why}"))?;
            }
        }
        Ok(())
    }

    pub(crate) fn call_timeout(&self) -> Duration {
        Duration::from_millis(self.call_timeout_ms)
    }
}
