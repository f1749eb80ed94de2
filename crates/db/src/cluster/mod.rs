//! The private PostgreSQL cluster: real server binaries, own data directory, local socket only.
//!
//! Any number of Markethall processes may use one data directory at the same time. Whoever comes first starts
//! PostgreSQL, the others join, the last one out stops it. A process that dies without a word (kill -9) leaves
//! PostgreSQL running; the next one takes it over.

mod account;
mod binaries;
mod error;
mod folder;
mod initialize;
mod layout;
mod lock;
mod postmaster;
mod run;
mod secrets;
mod settings;
mod supervise;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

pub use error::ClusterError;

use crate::{
    ConnectionConfig,
    migrate::{BootstrapPasswords, OWNER_ROLE},
};
use layout::Layout;
use lock::Membership;

/// The superuser of a private cluster; used for setting up only, never for requests.
pub const ADMIN_ROLE: &str = "markethall_admin";
/// The port in the socket's name; nothing listens on TCP.
const PORT: u16 = 5432;

/// How careful PostgreSQL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// What was acknowledged survives a power cut: `fsync`, `synchronous_commit` and checksums are on.
    Production,
    /// For tests: fast and small. What was acknowledged survives killed processes but not a power cut.
    Test,
}

/// Where the cluster lives and how it runs.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// The folder for database, sockets and passwords; made when missing.
    pub data_dir: PathBuf,
    /// The folder of the server binaries; looked for when `None`.
    pub bin_dir: Option<PathBuf>,
    /// How careful PostgreSQL is.
    pub profile: Profile,
}

/// How [`Cluster::start`] found the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// There was none: it has been made.
    Created,
    /// It was there and stopped.
    Started,
    /// It was running: another process uses it, or the one that did has died.
    Joined,
}

/// A running private cluster. Cheap to clone; [`Cluster::stop`] ends this process' use of it.
///
/// Dropping it without [`Cluster::stop`] leaves PostgreSQL running, to be taken over by the next start.
#[derive(Clone, Debug)]
pub struct Cluster(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    layout: Layout,
    binaries: binaries::Binaries,
    account: Option<account::Account>,
    profile: Profile,
    secrets: secrets::Secrets,
    socket_dir: PathBuf,
    origin: Origin,
    /// Held while this process uses the cluster; gives the right to stop it to the last one.
    membership: Mutex<Option<Membership>>,
    /// The postmaster, when this process is its parent and has to reap it.
    child: tokio::sync::Mutex<Option<tokio::process::Child>>,
    supervisor: Mutex<Option<CancellationToken>>,
}

impl Cluster {
    /// Makes the cluster when there is none, starts it when it is stopped, joins it when it is running.
    ///
    /// # Errors
    /// [`ClusterError`]; every variant says what to do about it.
    pub async fn start(config: ClusterConfig) -> Result<Self, ClusterError> {
        run::start(config).await
    }

    /// How the database was found.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.0.origin
    }

    /// Settings to connect as superuser to the maintenance database.
    #[must_use]
    pub fn admin_config(&self) -> ConnectionConfig {
        self.connection(ADMIN_ROLE, self.0.secrets.admin.expose_secret(), "postgres")
    }

    /// Settings to connect as the owner of all tables, for migrations.
    #[must_use]
    pub fn owner_config(&self, database: &str) -> ConnectionConfig {
        self.connection(OWNER_ROLE, self.0.secrets.roles.owner.expose_secret(), database)
    }

    /// The passwords of Markethall's roles, made at random with the cluster.
    #[must_use]
    pub fn passwords(&self) -> &BootstrapPasswords {
        &self.0.secrets.roles
    }

    /// The folder of the socket, to connect to with other programs (`psql --host`).
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.0.socket_dir
    }

    /// The folder of PostgreSQL's server binaries, for tools such as `pgbench`.
    #[must_use]
    pub fn bin_dir(&self) -> &Path {
        self.0.binaries.dir()
    }

    /// The process id of the running postmaster, for diagnosis and tests; `None` when it is down.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        postmaster::running(&self.0.layout.database)
    }

    /// Watches PostgreSQL from now on and starts it again when it dies, until [`Cluster::stop`].
    pub fn supervise(&self) {
        supervise::begin(&self.0);
    }

    /// Ends this process' use: stops PostgreSQL in an orderly way unless another process still uses it.
    ///
    /// Open connections are closed by the server. Does nothing the second time.
    ///
    /// # Errors
    /// [`ClusterError`] when PostgreSQL does not stop within a minute.
    pub async fn stop(&self) -> Result<(), ClusterError> {
        run::stop(&self.0).await
    }

    fn connection(&self, user: &str, password: &str, database: &str) -> ConnectionConfig {
        connection(&self.0.socket_dir, user, password, database)
    }
}

fn connection(socket_dir: &Path, user: &str, password: &str, database: &str) -> ConnectionConfig {
    let mut config = ConnectionConfig::new();
    config
        .host_path(socket_dir)
        .port(PORT)
        .user(user)
        .password(password)
        .dbname(database)
        .application_name("markethall")
        .connect_timeout(std::time::Duration::from_secs(5));
    config
}
