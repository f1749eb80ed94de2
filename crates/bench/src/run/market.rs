//! One Markethall with a data directory of its own, started and stopped as a user would.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    client::{Session, fetch, probe},
    database::Database,
    machine::{pause, resident_mb, terminate},
};

/// The process of the server that runs; 0 for none.
static SERVER: AtomicU32 = AtomicU32::new(0);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Ends the server, upon which every measurement fails.
pub(super) fn interrupt() {
    INTERRUPTED.store(true, Ordering::SeqCst);
    let server = SERVER.load(Ordering::SeqCst);
    if server != 0 {
        terminate(server, "TERM");
    }
}

pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// The longest that starting or stopping may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A data directory, and the server on it while it runs.
pub(super) struct Market {
    program: PathBuf,
    data_dir: PathBuf,
    log: PathBuf,
    /// Settings beside the usual ones, from the next start on.
    settings: Vec<(String, String)>,
    running: Option<Running>,
}

struct Running {
    server: Child,
    address: SocketAddr,
}

impl Market {
    /// Makes an empty data directory under `home`; what a killed run left there is cleared away first.
    pub(super) fn new(program: &Path, home: &Path) -> Result<Self> {
        ensure!(program.is_file(), "there is no {}: build it, or use `make bench`", program.display());
        let data_dir = home.join("var");
        clear_away(&data_dir)?;
        fs::create_dir_all(&data_dir)?;
        fs::set_permissions(&data_dir, fs::Permissions::from_mode(0o755))?;
        Ok(Self {
            program: program.to_owned(),
            data_dir,
            log: home.join("server.log"),
            settings: Vec::new(),
            running: None,
        })
    }

    /// Starts the server and waits until it is ready; gives the seconds that took.
    pub(super) fn start(&mut self) -> Result<f64> {
        ensure!(!interrupted(), "interrupted");
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = File::options().create(true).append(true).open(&self.log)?;
        let begin = Instant::now();
        let mut serve = self.command(&["serve"]);
        serve.env("PORT", port.to_string()).stdout(Stdio::null()).stderr(log).stdin(Stdio::null());
        let server = serve.spawn().context("cannot start the server")?;
        SERVER.store(server.id(), Ordering::SeqCst);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let running = self.running.insert(Running { server, address });
        while !probe(address, "/health/ready").is_ok_and(|status| status == 200) {
            if let Some(status) = running.server.try_wait()? {
                bail!("the server ended ({status}), see {}", self.log.display());
            }
            ensure!(begin.elapsed() < PATIENCE, "the server is not ready, see {}", self.log.display());
            pause(Duration::from_millis(2));
        }
        Ok(begin.elapsed().as_secs_f64())
    }

    /// Ends the server in an orderly way, and its database with it.
    pub(super) fn stop(&mut self) -> Result<()> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        SERVER.store(0, Ordering::SeqCst);
        terminate(running.server.id(), "TERM");
        let begin = Instant::now();
        while running.server.try_wait()?.is_none() {
            if begin.elapsed() > PATIENCE {
                running.server.kill()?;
                bail!("the server does not stop");
            }
            pause(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Starts anew with these settings beside the usual ones, instead of those given before.
    pub(super) fn restart_with(&mut self, settings: &[(&str, &str)]) -> Result<f64> {
        self.settings =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.restart()
    }

    pub(super) fn restart(&mut self) -> Result<f64> {
        self.stop()?;
        self.start()
    }

    pub(super) fn address(&self) -> Result<SocketAddr> {
        Ok(self.running.as_ref().context("the market is closed")?.address)
    }

    /// The present value of a counter: its name with its labels.
    pub(super) fn counted(&self, series: &str) -> Result<f64> {
        let page = fetch(self.address()?, "/metrics")?;
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(series))
            .with_context(|| format!("no {series}"))?;
        Ok(line.trim().parse()?)
    }

    /// Resident memory of the server in MB.
    pub(super) fn resident_mb(&self) -> Result<f64> {
        resident_mb(self.running.as_ref().context("the market is closed")?.server.id())
    }

    pub(super) fn database(&self) -> Result<Database> {
        Database::of(&self.data_dir)
    }

    /// Runs a command of the program to its end and gives what it prints.
    ///
    /// # Errors
    /// When it fails, with what it says.
    pub(super) fn tell(&self, words: &[&str]) -> Result<String> {
        let output = self.command(words).output().context("cannot start markethall")?;
        if !output.status.success() {
            bail!("markethall {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Someone who may do everything in `tenant`, for some hours.
    pub(super) fn session(&self, tenant: &str) -> Result<Session> {
        let token = self.tell(&["token", "--tenant", tenant, "--role", "tenant_admin", "--ttl", "12h"])?;
        Ok(Session { address: self.address()?, tenant: tenant.to_owned(), token })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MARKETHALL_"))
        {
            command.env_remove(name);
        }
        command.args(words).env("MARKETHALL_DATA_DIR", &self.data_dir).env_remove("PORT");
        // Counted as in production, at a rate that no measurement reaches.
        for policy in [
            "FREE",
            "STANDARD",
            "ENTERPRISE",
            "USER",
            "ADDRESS",
            "REGISTRATION",
            "COST__FREE",
            "COST__STANDARD",
            "COST__ENTERPRISE",
        ] {
            let name = format!("MARKETHALL_EDGE__LIMITS__{policy}");
            command.env(name, "{limit=1000000,window_seconds=1,burst=1000000}");
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Drop for Market {
    fn drop(&mut self) {
        let closed = self.stop().and_then(|()| clear_away(&self.data_dir));
        if let Err(error) = closed {
            eprintln!("bench: {error:#}");
        }
    }
}

/// Ends the PostgreSQL that a killed run left and removes its data directory.
fn clear_away(data_dir: &Path) -> Result<()> {
    if !data_dir.exists() {
        return Ok(());
    }
    let home = data_dir.join("pg").canonicalize();
    if let Ok(home) = &home {
        let postmaster = home.join("data/postmaster.pid");
        if let Some(pid) =
            fs::read_to_string(&postmaster).ok().and_then(|text| text.lines().next()?.parse().ok())
        {
            terminate(pid, "INT");
            let begin = Instant::now();
            while postmaster.exists() && begin.elapsed() < Duration::from_secs(30) {
                pause(Duration::from_millis(20));
            }
        }
        fs::remove_dir_all(home).with_context(|| format!("cannot remove {}", home.display()))?;
    }
    fs::remove_dir_all(data_dir).with_context(|| format!("cannot remove {}", data_dir.display()))
}
