//! A Redis server of one test, on a Unix socket of its own.

use std::{
    fs,
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

/// How long a server gets to listen.
const START_WITHIN: Duration = Duration::from_secs(30);

/// Waits until we are gone, whatever the reason (its input closes), then ends the server.
const WATCHDOG: &str = r#"read -r _; kill -KILL "$1" 2>/dev/null"#;

/// A Redis server that keeps nothing on disk; ends with this value.
#[derive(Debug)]
pub struct RedisServer {
    home: TempDir,
    running: Option<(Child, Child)>,
}

impl RedisServer {
    /// A server on a socket of its own.
    ///
    /// # Errors
    /// When there is no `redis-server` or it does not start.
    pub fn start() -> anyhow::Result<Self> {
        let home = tempfile::Builder::new().prefix("markethall-redis-").tempdir()?;
        let mut server = Self { home, running: None };
        server.restart()?;
        Ok(server)
    }

    /// Where it listens, also while it is away.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Ends it as a power cut does; what it held is gone. Nothing when it is away already.
    pub fn kill(&mut self) {
        if let Some((mut server, mut watchdog)) = self.running.take() {
            // Both may have ended by themselves.
            let _ = server.kill();
            let _ = server.wait();
            let _ = watchdog.kill();
            let _ = watchdog.wait();
        }
    }

    /// Has it back at the same address, empty.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        let socket = self.socket();
        let _ = fs::remove_file(&socket);
        let mut server = Command::new(binary()?)
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--logfile", "log", "--unixsocket"])
            .arg(&socket)
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run redis-server")?;
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "sh", &server.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run sh")?;
        let until = Instant::now() + START_WITHIN;
        let listens = loop {
            if UnixStream::connect(&socket).is_ok() {
                break true;
            }
            if server.try_wait()?.is_some() || Instant::now() > until {
                break false;
            }
            thread::sleep(Duration::from_millis(5));
        };
        self.running = Some((server, watchdog));
        if !listens {
            let log = fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
            bail!("redis-server does not listen: {log}");
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

    /// Goes on after [`RedisServer::freeze`].
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let (server, _) = self.running.as_ref().context("the server is away")?;
        let pid = server.id().to_string();
        let sent = Command::new("sh").args(["-c", "kill \"$1\" \"$2\"", "sh", signal, &pid]).status()?;
        if sent.success() { Ok(()) } else { bail!("cannot send {signal}") }
    }

    fn socket(&self) -> PathBuf {
        self.home.path().join("redis.sock")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|dir| dir.join("redis-server"))
        .find(|file| file.is_file())
        .context("redis-server is missing: `make test` installs it, or `apt-get install redis-server` does")
}
