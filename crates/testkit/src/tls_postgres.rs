//! A PostgreSQL that listens on an address and takes encrypted connections only.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, bail};
use db::{
    ConnectionConfig,
    cluster::{ADMIN_ROLE, Cluster, ClusterConfig, Profile},
    migrate::BootstrapPasswords,
};
use tempfile::TempDir;

use crate::{connect, guarded::Guarded};

/// How long the server gets to take connections.
const START_WITHIN: Duration = Duration::from_secs(30);

/// Who may come in by the network: by TLS with a password, or with a certificate that names the role.
const ACCESS: &str =
    "hostssl all by_certificate 127.0.0.0/8 cert\nhostssl all all 127.0.0.0/8 scram-sha-256\n";

/// What the server shows and whom it trusts, all PEM.
#[derive(Debug, Clone, Copy)]
pub struct TlsFiles<'a> {
    /// The server's certificate.
    pub cert: &'a str,
    /// Its key.
    pub key: &'a str,
    /// Whose certificates clients may sign in with.
    pub authority: &'a str,
}

/// A PostgreSQL of one test; ends with this value.
pub struct TlsPostgres {
    // Ends before its folder goes.
    server: Guarded,
    dir: TempDir,
    passwords: BootstrapPasswords,
    password: String,
    address: Ipv4Addr,
    port: u16,
}

impl TlsPostgres {
    /// A server with these certificates.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(files: TlsFiles<'_>) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("markethall-tls-").tempdir()?;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
        // Made as every private cluster, then served in another way.
        let config = ClusterConfig { data_dir: dir.path().to_owned(), bin_dir: None, profile: Profile::Test };
        let cluster = Cluster::start(config).await?;
        cluster.stop().await?;
        let password = cluster.admin_config().get_password().map(String::from_utf8_lossy).map(Into::into);
        let (address, port) = address()?;
        let data = dir.path().join("pg/data");
        furnish(&data, files)?;
        let server = serve(&cluster, &data, address, port)?;
        let password = password.context("there is no password")?;
        let passwords = cluster.passwords().clone();
        let mut made = Self { dir, server, passwords, password, address, port };
        let waited = tokio::time::timeout(START_WITHIN, made.wait(cluster.socket_dir())).await;
        waited.context("PostgreSQL takes no connections")??;
        Ok(made)
    }

    /// Until it takes connections, by its socket.
    async fn wait(&mut self, socket_dir: &Path) -> anyhow::Result<()> {
        let mut config = tokio_postgres::Config::new();
        config.host_path(socket_dir).port(self.port).user(ADMIN_ROLE).password(&self.password);
        config.dbname("postgres");
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while connect(&config).await.is_err() {
            if let Some(status) = self.server.ended()? {
                bail!("PostgreSQL has ended with {status}");
            }
            tick.tick().await;
        }
        Ok(())
    }

    /// The way in as superuser by the network, to a server that is asked for as `host`; `query` is what follows in
    /// the URL (`sslmode=verify-full`).
    #[must_use]
    pub fn url(&self, host: &str, query: &str) -> String {
        let Self { password, address, port, .. } = self;
        format!("postgres://{ADMIN_ROLE}:{password}@{host}:{port}/postgres?hostaddr={address}&{query}")
    }

    /// The password in [`Self::url`].
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The passwords that Markethall's roles are to have.
    #[must_use]
    pub fn passwords(&self) -> &BootstrapPasswords {
        &self.passwords
    }

    /// A folder for other files of the test.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// Reads a URL of [`Self::url`].
    ///
    /// # Errors
    /// When it cannot be.
    pub fn config(&self, host: &str, query: &str) -> anyhow::Result<ConnectionConfig> {
        Ok(self.url(host, query).parse()?)
    }
}

impl std::fmt::Debug for TlsPostgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsPostgres").field("address", &self.address).finish_non_exhaustive()
    }
}

/// An address that no other process uses, so that a port which was free a moment ago still is.
fn address() -> anyhow::Result<(Ipv4Addr, u16)> {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, 64 | (high & 63), middle, low);
    let port = TcpListener::bind((address, 0)).context("no loopback address")?.local_addr()?.port();
    Ok((address, port))
}

/// Certificates and access, owned by whoever owns the database.
fn furnish(data: &Path, files: TlsFiles<'_>) -> anyhow::Result<()> {
    let owner = fs::metadata(data)?;
    for (name, text) in
        [("server.crt", files.cert), ("server.key", files.key), ("clients.crt", files.authority)]
    {
        let path = data.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        chown(&path, Some(owner.uid()), Some(owner.gid()))?;
    }
    let path = data.join("pg_hba.conf");
    let before = fs::read_to_string(&path)?;
    let local = before.lines().filter(|line| line.starts_with("local"));
    let text: String = local.map(|line| format!("{line}\n")).collect();
    Ok(fs::write(path, text + ACCESS)?)
}

fn serve(cluster: &Cluster, data: &Path, address: Ipv4Addr, port: u16) -> anyhow::Result<Guarded> {
    let owner = fs::metadata(data)?;
    let mut command = Command::new(cluster.bin_dir().join("postgres"));
    command.arg("-D").arg(data).arg("-k").arg(cluster.socket_dir());
    let listen: PathBuf = format!("listen_addresses={address}").into();
    command.arg("-c").arg(listen);
    for setting in ["ssl=on", "ssl_ca_file=clients.crt", "fsync=off", "full_page_writes=off"] {
        command.args(["-c", setting]);
    }
    command.args(["-p", &port.to_string()]);
    command.current_dir("/");
    // Where we are not root it is ours already.
    if fs::metadata("/proc/self")?.uid() != owner.uid() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    Guarded::spawn(&mut command, "-QUIT")
}
