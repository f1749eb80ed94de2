//! The databases of this installation: found or made, and brought up to date.

use std::{collections::HashMap, fs, path::Path, str::FromStr, sync::Arc};

use anyhow::{Context, Result, anyhow};
use db::{
    ConnectionConfig, ConnectionError, Db, DbConfig, PoolLimits, RolePasswords,
    cluster::{Cluster, ClusterConfig, Profile},
    create_private,
    migrate::{self, BootstrapPasswords, DatabaseSpec, Kind, Migrations},
};
use rand::distr::{Alphanumeric, SampleString};
use resilience::Breakers;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::config::Config;

/// How to administer one cluster.
#[derive(Clone)]
pub struct Shard {
    /// As an administrator, connected to a maintenance database.
    pub admin: ConnectionConfig,
    passwords: BootstrapPasswords,
}

impl Shard {
    /// As the owner of all tables of `database`.
    #[must_use]
    pub fn owner(&self, database: &str) -> ConnectionConfig {
        migrate::owner_config(&self.admin, &self.passwords, database)
    }
}

/// The databases, open.
pub struct Installation {
    /// The door for requests.
    pub db: Db,
    /// The private cluster, when there is one.
    pub cluster: Option<Cluster>,
    /// By shard name.
    pub shards: HashMap<Arc<str>, Shard>,
}

/// The steps of every tenant database.
#[must_use]
pub fn tenant_migrations() -> Migrations {
    Migrations::tenant([
        messages::MIGRATIONS,
        edge::idempotency::MIGRATIONS,
        audit::MIGRATIONS,
        catalog::MIGRATIONS,
        customers::MIGRATIONS,
        inventory::MIGRATIONS,
        payments::MIGRATIONS,
        cart::MIGRATIONS,
        orders::MIGRATIONS,
        sales::MIGRATIONS,
        checkout::MIGRATIONS,
        webhooks::MIGRATIONS,
    ])
}

/// The steps of the control database.
#[must_use]
pub fn control_migrations() -> Migrations {
    Migrations::control([control::MIGRATIONS, messages::CONTROL_MIGRATIONS])
}

impl Installation {
    /// Finds or makes the databases and brings the shared ones up to date.
    ///
    /// # Errors
    /// What stands in the way, with what to do about it.
    pub async fn open(config: &Config) -> Result<Self> {
        fs::create_dir_all(&config.data_dir)
            .with_context(|| format!("cannot make the data folder {}", config.data_dir.display()))?;
        let (cluster, passwords, first) = first_cluster(config).await?;
        let mut admins: HashMap<Arc<str>, ConnectionConfig> = HashMap::new();
        admins.insert(config.database.shard.as_str().into(), first.clone());
        for (name, shard) in &config.shards {
            admins.insert(name.as_str().into(), parse_url(&format!("shards.{name}.url"), &shard.url)?);
        }
        for (name, admin) in &admins {
            prepare(config, name, admin, &passwords).await?;
        }
        let db = open_db(config, &admins, first, &passwords)?;
        let shard = |admin| Shard { admin, passwords: passwords.clone() };
        let shards = admins.into_iter().map(|(name, admin)| (name, shard(admin))).collect();
        Ok(Self { db, cluster, shards })
    }

    /// Databases that are configured but never asked, for documents made without any.
    ///
    /// # Errors
    /// When no pool can be made.
    pub fn unconnected(config: &Config) -> Result<Self> {
        let none = || SecretString::from(String::new());
        let roles = RolePasswords { app: none(), relay: none(), control: none() };
        let passwords = BootstrapPasswords { owner: none(), roles };
        let db = open_db(config, &HashMap::new(), ConnectionConfig::new(), &passwords)?;
        Ok(Self { db, cluster: None, shards: HashMap::new() })
    }

    /// Lets go of the private cluster; PostgreSQL stops when nobody else uses it.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn close(self) -> Result<()> {
        self.db.close();
        if let Some(cluster) = self.cluster {
            cluster.stop().await.context("cannot stop the private database")?;
        }
        Ok(())
    }
}

fn open_db(
    config: &Config,
    admins: &HashMap<Arc<str>, ConnectionConfig>,
    control: ConnectionConfig,
    passwords: &BootstrapPasswords,
) -> Result<Db> {
    Ok(Db::new(DbConfig {
        shards: admins.clone(),
        control,
        control_database: config.database.names.control.as_str().into(),
        passwords: passwords.roles.clone(),
        limits: PoolLimits {
            tenant_max: config.database.tenant_connections,
            control_max: config.database.control_connections,
            shares: config.database.shares,
            ..PoolLimits::default()
        },
        breakers: Breakers::new(config.resilience),
    })?)
}

async fn first_cluster(config: &Config) -> Result<(Option<Cluster>, BootstrapPasswords, ConnectionConfig)> {
    if let Some(url) = &config.database.url {
        let admin = parse_url("database.url", url)?;
        return Ok((None, stored_passwords(&config.data_dir)?, admin));
    }
    let cluster = Cluster::start(ClusterConfig {
        data_dir: config.data_dir.clone(),
        bin_dir: config.database.bin_dir.clone(),
        profile: Profile::Production,
    })
    .await
    .context("cannot start the private database")?;
    let (passwords, admin) = (cluster.passwords().clone(), cluster.admin_config());
    Ok((Some(cluster), passwords, admin))
}

/// Refuses addresses of databases that cannot be read, and files of theirs that cannot be used; asks no database.
///
/// # Errors
/// The setting and what is wrong with it.
pub fn check_places(config: &Config) -> Result<()> {
    if let Some(url) = &config.database.url {
        parse_url("database.url", url)?;
    }
    for (name, shard) in &config.shards {
        parse_url(&format!("shards.{name}.url"), &shard.url)?;
    }
    Ok(())
}

fn parse_url(name: &str, url: &SecretString) -> Result<ConnectionConfig> {
    // The error never shows the URL, which holds a password.
    ConnectionConfig::from_str(url.expose_secret()).map_err(|error| match error {
        error @ ConnectionError::Unreadable => anyhow!("{name} {error}"),
        error => anyhow!("{name}: {error}"),
    })
}

async fn prepare(
    config: &Config,
    shard: &str,
    admin: &ConnectionConfig,
    passwords: &BootstrapPasswords,
) -> Result<()> {
    let names = &config.database.names;
    let mut databases = vec![
        DatabaseSpec { name: &names.shared, kind: Kind::Tenant },
        DatabaseSpec { name: &names.template, kind: Kind::Template },
    ];
    if shard == config.database.shard {
        databases.push(DatabaseSpec { name: &names.control, kind: Kind::Control });
    }
    let (tenant, control) = (tenant_migrations(), control_migrations());
    migrate::prepare(admin, passwords, &databases, &tenant, &control)
        .await
        .with_context(|| format!("cannot set up shard {shard}"))?;
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct StoredPasswords {
    owner: String,
    app: String,
    relay: String,
    control: String,
}

/// The passwords of our roles on foreign clusters: made at random once, kept readable for the owner only.
fn stored_passwords(data_dir: &Path) -> Result<BootstrapPasswords> {
    let path = data_dir.join("database-passwords.toml");
    if !path.exists() {
        let fresh = || Alphanumeric.sample_string(&mut rand::rng(), 32);
        let made = StoredPasswords { owner: fresh(), app: fresh(), relay: fresh(), control: fresh() };
        let text = toml::to_string(&made)?;
        create_private(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let stored: StoredPasswords =
        toml::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
    Ok(BootstrapPasswords {
        owner: stored.owner.into(),
        roles: RolePasswords {
            app: stored.app.into(),
            relay: stored.relay.into(),
            control: stored.control.into(),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    // DPR-5
    #[test]
    fn passwords_are_made_once_and_private_and_what_a_crash_left_half_written_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("database-passwords.toml");
        // A process of our number died while it wrote.
        let draft = path.with_extension(format!("draft-{}", std::process::id()));
        fs::write(&draft, "owner = ").unwrap();
        let made = stored_passwords(dir.path()).unwrap();
        let read = stored_passwords(dir.path()).unwrap();
        assert_eq!(made.owner.expose_secret(), read.owner.expose_secret());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!draft.exists());
        // Another process was faster: what it wrote counts.
        create_private(&path, b"other").unwrap();
        assert_eq!(stored_passwords(dir.path()).unwrap().owner.expose_secret(), made.owner.expose_secret());
    }
}
