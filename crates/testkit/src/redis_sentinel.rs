//! A Redis master with a replica, watched by a sentinel.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::bail;
use tempfile::TempDir;

use crate::{guarded::Guarded, redis::binary};

const START_WITHIN: Duration = Duration::from_secs(30);
const MASTER: &str = "market";
/// Somebody else may take a port between the moment it is found free and the server's start.
const ATTEMPTS: usize = 5;

/// A master, its replica and a sentinel that fails over after half a second; all end with this value.
#[derive(Debug)]
pub struct RedisSentinel {
    master: Node,
    _replica: Node,
    sentinel: Node,
    _home: TempDir,
}

#[derive(Debug)]
struct Node {
    port: u16,
    server: Guarded,
}

impl RedisSentinel {
    /// All three, the replica in step with its master.
    ///
    /// # Errors
    /// When one of them does not start.
    pub fn start() -> anyhow::Result<Self> {
        let home = tempfile::Builder::new().prefix("markethall-sentinel-").tempdir()?;
        let master = Node::start(home.path(), "master", "")?;
        let follow = format!("replicaof 127.0.0.1 {}\n", master.port);
        let replica = Node::start(home.path(), "replica", &follow)?;
        replica.until("*2\r\n$4\r\nINFO\r\n$11\r\nreplication\r\n", "master_link_status:up")?;
        let watch = format!(
            "sentinel monitor {MASTER} 127.0.0.1 {} 1\nsentinel down-after-milliseconds {MASTER} 500\n\
             sentinel failover-timeout {MASTER} 5000\n",
            master.port
        );
        let sentinel = Node::start(home.path(), "sentinel", &watch)?;
        sentinel.until("*2\r\n$4\r\nINFO\r\n$8\r\nsentinel\r\n", "slaves=1")?;
        Ok(Self { _home: home, master, _replica: replica, sentinel })
    }

    /// Where the sentinel listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.sentinel.port)
    }

    /// What the sentinel calls the master.
    #[must_use]
    pub fn master_name(&self) -> &'static str {
        MASTER
    }

    /// Ends the master as a power cut does.
    pub fn kill_master(&mut self) {
        self.master.server.kill();
    }
}

impl Node {
    fn start(home: &Path, name: &str, settings: &str) -> anyhow::Result<Self> {
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            if let Some(node) = Self::attempt(home, name, settings, port)? {
                return Ok(node);
            }
        }
        let log = fs::read_to_string(home.join(format!("{name}.log"))).unwrap_or_default();
        bail!("the {name} does not listen: {log}")
    }

    fn attempt(home: &Path, name: &str, settings: &str, port: u16) -> anyhow::Result<Option<Self>> {
        let file = home.join(format!("{name}.conf"));
        let common = format!(
            "bind 127.0.0.1\nport {port}\nlogfile {name}.log\ndbfilename {name}.rdb\nsave \"\"\nrepl-diskless-sync-delay 0\n"
        );
        let common = if name == "sentinel" {
            common.lines().take(3).map(|line| format!("{line}\n")).collect()
        } else {
            common
        };
        fs::write(&file, common + settings)?;
        let mut command = Command::new(binary()?);
        command.arg(&file).current_dir(home);
        if name == "sentinel" {
            command.arg("--sentinel");
        }
        let server = Guarded::spawn(&mut command, "-KILL")?;
        let mut node = Self { port, server };
        let until = Instant::now() + START_WITHIN;
        while Instant::now() < until && node.server.ended()?.is_none() {
            if TcpStream::connect(node.address()).is_ok() {
                return Ok(Some(node));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(None)
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Asks until the answer holds `wanted`.
    fn until(&self, question: &str, wanted: &str) -> anyhow::Result<()> {
        let until = Instant::now() + START_WITHIN;
        let mut stream = TcpStream::connect(self.address())?;
        stream.set_read_timeout(Some(START_WITHIN))?;
        let mut answer = [0_u8; 16_384];
        loop {
            stream.write_all(question.as_bytes())?;
            let length = stream.read(&mut answer)?;
            if String::from_utf8_lossy(&answer[..length]).contains(wanted) {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("no {wanted} within {START_WITHIN:?}");
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}
