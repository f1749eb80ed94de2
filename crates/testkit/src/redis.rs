//! A Redis server of one test, on a Unix socket of its own.

use std::{
    fs,
    os::unix::net::UnixStream,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::guarded::Guarded;

/// How long a server gets to listen.
const START_WITHIN: Duration = Duration::from_secs(30);

/// A Redis server that keeps nothing on disk; ends with this value.
#[derive(Debug)]
pub struct RedisServer {
    // Ends before its folder goes.
    running: Option<Guarded>,
    home: TempDir,
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
        self.running = None;
    }

    /// Has it back at the same address, empty.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        let socket = self.socket();
        let _ = fs::remove_file(&socket);
        let mut command = Command::new(binary()?);
        command
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--logfile", "log", "--unixsocket"])
            .arg(&socket)
            .current_dir(self.home.path());
        let mut server = Guarded::spawn(&mut command, "-KILL")?;
        let until = Instant::now() + START_WITHIN;
        let listens = loop {
            if UnixStream::connect(&socket).is_ok() {
                break true;
            }
            if server.ended()?.is_some() || Instant::now() > until {
                break false;
            }
            thread::sleep(Duration::from_millis(5));
        };
        self.running = Some(server);
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
        self.running.as_ref().context("the server is away")?.signal(signal)
    }

    fn socket(&self) -> PathBuf {
        self.home.path().join("redis.sock")
    }
}

pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|dir| dir.join("redis-server"))
        .find(|file| file.is_file())
        .context("redis-server is missing: `make test` installs it, or `apt-get install redis-server` does")
}
