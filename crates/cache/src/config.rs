//! Where Redis is.

use std::{path::PathBuf, time::Duration};

use redis::{ConnectionInfo, IntoConnectionInfo};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// More nodes than any installation names.
const MOST_NODES: usize = 32;

/// Where Redis (or Valkey) is; without `url` the process shares nothing and keeps all in its own memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://host:6379/0`, `rediss://` for TLS, `redis+unix:///path`; several, by commas, for Sentinel and Cluster.
    #[serde(serialize_with = "kernel::masked::optional")]
    pub url: Option<SecretString>,
    /// The name of the master that the sentinels of `url` watch.
    pub sentinel_master: Option<String>,
    /// Whether `url` names nodes of a Redis Cluster.
    pub cluster: bool,
    /// The user of the nodes behind sentinels; elsewhere it stands in `url`.
    pub username: Option<String>,
    /// The password of the nodes behind sentinels; elsewhere it stands in `url`.
    #[serde(serialize_with = "kernel::masked::optional")]
    pub password: Option<SecretString>,
    /// The certificates, PEM, that TLS is verified against; those of the system when not set.
    pub ca_file: Option<PathBuf>,
    /// An answer that takes longer is done without.
    pub timeout_ms: u64,
    /// A connection that takes longer is tried again.
    pub connect_timeout_ms: u64,
    /// What every key begins with.
    pub prefix: String,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            url: None,
            sentinel_master: None,
            cluster: false,
            username: None,
            password: None,
            ca_file: None,
            timeout_ms: 100,
            connect_timeout_ms: 1_000,
            prefix: "markethall:".to_owned(),
        }
    }
}

impl RedisConfig {
    /// Whether there is a Redis.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.url.is_some()
    }

    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting; it holds no secret.
    pub fn validate(&self) -> Result<(), String> {
        let within = |name: &str, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("redis.{name} must be between {least} and {most}, not {value}"))
            }
        };
        within("timeout_ms", self.timeout_ms, 1, 10_000)?;
        within("connect_timeout_ms", self.connect_timeout_ms, 10, 60_000)?;
        within("prefix (length)", self.prefix.len() as u64, 0, 64)?;
        if self.cluster && self.sentinel_master.is_some() {
            return Err("redis.cluster and redis.sentinel_master exclude each other".to_owned());
        }
        if let Some(file) = self.ca_file.as_ref().filter(|file| !file.is_file()) {
            return Err(format!("redis.ca_file: there is no file {}", file.display()));
        }
        let nodes = self.nodes()?;
        let many = self.cluster || self.sentinel_master.is_some();
        if nodes.len() > 1 && !many {
            return Err("redis.url names several servers, but neither Sentinel nor Cluster is set".to_owned());
        }
        if nodes.is_empty() && (many || self.ca_file.is_some()) {
            return Err("redis.url is missing".to_owned());
        }
        Ok(())
    }

    /// The servers of `url`, in order.
    pub(crate) fn nodes(&self) -> Result<Vec<ConnectionInfo>, String> {
        let Some(url) = &self.url else { return Ok(Vec::new()) };
        let words = url.expose_secret().split(',').map(str::trim);
        let nodes: Result<Vec<_>, _> = words.map(IntoConnectionInfo::into_connection_info).collect();
        let nodes = nodes.map_err(|_| {
            "redis.url must be redis://, rediss:// or redis+unix:// addresses, separated by commas".to_owned()
        })?;
        if nodes.len() > MOST_NODES {
            return Err(format!("redis.url names more than {MOST_NODES} servers"));
        }
        Ok(nodes)
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> RedisConfig {
        RedisConfig { url: Some(url.into()), ..RedisConfig::default() }
    }

    #[test]
    fn addresses_that_cannot_work_are_refused_without_telling_passwords() {
        assert!(RedisConfig::default().validate().is_ok());
        assert!(of("redis://:secret@localhost:6379/2").validate().is_ok());
        assert!(of("redis+unix:///run/redis.sock").validate().is_ok());
        for url in ["http://:secret@localhost", "secret", "redis://a:1,redis://:secret@b:2"] {
            let told = of(url).validate().unwrap_err();
            assert!(told.starts_with("redis.") && !told.contains("secret"), "{told}");
        }
        let sentinel =
            RedisConfig { sentinel_master: Some("main".to_owned()), ..of("redis://a:1,redis://b:2") };
        assert!(sentinel.validate().is_ok());
        assert!(RedisConfig { cluster: true, ..sentinel }.validate().is_err());
    }
}
