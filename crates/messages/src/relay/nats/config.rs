//! Which bus carries messages, and how NATS is reached.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// What carries messages from the outbox to their handlers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BusKind {
    /// The process that reads the outbox also handles.
    #[default]
    InProcess,
    /// NATS JetStream; every process handles its share.
    Nats,
}

/// The part `messages` of the configuration.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MessagesConfig {
    /// What carries messages.
    pub bus: BusKind,
    /// How NATS is reached, for `bus = "nats"`.
    pub nats: NatsConfig,
}

/// How NATS is reached and what is kept there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NatsConfig {
    /// `nats://host:4222`, or `tls://host:4222`; several servers of one cluster with commas between them.
    pub url: String,
    /// A NATS credentials file (JWT and key).
    pub credentials_file: Option<PathBuf>,
    /// A token, where the server wants one.
    #[serde(serialize_with = "kernel::masked::optional")]
    pub token: Option<SecretString>,
    /// A PEM file with the certificates to trust, besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// The name of the stream and the first word of all subjects; one per installation.
    pub stream: String,
    /// Copies of each message among the servers of the cluster, 1 to 5.
    pub replicas: usize,
    /// The most that the stream may keep, in MiB; beyond it messages wait in their outbox.
    pub max_megabytes: u32,
    /// Messages on their way at once per database.
    pub in_flight: usize,
    /// How long a process may be silent about a message before another one gets it; at least 1 s.
    #[serde(skip)]
    pub ack_wait: Duration,
}

impl Default for NatsConfig {
    fn default() -> Self {
        Self {
            url: "nats://127.0.0.1:4222".to_owned(),
            credentials_file: None,
            token: None,
            ca_file: None,
            stream: "markethall".to_owned(),
            replicas: 1,
            max_megabytes: 1024,
            in_flight: 64,
            ack_wait: Duration::from_secs(10),
        }
    }
}

impl MessagesConfig {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self) -> Result<(), String> {
        match self.bus {
            BusKind::InProcess => Ok(()),
            BusKind::Nats => self.nats.validate(),
        }
    }

    /// How to reach NATS, when it is to carry messages.
    #[must_use]
    pub fn nats(&self) -> Option<NatsConfig> {
        (self.bus == BusKind::Nats).then(|| self.nats.clone())
    }
}

impl NatsConfig {
    fn validate(&self) -> Result<(), String> {
        let within = |name: &str, value: usize, least: usize, most: usize| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("messages.nats.{name} must be between {least} and {most}, not {value}"))
            }
        };
        within("replicas", self.replicas, 1, 5)?;
        within("max_megabytes", self.max_megabytes as usize, 16, 1_048_576)?;
        within("in_flight", self.in_flight, 1, 1000)?;
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        if self.stream.is_empty() || self.stream.len() > 40 || !self.stream.chars().all(plain) {
            return Err("messages.nats.stream must be 1 to 40 letters, digits, _ or -".to_owned());
        }
        if self.credentials_file.is_some() && self.token.is_some() {
            return Err("messages.nats takes a credentials_file or a token, not both".to_owned());
        }
        let servers: Vec<&str> = self.servers().collect();
        within("url (servers)", servers.len(), 1, 16)?;
        for server in servers {
            if !(server.starts_with("nats://") || server.starts_with("tls://")) {
                return Err("messages.nats.url must begin with nats:// or tls://".to_owned());
            }
            if server.contains('@') {
                return Err("messages.nats.url must hold no secret: use token or credentials_file".to_owned());
            }
        }
        Ok(())
    }

    /// The servers of the cluster.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &str> {
        self.url.split(',').map(str::trim).filter(|server| !server.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // MSG-3: refused at start, in words.
    #[test]
    fn settings_that_cannot_work_are_refused() {
        let check = |change: fn(&mut NatsConfig), begins: &str| {
            let mut config = MessagesConfig { bus: BusKind::Nats, ..MessagesConfig::default() };
            assert_eq!(config.validate(), Ok(()));
            change(&mut config.nats);
            let refused = config.validate().unwrap_err();
            assert!(refused.starts_with(begins), "{refused}");
            config.bus = BusKind::InProcess;
            assert_eq!(config.validate(), Ok(()), "what is not used is not judged");
        };
        check(|it| it.replicas = 6, "messages.nats.replicas must be between 1 and 5");
        check(|it| it.max_megabytes = 1, "messages.nats.max_megabytes must be");
        check(|it| it.in_flight = 0, "messages.nats.in_flight must be");
        check(|it| it.stream = "a.b".to_owned(), "messages.nats.stream must be");
        check(|it| it.url = " , ".to_owned(), "messages.nats.url (servers) must be");
        check(|it| it.url = "http://x".to_owned(), "messages.nats.url must begin");
        check(|it| it.url = "nats://me:secret@x".to_owned(), "messages.nats.url must hold no secret");
        check(
            |it| {
                it.token = Some("t".into());
                it.credentials_file = Some("f".into());
            },
            "messages.nats takes",
        );
    }
}
