//! Settings of the control plane.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{shards::Purpose, usage::PriceConfig};

/// A cluster that takes tenants, as configured; what is changed at runtime later wins over this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardConfig {
    /// The name under which [`db::Db`] knows how to reach it.
    pub name: String,
    /// Where it stands; empty when that does not matter.
    #[serde(default)]
    pub region: String,
    /// How many tenants it takes in proportion to the others, 1 to 1000.
    #[serde(default = "one")]
    pub weight: i32,
    /// Which kind of tenants it takes.
    #[serde(default)]
    pub purpose: Purpose,
    /// Takes no new tenants.
    #[serde(default)]
    pub draining: bool,
}

fn one() -> i32 {
    1
}

/// Settings of the control plane; every bound is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ControlConfig {
    /// The built-in issuer's name in tokens: the address under which clients reach this installation.
    pub issuer: String,
    /// Whom tokens are meant for.
    pub audience: String,
    /// Life of an access token.
    pub access_token_minutes: u32,
    /// Life of a refresh token that is not used.
    pub refresh_token_days: u32,
    /// Life of a sign-in, however often it is refreshed.
    pub session_days: u32,
    /// Age at which a signing key is replaced.
    pub signing_key_days: u32,
    /// Failed sign-ins per account before it is locked, from whatever addresses.
    pub lockout_failures: u32,
    /// Failed sign-ins per address (IPv6: per /64), at whatever accounts, before it is locked. Well above that of an
    /// account: many people may share an address.
    pub address_failures: u32,
    /// The window in which failures are counted, and how long a lock lasts.
    pub lockout_minutes: u32,
    /// Passwords hashed at once (19 MiB and one core each); 0 is half the cores.
    pub password_hashes_at_once: usize,
    /// How long a tenant's entry is used without looking again.
    pub registry_ttl_s: u32,
    /// How long it is used when the control database cannot be asked.
    pub registry_stale_hours: u32,
    /// Tenants kept in memory.
    pub registry_capacity: usize,
    /// Verified tokens kept in memory.
    pub token_cache_capacity: usize,
    /// External issuers may be reached without TLS, for development; loopback always may.
    pub insecure_issuers: bool,
    /// The database that tenants of a cluster share.
    pub shared_database: String,
    /// What the name of a tenant's own database begins with; the slug follows.
    pub dedicated_prefix: String,
    /// The clusters that take tenants.
    pub shards: Vec<ShardConfig>,
    /// The currency of all prices.
    pub price_currency: String,
    /// What use costs tenants; what is not in it costs nothing. To change a price, add it with the day from which it counts:
    /// reports of days before stay as they were.
    pub prices: Vec<PriceConfig>,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self {
            issuer: "http://localhost:8080".to_owned(),
            audience: "markethall".to_owned(),
            access_token_minutes: 15,
            refresh_token_days: 14,
            session_days: 60,
            signing_key_days: 30,
            lockout_failures: 5,
            address_failures: 100,
            lockout_minutes: 15,
            password_hashes_at_once: 0,
            registry_ttl_s: 600,
            registry_stale_hours: 24,
            registry_capacity: 10_000,
            token_cache_capacity: 20_000,
            insecure_issuers: false,
            shared_database: db::SHARED_DATABASE.to_owned(),
            dedicated_prefix: "markethall_t_".to_owned(),
            shards: vec![ShardConfig {
                name: "local".to_owned(),
                region: String::new(),
                weight: 1,
                purpose: Purpose::Any,
                draining: false,
            }],
            price_currency: "EUR".to_owned(),
            prices: Vec::new(),
        }
    }
}

impl ControlConfig {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self) -> Result<(), String> {
        let within = |name: &str, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("control.{name} must be between {least} and {most}, not {value}"))
            }
        };
        within("access_token_minutes", self.access_token_minutes.into(), 1, 60)?;
        within("refresh_token_days", self.refresh_token_days.into(), 1, 90)?;
        within("session_days", self.session_days.into(), self.refresh_token_days.into(), 365)?;
        within("signing_key_days", self.signing_key_days.into(), 1, 365)?;
        within("lockout_failures", self.lockout_failures.into(), 1, 100)?;
        within("address_failures", self.address_failures.into(), 1, 100_000)?;
        within("lockout_minutes", self.lockout_minutes.into(), 1, 1440)?;
        within("password_hashes_at_once", self.password_hashes_at_once as u64, 0, 64)?;
        within("registry_ttl_s", self.registry_ttl_s.into(), 1, 3600)?;
        within("registry_stale_hours", self.registry_stale_hours.into(), 1, 168)?;
        within("registry_capacity", self.registry_capacity as u64, 10, 1_000_000)?;
        within("token_cache_capacity", self.token_cache_capacity as u64, 10, 1_000_000)?;
        within("dedicated_prefix (length)", self.dedicated_prefix.len() as u64, 1, 45)?;
        within("shared_database (length)", self.shared_database.len() as u64, 1, 63)?;
        within("shards (count)", self.shards.len() as u64, 1, 256)?;
        for shard in &self.shards {
            within("shards.weight", u64::try_from(shard.weight).unwrap_or(0), 1, 1000)?;
        }
        if !self.issuer.starts_with("http://") && !self.issuer.starts_with("https://") {
            return Err("control.issuer must be an address like https://shop.example".to_owned());
        }
        if self.issuer.ends_with('/') || self.issuer.len() > 200 {
            return Err("control.issuer must not end with / and have at most 200 characters".to_owned());
        }
        if self.audience.is_empty() || self.audience.len() > 200 {
            return Err("control.audience must have 1 to 200 characters".to_owned());
        }
        Ok(())
    }

    pub(crate) fn access_token_ttl(&self) -> Duration {
        Duration::from_secs(u64::from(self.access_token_minutes) * 60)
    }

    pub(crate) fn refresh_token_ttl(&self) -> Duration {
        Duration::from_secs(u64::from(self.refresh_token_days) * 86_400)
    }

    pub(crate) fn session_ttl(&self) -> Duration {
        Duration::from_secs(u64::from(self.session_days) * 86_400)
    }

    pub(crate) fn signing_key_age(&self) -> Duration {
        Duration::from_secs(u64::from(self.signing_key_days) * 86_400)
    }

    pub(crate) fn lockout(&self) -> Duration {
        Duration::from_secs(u64::from(self.lockout_minutes) * 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_settings_beyond_their_bounds_are_named() {
        assert_eq!(ControlConfig::default().validate(), Ok(()));
        let wrong = ControlConfig { access_token_minutes: 0, ..ControlConfig::default() };
        assert!(wrong.validate().is_err_and(|text| text.contains("access_token_minutes")));
        let wrong = ControlConfig { issuer: "shop.example".to_owned(), ..ControlConfig::default() };
        assert!(wrong.validate().is_err());
    }
}
