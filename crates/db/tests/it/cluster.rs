//! The private cluster on real server binaries. Each test has a folder of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use db::cluster::{Cluster, ClusterConfig, ClusterError, Origin, Profile};
use tempfile::TempDir;
use testkit::connect;
use tokio_postgres::Client;

/// The folder that a helper process uses, and the word that tells it to be one.
const HELPER_DIR: &str = "MARKETHALL_HELPER_DIR";

/// A folder that everybody may pass through; what still runs in it at the end is ended.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("markethall-cluster-").tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self(dir)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("var")
    }

    fn pid(&self) -> Option<String> {
        let note = fs::read_to_string(self.path().join("pg/data/postmaster.pid")).ok()?;
        note.lines().next().map(str::to_owned)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            send("-QUIT", pid.parse().unwrap());
        }
    }
}

fn config(dir: &Path, profile: Profile) -> ClusterConfig {
    ClusterConfig { data_dir: dir.to_owned(), bin_dir: None, profile }
}

async fn start(folder: &Folder) -> Cluster {
    Cluster::start(config(&folder.path(), Profile::Test)).await.unwrap()
}

fn send(signal: &str, pid: i32) {
    let _ = Command::new("kill").args([signal, &pid.to_string()]).stderr(Stdio::null()).status().unwrap();
}

fn we_are_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

async fn admin(cluster: &Cluster) -> Client {
    connect(&cluster.admin_config()).await.unwrap()
}

async fn show(client: &Client, setting: &str) -> String {
    client.query_one("select current_setting($1)", &[&setting]).await.unwrap().get(0)
}

/// Writes one row that must still be there later.
async fn leave_a_mark(cluster: &Cluster) {
    let sql = "create table mark (word text); insert into mark values ('here')";
    admin(cluster).await.batch_execute(sql).await.unwrap();
}

async fn mark_is_there(cluster: &Cluster) -> bool {
    let rows = admin(cluster).await.query("select word from mark", &[]).await.unwrap();
    rows.len() == 1
}

#[tokio::test]
async fn a_fresh_folder_gets_a_safe_database_that_starts_again_quickly() {
    let folder = Folder::new();
    let first = Cluster::start(config(&folder.path(), Profile::Production)).await.unwrap();
    assert_eq!(first.origin(), Origin::Created);
    let client = admin(&first).await;
    for (setting, value) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("password_encryption", "scram-sha-256"),
        ("jit", "off"),
        ("max_wal_size", "4GB"),
        ("log_error_verbosity", "terse"),
    ] {
        assert_eq!(show(&client, setting).await, value, "{setting}");
    }
    leave_a_mark(&first).await;
    first.stop().await.unwrap();
    assert_eq!(first.pid(), None);

    let begun = Instant::now();
    let second = Cluster::start(config(&folder.path(), Profile::Production)).await.unwrap();
    let took = begun.elapsed();
    assert_eq!(second.origin(), Origin::Started);
    assert!(mark_is_there(&second).await);
    second.stop().await.unwrap();
    println!("second start: {took:?}");
}

#[tokio::test]
async fn an_interrupted_first_start_is_begun_anew() {
    let folder = Folder::new();
    start(&folder).await.stop().await.unwrap();
    // As it is when the process dies before the last step: complete, but not yet in its place.
    let draft = folder.path().join("pg/data.draft.12345678");
    fs::rename(folder.path().join("pg/data"), &draft).unwrap();
    let cluster = start(&folder).await;
    assert_eq!(cluster.origin(), Origin::Created);
    assert!(!draft.exists());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_signs_in_without_the_password_and_files_are_private() {
    let folder = Folder::new();
    let cluster = start(&folder).await;
    let mut wrong = cluster.admin_config();
    wrong.password("guess");
    assert!(connect(&wrong).await.is_err());
    let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("pg.secrets"), 0o600);
    assert_eq!(mode("pg"), 0o700);
    assert_eq!(mode("pg/run"), 0o700);
    cluster.stop().await.unwrap();
}

// DPR-5: the account that runs PostgreSQL owns these folders; as root we write nothing through links that it left there.
#[tokio::test]
async fn links_in_the_folders_of_the_database_are_replaced_and_never_followed() {
    let folder = Folder::new();
    start(&folder).await.stop().await.unwrap();
    let victim = folder.0.path().join("victim");
    fs::write(&victim, "ours").unwrap();
    for name in ["pg/start.log", "pg/data/markethall.conf"] {
        let path = folder.path().join(name);
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
    }
    start(&folder).await.stop().await.unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "ours");
    assert_eq!(fs::metadata(&victim).unwrap().uid(), fs::metadata("/proc/self").unwrap().uid());
    let conf = fs::symlink_metadata(folder.path().join("pg/data/markethall.conf")).unwrap();
    assert!(conf.is_file() && conf.len() > 0);
}

#[tokio::test]
async fn postgres_never_runs_as_root() {
    let folder = Folder::new();
    let cluster = start(&folder).await;
    let owner = fs::metadata(format!("/proc/{}", cluster.pid().unwrap())).unwrap().uid();
    assert_ne!(owner, 0);
    if !we_are_root() {
        assert_eq!(owner, fs::metadata("/proc/self").unwrap().uid());
    }
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_postgres_cannot_reach_gets_its_database_elsewhere() {
    if !we_are_root() {
        return;
    }
    let folder = Folder::new();
    fs::set_permissions(folder.0.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let cluster = start(&folder).await;
    let home = fs::read_link(folder.path().join("pg")).unwrap();
    assert!(home.starts_with("/var/lib/markethall"), "{home:?}");
    leave_a_mark(&cluster).await;
    cluster.stop().await.unwrap();
    let again = start(&folder).await;
    assert!(mark_is_there(&again).await);
    again.stop().await.unwrap();
    fs::remove_dir_all(home).unwrap();
}

#[tokio::test]
async fn a_path_too_long_for_sockets_works() {
    let folder = Folder::new();
    let deep = folder.path().join("long".repeat(30));
    let cluster = Cluster::start(config(&deep, Profile::Test)).await.unwrap();
    let socket_dir = cluster.socket_dir().to_owned();
    assert!(!socket_dir.starts_with(&deep));
    assert_eq!(fs::metadata(&socket_dir).unwrap().permissions().mode() & 0o777, 0o700);
    leave_a_mark(&cluster).await;
    cluster.stop().await.unwrap();
    fs::remove_dir_all(socket_dir).unwrap();
}

#[tokio::test]
async fn settings_of_ones_own_work_but_cannot_give_up_durability() {
    let folder = Folder::new();
    let cluster = Cluster::start(config(&folder.path(), Profile::Production)).await.unwrap();
    cluster.stop().await.unwrap();
    fs::write(folder.path().join("pg/data/local.conf"), "work_mem = '7MB'\nfsync = off\n").unwrap();
    let cluster = Cluster::start(config(&folder.path(), Profile::Production)).await.unwrap();
    let client = admin(&cluster).await;
    assert_eq!(show(&client, "work_mem").await, "7MB");
    assert_eq!(show(&client, "fsync").await, "on");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_broken_setting_is_reported_in_postgres_words() {
    let folder = Folder::new();
    start(&folder).await.stop().await.unwrap();
    fs::write(folder.path().join("pg/data/local.conf"), "no_such_setting = 1\n").unwrap();
    let error = Cluster::start(config(&folder.path(), Profile::Test)).await.unwrap_err();
    assert!(matches!(error, ClusterError::Start(_)), "{error}");
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

/// Waits until somebody answers again, and how long that took.
async fn wait_until_back(cluster: &Cluster, from: Instant) -> Duration {
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    while from.elapsed() < Duration::from_secs(30) {
        tick.tick().await;
        if connect(&cluster.admin_config()).await.is_ok() {
            return from.elapsed();
        }
    }
    panic!("the database did not come back");
}

// RES-4
#[tokio::test]
async fn a_killed_postmaster_is_back_within_five_seconds_even_while_backends_are_busy() {
    let folder = Folder::new();
    let cluster = Cluster::start(config(&folder.path(), Profile::Production)).await.unwrap();
    cluster.supervise();
    leave_a_mark(&cluster).await;
    // A busy backend outlives its parent and holds the shared memory that the next start wants.
    let busy = admin(&cluster).await;
    let statement = "do $$ begin loop perform count(*) from generate_series(1, 100000); end loop; end $$";
    let busy = tokio::spawn(async move { busy.batch_execute(statement).await });
    let watcher = admin(&cluster).await;
    let active = "select count(*) from pg_stat_activity where query like 'do %' and state = 'active'";
    while watcher.query_one(active, &[]).await.unwrap().get::<_, i64>(0) == 0 {}
    let dead = cluster.pid().unwrap();

    let begun = Instant::now();
    send("-KILL", dead);
    let took = wait_until_back(&cluster, begun).await;
    println!("back after {took:?}");
    assert_ne!(cluster.pid(), Some(dead));
    assert!(mark_is_there(&cluster).await);
    assert!(busy.await.unwrap().is_err());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_backend_does_not_end_the_cluster() {
    let folder = Folder::new();
    let cluster = start(&folder).await;
    cluster.supervise();
    leave_a_mark(&cluster).await;
    let postmaster = cluster.pid();
    let client = admin(&cluster).await;
    let pid: i32 = client.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    send("-KILL", pid);
    while client.simple_query("select 1").await.is_ok() {}
    wait_until_back(&cluster, Instant::now()).await;
    assert_eq!(cluster.pid(), postmaster);
    assert!(mark_is_there(&cluster).await);
    cluster.stop().await.unwrap();
}

/// Another process with a cluster of its own on the same folder: this test program once more.
struct Helper {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Helper {
    fn begin(dir: &Path, user: Option<u32>) -> Self {
        // Not by name: a build going on beside may just be replacing the file.
        let mut command = Command::new("/proc/self/exe");
        command
            .args(["--exact", "cluster::helper_process", "--nocapture"])
            .env(HELPER_DIR, dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(user) = user {
            command.uid(user).gid(user).current_dir("/");
        }
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    /// The word that the helper says about how it found the cluster.
    fn origin(&mut self) -> String {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            if let Some((_, word)) = line.split_once("origin=") {
                return word.trim().to_owned();
            }
            line.clear();
        }
        panic!("the helper ended without a word");
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn end(mut self) {
        self.process.stdin.take().unwrap().write_all(b"end\n").unwrap();
        assert!(self.process.wait().unwrap().success());
    }
}

/// What the other process does: starts or joins, says so, waits for a word (or its end), stops. Without a folder given,
/// this process is not the other one.
#[tokio::test]
async fn helper_process() {
    let Some(dir) = std::env::var_os(HELPER_DIR) else {
        return;
    };
    let cluster = Cluster::start(config(Path::new(&dir), Profile::Test)).await.unwrap();
    println!("origin={:?}", cluster.origin());
    std::io::stdin().lines().next();
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_killed_process_left_running_is_taken_over_and_stopped_at_the_end() {
    let folder = Folder::new();
    let mut helper = Helper::begin(&folder.path(), None);
    assert_eq!(helper.origin(), "Created");
    helper.kill();
    let cluster = start(&folder).await;
    assert_eq!(cluster.origin(), Origin::Joined);
    leave_a_mark(&cluster).await;
    cluster.stop().await.unwrap();
    assert_eq!(cluster.pid(), None);
    assert_eq!(folder.pid(), None);
}

#[tokio::test]
async fn a_database_whose_processes_were_all_killed_starts_again_with_its_data() {
    let folder = Folder::new();
    let cluster = start(&folder).await;
    leave_a_mark(&cluster).await;
    send("-KILL", cluster.pid().unwrap());
    drop(cluster);
    let cluster = start(&folder).await;
    assert_eq!(cluster.origin(), Origin::Started);
    assert!(mark_is_there(&cluster).await);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn the_last_process_out_stops_the_database() {
    let folder = Folder::new();
    let cluster = start(&folder).await;
    let mut helper = Helper::begin(&folder.path(), None);
    assert_eq!(helper.origin(), "Joined");
    // The one that started it leaves first: the other goes on.
    let client = admin(&cluster).await;
    cluster.stop().await.unwrap();
    assert!(client.simple_query("select 1").await.is_ok());
    helper.end();
    assert_eq!(folder.pid(), None);
}

#[tokio::test]
async fn a_joined_process_brings_the_database_back_when_the_starter_is_gone() {
    let folder = Folder::new();
    let mut helper = Helper::begin(&folder.path(), None);
    assert_eq!(helper.origin(), "Created");
    let cluster = start(&folder).await;
    assert_eq!(cluster.origin(), Origin::Joined);
    cluster.supervise();
    helper.kill();
    send("-KILL", cluster.pid().unwrap());
    let took = wait_until_back(&cluster, Instant::now()).await;
    println!("back after {took:?}");
    cluster.stop().await.unwrap();
    assert_eq!(folder.pid(), None);
}

#[tokio::test]
async fn processes_that_start_at_the_same_moment_share_one_database() {
    let folder = Folder::new();
    let mut helpers: Vec<_> = (0..4).map(|_| Helper::begin(&folder.path(), None)).collect();
    let mut origins: Vec<_> = helpers.iter_mut().map(Helper::origin).collect();
    origins.sort();
    assert_eq!(origins, ["Created", "Joined", "Joined", "Joined"]);
    helpers.into_iter().for_each(Helper::end);
    assert_eq!(folder.pid(), None);
}

#[tokio::test]
async fn an_unprivileged_user_runs_it_as_itself() {
    if !we_are_root() {
        return;
    }
    let nobody = fs::metadata("/proc/self").map(|_| 65_534).unwrap();
    let folder = Folder::new();
    std::os::unix::fs::chown(folder.0.path(), Some(nobody), Some(nobody)).unwrap();
    let mut helper = Helper::begin(&folder.path(), Some(nobody));
    assert_eq!(helper.origin(), "Created");
    assert_eq!(fs::metadata(format!("/proc/{}", folder.pid().unwrap())).unwrap().uid(), nobody);
    // Root joins what a user started: the command line beside a running service.
    let joined = start(&folder).await;
    assert_eq!(joined.origin(), Origin::Joined);
    joined.stop().await.unwrap();
    helper.end();
    assert_eq!(folder.pid(), None);
}
