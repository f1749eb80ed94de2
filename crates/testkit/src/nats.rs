//! A NATS server of one test, with JetStream, on a port of its own.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::guarded::Guarded;

/// How long a server gets to listen.
const START_WITHIN: Duration = Duration::from_secs(30);

/// A NATS server with JetStream and its store in a folder of its own; ends with this value.
#[derive(Debug)]
pub struct NatsServer {
    // Ends before its folder goes.
    running: Option<Guarded>,
    home: TempDir,
    port: u16,
}

impl NatsServer {
    /// A server on a free port.
    ///
    /// # Errors
    /// When there is no `nats-server` or it does not start.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with("")
    }

    /// A server with these lines in its configuration file, such as `max_payload: 4096`.
    ///
    /// # Errors
    /// As [`NatsServer::start`].
    pub fn start_with(settings: &str) -> anyhow::Result<Self> {
        let home = tempfile::Builder::new().prefix("markethall-nats-").tempdir()?;
        fs::write(home.path().join("settings"), settings)?;
        let mut server = Self { home, port: 0, running: None };
        server.begin("-1")?;
        Ok(server)
    }

    /// Where it listens, also while it is away.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends it as a power cut does; nothing when it is away already.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Has it back at the same address, with what is in its store.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        self.begin(&self.port.to_string())
    }

    /// Forgets everything; call it while the server is away.
    ///
    /// # Errors
    /// When the store cannot be removed.
    pub fn lose_store(&self) -> anyhow::Result<()> {
        let store = self.home.path().join("store");
        if store.exists() {
            fs::remove_dir_all(store)?;
        }
        Ok(())
    }

    /// Stops it in the middle of whatever it does: connections stay open, nobody answers.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal("-STOP")
    }

    /// Goes on after [`NatsServer::freeze`].
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> anyhow::Result<()> {
        self.running.as_ref().context("the server is away")?.signal(signal)
    }

    fn begin(&mut self, port: &str) -> anyhow::Result<()> {
        let ports = self.home.path().join("ports");
        let _ = fs::remove_dir_all(&ports);
        fs::create_dir(&ports)?;
        let mut command = Command::new(binary()?);
        command
            .args(["--addr", "127.0.0.1", "--port", port, "--jetstream", "--store_dir"])
            .arg(self.home.path().join("store"))
            .arg("--ports_file_dir")
            .arg(&ports)
            .args(["--log", "log", "--config", "settings"])
            .current_dir(self.home.path());
        let mut server = Guarded::spawn(&mut command, "-KILL")?;
        let until = Instant::now() + START_WITHIN;
        let found = loop {
            if let Some(port) = written_port(&ports) {
                break Some(port);
            }
            if server.ended()?.is_some() || Instant::now() > until {
                break None;
            }
            thread::sleep(Duration::from_millis(5));
        };
        self.running = Some(server);
        let log = || fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
        self.port = found.with_context(|| format!("nats-server does not listen: {}", log()))?;
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        while TcpStream::connect(address).is_err() {
            if Instant::now() > until {
                bail!("nats-server does not answer: {}", log());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// The port in the file that the server writes once it listens.
fn written_port(dir: &Path) -> Option<u16> {
    let file = fs::read_dir(dir).ok()?.filter_map(Result::ok).find(|it| it.path().extension().is_some())?;
    let ports: serde_json::Value = serde_json::from_str(&fs::read_to_string(file.path()).ok()?).ok()?;
    ports["nats"].as_array()?.iter().find_map(|url| url.as_str()?.rsplit_once(':')?.1.parse().ok())
}

/// The server's program; Debian puts it where only root looks.
fn binary() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    dirs.map(|dir| dir.join("nats-server"))
        .find(|file| file.is_file())
        .context("nats-server is missing: `make test` installs it, or `apt-get install nats-server` does")
}
