//! One PostgreSQL cluster per test run, or per test process when nobody has started one for the run.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
};

use anyhow::{Context as _, anyhow};
use db::{
    ConnectionConfig,
    cluster::{Cluster, ClusterConfig, Profile},
    migrate::BootstrapPasswords,
};

/// Names the folder of a cluster that `test-cluster start` has started for the whole run.
pub const CLUSTER_DIR_VARIABLE: &str = "MARKETHALL_TEST_CLUSTER_DIR";

/// Waits until we are gone, whatever the reason (its input closes), then ends PostgreSQL and removes the folder.
const WATCHDOG: &str = r#"
read -r _
pid=$(head -n 1 "$1/pg/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
tries=0
while [ -e "$1/pg/data/postmaster.pid" ] && kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 200 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
rm -rf "$1"
"#;

/// The cluster that this test process uses.
#[derive(Debug)]
pub struct TestCluster {
    cluster: Cluster,
    /// Holds the watchdog's input open as long as this process lives.
    _watchdog: Option<Child>,
}

impl TestCluster {
    /// The cluster, started by the first call.
    ///
    /// # Panics
    /// When there is none and none can be started: no test makes sense then.
    #[must_use]
    pub fn get() -> &'static Self {
        static CLUSTER: OnceLock<TestCluster> = OnceLock::new();
        CLUSTER.get_or_init(|| {
            // A test's runtime ends with the test; the cluster outlives it.
            let started = thread::spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(start())
            });
            let started = started.join().map_err(|_| anyhow!("the starting thread panicked"));
            started.flatten().unwrap_or_else(|error| cannot_start(&error))
        })
    }

    /// Connects as superuser to the maintenance database.
    #[must_use]
    pub fn admin(&self) -> ConnectionConfig {
        self.cluster.admin_config()
    }

    /// The way in as superuser as a URL, as an operator writes it into the configuration.
    ///
    /// # Errors
    /// When the socket's path cannot be written in a URL.
    pub fn admin_url(&self) -> anyhow::Result<String> {
        let dir =
            self.cluster.socket_dir().to_str().ok_or_else(|| anyhow!("the socket's path is not UTF-8"))?;
        let password = self.admin().get_password().map(String::from_utf8_lossy).map(|text| text.into_owned());
        let password = password.ok_or_else(|| anyhow!("there is no password"))?;
        let user = db::cluster::ADMIN_ROLE;
        Ok(format!("postgres://{user}:{password}@{}:5432/postgres", dir.replace('/', "%2F")))
    }

    /// Connects as superuser to `database`: sees every row, whatever row-level security says.
    #[must_use]
    pub fn admin_of(&self, database: &str) -> ConnectionConfig {
        let mut config = self.admin();
        config.dbname(database);
        config
    }

    /// Connects as the owner of all tables.
    #[must_use]
    pub fn owner_of(&self, database: &str) -> ConnectionConfig {
        self.cluster.owner_config(database)
    }

    /// The passwords of the roles.
    #[must_use]
    pub fn passwords(&self) -> &BootstrapPasswords {
        self.cluster.passwords()
    }

    /// The cluster itself.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }
}

#[expect(
    clippy::panic,
    reason = "without a database no test makes sense, and get() has no other way to say so"
)]
fn cannot_start(error: &anyhow::Error) -> ! {
    panic!("no test cluster: {error:#}")
}

async fn start() -> anyhow::Result<TestCluster> {
    if let Some(dir) = std::env::var_os(CLUSTER_DIR_VARIABLE) {
        return Ok(TestCluster { cluster: start_in(Path::new(&dir)).await?, _watchdog: None });
    }
    let dir = new_dir()?;
    let watchdog = Command::new("sh")
        .args(["-c", WATCHDOG, "sh"])
        .arg(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Out of reach of Ctrl-C, which must not stop it before it has cleaned up.
        .process_group(0)
        .spawn()
        .context("cannot run sh")?;
    Ok(TestCluster { cluster: start_in(&dir).await?, _watchdog: Some(watchdog) })
}

/// A new folder for a cluster of our own.
fn new_dir() -> anyhow::Result<PathBuf> {
    let dir = tempfile::Builder::new().prefix("markethall-test-").tempdir_in(fast_base())?.keep();
    // PostgreSQL runs as another user when we are root.
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755))?;
    Ok(dir)
}

/// In memory where there is room: a database is copied ten times faster there.
fn fast_base() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if free_megabytes(memory) > 2048 { memory.to_owned() } else { std::env::temp_dir() }
}

fn free_megabytes(dir: &Path) -> u64 {
    let output = Command::new("df").args(["--output=avail", "--block-size=1M"]).arg(dir).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().nth(1).and_then(|line| line.trim().parse().ok()).unwrap_or(0)
}

async fn start_in(dir: &Path) -> anyhow::Result<Cluster> {
    let config = ClusterConfig { data_dir: dir.to_owned(), bin_dir: None, profile: Profile::Test };
    Ok(Cluster::start(config).await?)
}

/// Starts the cluster of a run and leaves it running; what `test-cluster start DIR` does.
///
/// The database itself lies in memory where there is room, `DIR/pg` then leads to it.
///
/// # Errors
/// When it cannot be started.
pub async fn start_for_run(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir)?;
    let (base, link) = (fast_base(), dir.join("pg"));
    if base != std::env::temp_dir() && !link.exists() {
        let home = tempfile::Builder::new().prefix("markethall-test-").make_in(base, |_| Ok(()))?;
        symlink(home.path(), link)?;
    }
    start_in(dir).await.map(drop)
}

/// Stops the cluster of a run and removes it; what `test-cluster stop DIR` does. The folder stays, empty.
///
/// # Errors
/// When it is not a cluster's folder, or a test process still uses it.
pub async fn stop_after_run(dir: &Path) -> anyhow::Result<()> {
    if !dir.join("pg.secrets").exists() {
        return Err(anyhow!("{} is not the folder of a test cluster", dir.display()));
    }
    let cluster = start_in(dir).await?;
    cluster.stop().await?;
    if cluster.pid().is_some() {
        return Err(anyhow!("a test process still uses {}", dir.display()));
    }
    fs::remove_dir_all(dir.join("pg").canonicalize()?)?;
    for name in ["pg.lock", "pg.users", "pg.secrets", "pg.socket", "pg"] {
        // Some exist only sometimes.
        let _ = fs::remove_file(dir.join(name));
    }
    Ok(())
}
