//! The binary, serving.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, ExitStatus, Stdio},
    sync::mpsc::channel,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use testkit::Client;

use super::{Home, wait_for};

/// How long a start may take on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long an orderly end may take.
const STOP_LIMIT: Duration = Duration::from_secs(40);

/// A serving process. Ended with the test.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// Everything it wrote to standard error, which is its log.
    pub log: PathBuf,
}

impl Server {
    pub fn start(home: &Home) -> Self {
        Self::start_with(home, &[], &[])
    }

    /// Starts it with further settings and arguments, and waits until it says where it serves.
    pub fn start_with(home: &Home, settings: &[(&str, &str)], args: &[&str]) -> Self {
        let mut number = 0;
        let log = loop {
            let path = home.path().join(format!("server-{number}.log"));
            if !path.exists() {
                break path;
            }
            number += 1;
        };
        let mut command = home.command();
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(args).envs(settings.iter().copied());
        command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = stdout.read_line(&mut line);
            let _ = tell.send(line);
            // The rest is read to its end, so that the program never waits for us.
            let _ = std::io::copy(&mut stdout, &mut std::io::sink());
        });
        let first = told.recv_timeout(START_LIMIT).unwrap_or_default();
        let origin =
            first.trim().strip_prefix("Markethall serves ").and_then(|origin| origin.split_once("://"));
        let Some((_, address)) = origin else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("it said {first:?} and {}", std::fs::read_to_string(&log).unwrap_or_default());
        };
        Self { child, address: address.parse().unwrap(), log }
    }

    /// Somebody without a token.
    pub fn stranger(&self) -> Client {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Client::of_server(http, self.address)
    }

    /// Somebody of a merchant.
    pub fn member(&self, slug: &str, token: &str) -> Client {
        self.stranger().with_tenant(slug).with_token(token)
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, without waiting.
    pub fn terminate(&self) {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("the end of the server", STOP_LIMIT, || self.child.try_wait().unwrap())
    }

    /// SIGTERM, and the end that follows; returns what it logged.
    pub fn stop(mut self) -> String {
        self.terminate();
        let status = self.wait();
        assert!(status.success(), "{status}");
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
