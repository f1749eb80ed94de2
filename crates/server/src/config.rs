//! Configuration: defaults, then the file, then the environment, then flags; unknown keys are refused.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use audit::AuditConfig;
use cache::RedisConfig;
use catalog::ObjectsConfig;
use checkout::CheckoutConfig;
use control::ControlConfig;
use db::{CombinerLimits, TierShares};
use edge::{EdgeConfig, serve::ServeConfig};
use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use messages::MessagesConfig;
use payments::PaymentsConfig;
use resilience::ResilienceConfig;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use traces::TracesConfig;
use webhooks::WebhooksConfig;

use crate::{
    secret_files,
    vault::{self, VaultConfig},
};

/// Everything that can be set. Each part belongs to the crate that uses it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder for the private database, keys and uploads.
    pub data_dir: PathBuf,
    /// The address that is served.
    pub listen: SocketAddr,
    /// Where the databases are.
    pub database: DatabaseConfig,
    /// Further PostgreSQL clusters for tenants, by name.
    pub shards: BTreeMap<String, ShardUrl>,
    /// How the address is served, and the Unix socket beside it.
    pub serve: ServeConfig,
    /// The edge.
    pub edge: EdgeConfig,
    /// The control plane.
    pub control: ControlConfig,
    /// Providers of payments.
    pub payments: PaymentsConfig,
    /// How checkouts are run.
    pub checkout: CheckoutConfig,
    /// How sales are batched.
    pub sales: SalesConfig,
    /// How merchants are called.
    pub webhooks: WebhooksConfig,
    /// Where images are kept.
    pub objects: ObjectsConfig,
    /// What carries messages.
    pub messages: MessagesConfig,
    /// What the audit log keeps.
    pub audit: AuditConfig,
    /// What processes share.
    pub redis: RedisConfig,
    /// What becomes of calls to something that is away.
    pub resilience: ResilienceConfig,
    /// What is logged.
    pub log: LogConfig,
    /// Where traces go.
    pub traces: TracesConfig,
    /// A Vault that holds secret settings.
    pub vault: Option<VaultConfig>,
}

/// Where the databases are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// A PostgreSQL 15 or later by URL, with a role that may create roles and databases. Without it a private one is
    /// kept under `data_dir`.
    #[serde(serialize_with = "kernel::masked::optional")]
    pub url: Option<SecretString>,
    /// The folder of the server binaries, for the private one; looked for when not set.
    pub bin_dir: Option<PathBuf>,
    /// The name of the first shard, which also holds the control database.
    pub shard: String,
    /// Names of the databases.
    pub names: DatabaseNames,
    /// Connections per tenant database.
    pub tenant_connections: usize,
    /// Connections to the control database.
    pub control_connections: usize,
    /// Connections that one tenant may hold at once; of a shared database three quarters of `tenant_connections` at most.
    pub shares: TierShares,
}

/// Names of the databases in each cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseNames {
    /// The control plane's.
    pub control: String,
    /// The one tenants share.
    pub shared: String,
    /// The pristine one that dedicated databases are copied from.
    pub template: String,
}

/// A further cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardUrl {
    /// A PostgreSQL 15 or later by URL, with a role that may create roles and databases.
    #[serde(serialize_with = "kernel::masked::secret")]
    pub url: SecretString,
}

/// How sales are batched.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SalesConfig {
    /// Writers per tenant database.
    pub writers: usize,
    /// Sales per transaction at most.
    pub batch: usize,
    /// Tenants per transaction at most; the others gather sales until it is their turn.
    pub tenants: usize,
    /// Sales that may wait per writer.
    pub queue: usize,
}

/// What is logged, to standard error.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Which events, as `level` or `target=level,..`.
    pub filter: String,
    /// JSON lines, or text for people.
    pub json: bool,
    /// What this process is called among others, in JSON lines.
    pub service: String,
    /// Statements at the database that take longer are told of, in milliseconds; 0 for none.
    pub slow_statement_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("var"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database: DatabaseConfig::default(),
            shards: BTreeMap::new(),
            serve: ServeConfig::default(),
            edge: EdgeConfig::default(),
            control: ControlConfig::default(),
            payments: PaymentsConfig::default(),
            checkout: CheckoutConfig::default(),
            sales: SalesConfig::default(),
            webhooks: WebhooksConfig::default(),
            objects: ObjectsConfig::default(),
            messages: MessagesConfig::default(),
            audit: AuditConfig::default(),
            redis: RedisConfig::default(),
            resilience: ResilienceConfig::default(),
            log: LogConfig::default(),
            traces: TracesConfig::default(),
            vault: None,
        }
    }
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: None,
            bin_dir: None,
            shard: "local".to_owned(),
            names: DatabaseNames::default(),
            tenant_connections: 16,
            control_connections: 8,
            shares: TierShares::default(),
        }
    }
}

impl Default for DatabaseNames {
    fn default() -> Self {
        Self {
            control: db::CONTROL_DATABASE.to_owned(),
            shared: db::SHARED_DATABASE.to_owned(),
            template: db::migrate::TEMPLATE_DATABASE.to_owned(),
        }
    }
}

impl Default for SalesConfig {
    fn default() -> Self {
        let limits = CombinerLimits::default();
        Self { writers: limits.workers, batch: limits.batch, tenants: limits.tenants, queue: limits.queue }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        let (filter, service) = ("info".to_owned(), "markethall".to_owned());
        Self { filter, json: false, service, slow_statement_ms: 500 }
    }
}

impl Config {
    /// Reads the configuration: defaults, `file`, `MARKETHALL_SECTION__KEY`, `PORT`, then the files and the
    /// Vault that hold secrets.
    ///
    /// # Errors
    /// A sentence naming the key that is unknown, unreadable or out of bounds.
    pub fn load(file: Option<&Path>) -> Result<Self, String> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            if !file.is_file() {
                return Err(format!("there is no configuration file {}", file.display()));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        // `MARKETHALL_TEST_..` belongs to the tests, `MARKETHALL_CONFIG` to the command line.
        let environment = Env::prefixed("MARKETHALL_")
            .filter(|key| !key.as_str().to_ascii_lowercase().starts_with("test_") && key != "config")
            .split("__");
        let figment = vault::read_secrets(secret_files::read_secrets(figment.merge(environment))?)?;
        let mut config: Self = figment.extract().map_err(|error| error.to_string())?;
        if let Ok(port) = std::env::var("PORT") {
            let port = port.parse().map_err(|_| format!("PORT must be a port number, not {port:?}"))?;
            config.listen.set_port(port);
        }
        config.validate()?;
        // Who ends TLS here need not say so twice.
        config.edge.https |= config.serve.tls.is_some();
        Ok(config)
    }

    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self) -> Result<(), String> {
        let within = |name: &str, value: usize, least: usize, most: usize| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("{name} must be between {least} and {most}, not {value}"))
            }
        };
        within("database.tenant_connections", self.database.tenant_connections, 4, 500)?;
        within("database.control_connections", self.database.control_connections, 2, 100)?;
        let TierShares { free, standard, enterprise } = self.database.shares;
        within("database.shares.free", free, 1, 500)?;
        within("database.shares.standard", standard, 1, 500)?;
        within("database.shares.enterprise", enterprise, 1, 500)?;
        within("sales.writers", self.sales.writers, 1, 16)?;
        within("sales.batch", self.sales.batch, 1, 1000)?;
        within("sales.tenants", self.sales.tenants, 1, 1000)?;
        within("sales.queue", self.sales.queue, 16, 100_000)?;
        within("shards (count)", self.shards.len(), 0, 64)?;
        within("log.service (characters)", self.log.service.chars().count(), 1, 100)?;
        let slow = usize::try_from(self.log.slow_statement_ms).unwrap_or(usize::MAX);
        within("log.slow_statement_ms", slow, 0, 600_000)?;
        if self.shards.contains_key(&self.database.shard) {
            return Err(format!("shards.{} is the name of the first shard", self.database.shard));
        }
        self.payments.validate()?;
        self.checkout.validate(self.payments.call_timeout_ms)?;
        self.messages.validate()?;
        self.serve.validate()?;
        self.edge.validate()?;
        self.webhooks.validate()?;
        self.objects.validate()?;
        self.redis.validate()?;
        self.resilience.validate()?;
        self.audit.validate()?;
        self.traces.validate()?;
        self.control.validate()
    }

    /// How sales are batched.
    #[must_use]
    pub fn combiner(&self) -> CombinerLimits {
        CombinerLimits {
            workers: self.sales.writers,
            batch: self.sales.batch,
            tenants: self.sales.tenants,
            queue: self.sales.queue,
        }
    }
}
