//! Starts, joins and stops.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use secrecy::ExposeSecret as _;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tokio_postgres::error::SqlState;

use super::{
    ADMIN_ROLE, Cluster, ClusterConfig, ClusterError, Inner, Origin, Profile,
    account::{Account, command},
    binaries::Binaries,
    connection,
    folder::Folder,
    initialize::initialize,
    layout::Layout,
    lock::{Membership, Turn},
    postmaster::{self, Stop},
    secrets, settings,
};

/// Recovery after a crash replays at most `max_wal_size` of log; nothing else takes long.
const READY_SECONDS: u64 = 300;
/// A fast shutdown writes all changed buffers down; after that it is told to end at once, which loses nothing.
const STOP_SECONDS: u64 = 60;
const TICK: Duration = Duration::from_millis(10);
/// What PostgreSQL says before its own log opens.
const START_LOG: &str = "start.log";

pub(super) async fn start(config: ClusterConfig) -> Result<Cluster, ClusterError> {
    let mut layout = Layout::open(&config.data_dir)?;
    let turn = Turn::take(&layout.lock_file()).await?;
    let account = Account::choose(&layout.database)?;
    layout.furnish(account.as_ref())?;
    let binaries = Binaries::find(config.bin_dir.as_deref(), layout.version())?;
    let secrets = secrets::load(&layout.secrets_file(), &layout.database)?;
    let created = !layout.database.exists();
    if created {
        initialize(&layout, &binaries, account.as_ref(), config.profile, &secrets).await?;
    }
    let joined = postmaster::running(&layout.database).and_then(|_| postmaster::socket_dir(&layout.database));
    let socket_dir = match joined {
        Some(dir) => dir.into(),
        None => layout.socket_dir(account.as_ref())?,
    };
    let membership = Membership::join(&layout.users_file())?;
    let mut inner = Inner {
        layout,
        binaries,
        account,
        profile: config.profile,
        secrets,
        socket_dir,
        origin: Origin::Joined,
        membership: Mutex::new(Some(membership)),
        child: tokio::sync::Mutex::default(),
        supervisor: Mutex::default(),
    };
    let started = ensure_running(&inner).await?;
    inner.origin = match (created, started) {
        (true, _) => Origin::Created,
        (false, true) => Origin::Started,
        (false, false) => Origin::Joined,
    };
    drop(turn);
    Ok(Cluster(Arc::new(inner)))
}

/// Takes the turn and makes sure that PostgreSQL runs; what the supervisor does when the connection is lost.
pub(super) async fn recover(inner: &Inner) -> Result<bool, ClusterError> {
    let _turn = Turn::take(&inner.layout.lock_file()).await?;
    ensure_running(inner).await
}

pub(super) async fn stop(inner: &Inner) -> Result<(), ClusterError> {
    super::supervise::end(inner);
    let _turn = Turn::take(&inner.layout.lock_file()).await?;
    let membership = inner.membership.lock().ok().and_then(|mut membership| membership.take());
    let Some(membership) = membership else {
        return Ok(());
    };
    let mut child = inner.child.lock().await;
    if !membership.leave(&inner.layout.users_file())? {
        tracing::debug!("another process still uses the database; it keeps running");
        return Ok(());
    }
    let Some(pid) = postmaster::running(&inner.layout.database) else {
        return Ok(());
    };
    let signal = |stop| {
        postmaster::signal(pid, stop).map_err(ClusterError::file("cannot stop", &inner.layout.database))
    };
    signal(Stop::Fast)?;
    let begun = Instant::now();
    let mut urged = false;
    let mut tick = ticks();
    loop {
        tick.tick().await;
        reap(&mut child);
        if postmaster::running(&inner.layout.database) != Some(pid) {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(STOP_SECONDS) {
            if urged && begun.elapsed() > Duration::from_secs(STOP_SECONDS + 5) {
                return Err(ClusterError::Timeout { state: "stopped", seconds: STOP_SECONDS });
            }
            if !urged {
                signal(Stop::Immediate)?;
                urged = true;
            }
        }
    }
}

/// What a connection attempt says about the server.
enum Answer {
    Ready,
    /// Starting, recovering or stopping.
    Busy,
    /// Nobody listens.
    Silent,
    Refused(String),
}

/// Waits until PostgreSQL takes connections, starting it when nobody does. The caller holds the turn.
/// True when this call started it.
async fn ensure_running(inner: &Inner) -> Result<bool, ClusterError> {
    let mut child = inner.child.lock().await;
    let deadline = Instant::now() + Duration::from_secs(READY_SECONDS);
    let mut tick = ticks();
    let mut started = false;
    let mut attempts: u32 = 0;
    let mut next_attempt = Instant::now();
    while Instant::now() < deadline {
        tick.tick().await;
        let ended = reap(&mut child);
        match probe(inner).await {
            Answer::Ready => return Ok(started),
            Answer::Refused(text) => return Err(ClusterError::Refused(text)),
            Answer::Busy => continue,
            Answer::Silent if child.is_some() || postmaster::running(&inner.layout.database).is_some() => {
                continue;
            }
            Answer::Silent => {}
        }
        if ended && started {
            next_attempt = after_failure(inner, attempts)?;
        }
        if Instant::now() >= next_attempt {
            attempts += 1;
            started = true;
            *child = Some(spawn(inner)?);
        }
    }
    Err(ClusterError::Timeout { state: "ready", seconds: READY_SECONDS })
}

/// The postmaster gave up: tells when to try again, or why that is no use.
fn after_failure(inner: &Inner, attempts: u32) -> Result<Instant, ClusterError> {
    let said = Folder::open(&inner.layout.home, inner.account.as_ref())?.read(START_LOG);
    let memory_in_use = said.contains("pre-existing shared memory block");
    let other_note = said.contains("lock file") && said.contains("already exists");
    if !memory_in_use && !other_note {
        let mut tail: Vec<_> = said.lines().rev().take(10).collect();
        tail.reverse();
        let log = inner.layout.database.join("log");
        return Err(ClusterError::Start(format!("{} (its log is in {})", tail.join("\n"), log.display())));
    }
    // Backends of the dead postmaster end by themselves, but only when their statement does.
    for pid in postmaster::orphans(&inner.layout.database) {
        tracing::warn!(pid, "ending a database process that its dead parent left behind");
        if let Err(error) = postmaster::signal(pid, Stop::Immediate) {
            tracing::warn!(pid, %error, "cannot end it; waiting for it instead");
        }
    }
    Ok(Instant::now() + Duration::from_millis(25 << attempts.min(5)))
}

fn spawn(inner: &Inner) -> Result<tokio::process::Child, ClusterError> {
    let layout = &inner.layout;
    let lz4 = inner.profile == Profile::Production && inner.binaries.has_lz4();
    let text = settings::render(inner.profile, settings::memory_bytes(), lz4);
    let account = inner.account.as_ref();
    Folder::open(&layout.database, account)?.write("markethall.conf", text.as_bytes())?;
    postmaster::forget_dead(&layout.database, &inner.socket_dir);
    let out = Folder::open(&layout.home, account)?.write_anew(START_LOG)?;
    let err = out.try_clone().map_err(ClusterError::file("cannot open", layout.home.join(START_LOG)))?;
    let program = inner.binaries.program("postgres");
    let mut postgres = command(&program, account);
    postgres
        .arg("-D")
        .arg(&layout.database)
        .arg("-k")
        .arg(&inner.socket_dir)
        .args(["-p", &super::PORT.to_string()]);
    for setting in settings::forced(inner.profile) {
        postgres.args(["-c", setting]);
    }
    tracing::debug!(database = %layout.database.display(), "starting PostgreSQL");
    postgres.stdout(out).stderr(err).spawn().map_err(ClusterError::file("cannot run", program))
}

async fn probe(inner: &Inner) -> Answer {
    let password = inner.secrets.admin.expose_secret();
    // `TICK` paces the attempts; a server that takes the connection and then hangs is cut off by the time limit.
    let config = connection(&inner.socket_dir, ADMIN_ROLE, password, "postgres");
    let error = match tokio::time::timeout(Duration::from_secs(5), config.open()).await {
        Ok(Ok(_)) => return Answer::Ready,
        Ok(Err(error)) => error,
        Err(_) => return Answer::Busy,
    };
    match error.code() {
        Some(&SqlState::CANNOT_CONNECT_NOW | &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN) => {
            Answer::Busy
        }
        // Full is running.
        Some(&SqlState::TOO_MANY_CONNECTIONS) => Answer::Ready,
        Some(_) => Answer::Refused(error.to_string()),
        None => Answer::Silent,
    }
}

/// Collects our child when it has ended; true when it did.
fn reap(child: &mut Option<tokio::process::Child>) -> bool {
    let ended = child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None)));
    if ended {
        *child = None;
    }
    ended
}

fn ticks() -> Interval {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}
