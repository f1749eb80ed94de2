//! Settings of the edge.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{LimitsConfig, Network};

/// Settings of the edge; every bound is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EdgeConfig {
    /// A request that takes longer is stopped with 503.
    pub request_timeout_ms: u64,
    /// A body that takes longer to arrive is given up with 408.
    pub body_timeout_ms: u64,
    /// Requests worked on at once; more are refused with 503 before memory grows.
    pub max_in_flight: usize,
    /// Memory for bodies above 1 MiB, all together; what does not fit is refused with 503 before it is read.
    pub large_bodies_mib: u32,
    /// Addresses from which health details and metrics are shown without a token.
    pub operator_networks: Vec<Network>,
    /// Proxies whose `X-Forwarded-For` is believed. Behind one that is missing here all clients count as one address.
    pub trusted_proxies: Vec<Network>,
    /// Clients come by TLS (ended here or at a proxy): answers carry HSTS.
    pub https: bool,
    /// Answers are compressed for clients that take it; off when a proxy in front does it.
    pub compression: bool,
    /// How long idempotency keys are kept, 24 to 72 hours.
    pub idempotency_keep_hours: u32,
    /// Tenants counted by name in the metrics, the first that call; all others are counted together.
    pub named_tenants: usize,
    /// How often may be called.
    pub limits: LimitsConfig,
}

impl Default for EdgeConfig {
    fn default() -> Self {
        Self {
            request_timeout_ms: 30_000,
            body_timeout_ms: 10_000,
            max_in_flight: 4_096,
            large_bodies_mib: 256,
            operator_networks: vec![Network::LOOPBACK_V4, Network::LOOPBACK_V6],
            trusted_proxies: Vec::new(),
            https: false,
            compression: true,
            idempotency_keep_hours: 48,
            named_tenants: 100,
            limits: LimitsConfig::default(),
        }
    }
}

impl EdgeConfig {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self) -> Result<(), String> {
        let within = |name: &str, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("edge.{name} must be between {least} and {most}, not {value}"))
            }
        };
        within("request_timeout_ms", self.request_timeout_ms, 10, 600_000)?;
        within("body_timeout_ms", self.body_timeout_ms, 10, 600_000)?;
        within("max_in_flight", self.max_in_flight as u64, 1, 1_000_000)?;
        // The largest body of all operations must fit.
        within("large_bodies_mib", self.large_bodies_mib.into(), 64, 65_536)?;
        within("idempotency_keep_hours", u64::from(self.idempotency_keep_hours), 24, 72)?;
        within("named_tenants", self.named_tenants as u64, 0, 10_000)?;
        within("operator_networks (count)", self.operator_networks.len() as u64, 0, 64)?;
        within("trusted_proxies (count)", self.trusted_proxies.len() as u64, 0, 64)?;
        self.limits.validate()
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    pub(crate) fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }
}
