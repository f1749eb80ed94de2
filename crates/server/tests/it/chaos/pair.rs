//! The second shard: a PostgreSQL, and for a while another one that follows it and takes its place.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::PathBuf,
    time::Duration,
};

use db::cluster::{ADMIN_ROLE, Cluster, ClusterConfig, Profile};
use testkit::connect;
use tokio_postgres::Client;

use super::faults::{end, pause};
use crate::{outage::children_of, support::Home};

/// What a primary needs besides the settings of tests.
const REPLICATION: &str = "wal_level = replica\nmax_wal_senders = 4\n";
/// How often it is looked whether something has come about, and for how long.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: usize = 1500;

/// Two places for a PostgreSQL, one of them in use.
pub struct Pair {
    homes: [Home; 2],
    primary: usize,
    cluster: Option<Cluster>,
}

impl Pair {
    pub async fn open() -> Self {
        let homes = [Home::empty(), Home::empty()];
        start(&homes[0]).await.stop().await.unwrap();
        fs::write(homes[0].path().join("pg/data/local.conf"), REPLICATION).unwrap();
        let pair = Self { cluster: Some(start(&homes[0]).await), homes, primary: 0 };
        assert_eq!(pair.cluster().socket_dir(), pair.socket_dirs()[0], "its path is too long");
        pair
    }

    fn cluster(&self) -> &Cluster {
        self.cluster.as_ref().unwrap()
    }

    pub fn postmaster(&self) -> i32 {
        self.cluster().pid().unwrap()
    }

    pub fn password(&self) -> String {
        let config = self.cluster().admin_config();
        String::from_utf8_lossy(config.get_password().unwrap()).into_owned()
    }

    /// The folders of both sockets, whether anybody listens there or not.
    pub fn socket_dirs(&self) -> [PathBuf; 2] {
        self.homes.each_ref().map(|home| home.path().join("pg/run"))
    }

    /// Has it back after it died.
    pub async fn start(&mut self) {
        self.cluster = None;
        self.cluster = Some(start(&self.homes[self.primary]).await);
    }

    /// The other place follows this one, which acknowledges nothing from then on before both have it.
    pub async fn follow(&self) -> Cluster {
        let (from, to) = (&self.homes[self.primary], &self.homes[1 - self.primary]);
        let owner = fs::metadata(from.path().join("pg/data")).unwrap();
        let home = to.path().join("pg");
        let _ = fs::remove_dir_all(&home);
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        chown(&home, Some(owner.uid()), Some(owner.gid())).unwrap();
        fs::copy(from.path().join("pg.secrets"), to.path().join("pg.secrets")).unwrap();
        let mut copy = tokio::process::Command::new(self.cluster().bin_dir().join("pg_basebackup"));
        copy.arg("--host").arg(self.cluster().socket_dir()).args([
            "--port",
            "5432",
            "--username",
            ADMIN_ROLE,
        ]);
        copy.args([
            "--write-recovery-conf",
            "--wal-method=stream",
            "--checkpoint=fast",
            "--no-sync",
            "--pgdata",
        ]);
        copy.arg(home.join("data")).env("PGPASSWORD", self.password()).current_dir("/");
        // Where we are not root it is ours already.
        if fs::metadata("/proc/self").unwrap().uid() != owner.uid() {
            copy.uid(owner.uid()).gid(owner.gid());
        }
        let copied = copy.output().await.unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        let standby = start(to).await;
        let primary = connect(&self.cluster().admin_config()).await.unwrap();
        primary.batch_execute("alter system set synchronous_standby_names = '*'").await.unwrap();
        primary.batch_execute("select pg_reload_conf()").await.unwrap();
        until(&primary, "select exists (select from pg_stat_replication where sync_state = 'sync')").await;
        standby
    }

    /// The primary dies; after `lasts` the one that followed takes its place, and nothing is left of the dead one.
    pub async fn fail_over(&mut self, lasts: Duration) {
        let standby = self.follow().await;
        let postmaster = self.postmaster();
        children_of(postmaster).into_iter().chain([postmaster]).for_each(end);
        pause(lasts).await;
        let heir = connect(&standby.admin_config()).await.unwrap();
        until(&heir, "select pg_promote(wait_seconds => 30)").await;
        self.cluster = Some(standby);
        self.primary = 1 - self.primary;
    }

    pub async fn close(self) {
        self.cluster().stop().await.unwrap();
    }
}

async fn start(home: &Home) -> Cluster {
    let config = ClusterConfig { data_dir: home.path().to_owned(), bin_dir: None, profile: Profile::Test };
    Cluster::start(config).await.unwrap()
}

/// Asks until the answer is yes.
async fn until(client: &Client, question: &'static str) {
    let mut ticks = tokio::time::interval(LOOK);
    for _ in 0..LOOKS {
        ticks.tick().await;
        if client.query_one(question, &[]).await.unwrap().get(0) {
            return;
        }
    }
    panic!("not within {:?}: {question}", LOOK * u32::try_from(LOOKS).unwrap());
}
