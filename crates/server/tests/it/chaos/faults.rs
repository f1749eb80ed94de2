//! What happens to whom, and what may be seen of it.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{
    load::{Event, Seen},
    site::{FAR, Site},
};
use crate::{outage::children_of, support::wait_for};

/// One kind of harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    FirstProcessKilled,
    SecondProcessKilled,
    ControlAndFirstShardKilled,
    SecondShardKilled,
    SecondShardHangs,
    ConnectionsReset,
    RedisKilled,
    RedisHangs,
    NatsKilled,
    NatsHangs,
    SpoolDiskFull,
}

impl Fault {
    pub const ALL: [Self; 11] = [
        Self::FirstProcessKilled,
        Self::SecondProcessKilled,
        Self::ControlAndFirstShardKilled,
        Self::SecondShardKilled,
        Self::SecondShardHangs,
        Self::ConnectionsReset,
        Self::RedisKilled,
        Self::RedisHangs,
        Self::NatsKilled,
        Self::NatsHangs,
        Self::SpoolDiskFull,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::FirstProcessKilled => "first process: kill -9",
            Self::SecondProcessKilled => "second process: kill -9",
            Self::ControlAndFirstShardKilled => "first shard with control database: kill -9",
            Self::SecondShardKilled => "second shard: kill -9, away",
            Self::SecondShardHangs => "second shard: hangs",
            Self::ConnectionsReset => "all connections to the second shard: reset",
            Self::RedisKilled => "Redis: kill -9, away",
            Self::RedisHangs => "Redis: hangs",
            Self::NatsKilled => "NATS: kill -9, away",
            Self::NatsHangs => "NATS: hangs",
            Self::SpoolDiskFull => "second shard away while the spool's disk is full",
        }
    }

    /// Does it, for `lasts` where it does not heal by itself, and puts right what an operator would.
    pub async fn strike(self, site: &mut Site, lasts: Duration) {
        match self {
            Self::FirstProcessKilled => restart(site, 0),
            Self::SecondProcessKilled => restart(site, 1),
            Self::ControlAndFirstShardKilled => {
                let postmaster = site.home.postmaster().unwrap();
                signal(postmaster, Signal::SIGKILL);
                // The program itself starts it again.
                wait_for("the first shard", Duration::from_secs(30), || {
                    site.home.postmaster().filter(|pid| *pid != postmaster)
                });
            }
            Self::SecondShardKilled => {
                signal(site.far.as_ref().unwrap().pid().unwrap(), Signal::SIGKILL);
                pause(lasts).await;
                site.start_far().await;
            }
            Self::SecondShardHangs => {
                let postmaster = site.far.as_ref().unwrap().pid().unwrap();
                let all: Vec<i32> = children_of(postmaster).into_iter().chain([postmaster]).collect();
                all.iter().for_each(|pid| signal(*pid, Signal::SIGSTOP));
                pause(lasts).await;
                all.iter().for_each(|pid| signal(*pid, Signal::SIGCONT));
            }
            Self::ConnectionsReset => {
                let postmaster = site.far.as_ref().unwrap().pid().unwrap();
                children_of(postmaster).into_iter().for_each(|pid| signal(pid, Signal::SIGTERM));
            }
            Self::RedisKilled => {
                site.redis.kill();
                pause(lasts).await;
                site.redis.restart().unwrap();
            }
            Self::RedisHangs => {
                site.redis.freeze().unwrap();
                pause(lasts).await;
                site.redis.thaw().unwrap();
            }
            Self::NatsKilled => {
                site.nats.kill();
                pause(lasts).await;
                site.nats.restart().unwrap();
            }
            Self::NatsHangs => {
                site.nats.freeze().unwrap();
                pause(lasts).await;
                site.nats.thaw().unwrap();
            }
            Self::SpoolDiskFull => spool_disk_full(site, lasts).await,
        }
    }

    /// Whom it may be felt by: Redis and NATS by nobody, the second shard by its own merchants alone.
    pub fn judge(self, seen: &Seen, begun: Instant, restored: Instant) {
        let failed = |event: &&Event| event.status >= 500 || event.status == 0;
        let felt: Vec<&Event> = seen.events.iter().filter(failed).collect();
        match self {
            Self::RedisKilled | Self::RedisHangs | Self::NatsKilled | Self::NatsHangs => {
                assert!(felt.is_empty(), "{self:?} is felt: {felt:?}");
            }
            Self::SecondShardKilled
            | Self::SecondShardHangs
            | Self::ConnectionsReset
            | Self::SpoolDiskFull => {
                let others: Vec<_> = felt.iter().filter(|event| event.slug != FAR).collect();
                assert!(others.is_empty(), "{self:?} is felt by others: {others:?}");
                assert!(felt.iter().all(|event| event.status == 503), "{felt:?}");
            }
            Self::ControlAndFirstShardKilled => {
                let sold = || seen.events.iter().filter(|it| it.writes && it.status == 201 && it.at > begun);
                let back = sold().filter(|it| it.slug != FAR && it.at > restored).map(|it| it.at).min();
                let before = |it: &&Event| back.is_none_or(|back| it.at < back);
                let meanwhile = sold().filter(|it| it.slug == FAR).filter(before).count();
                assert!(meanwhile > 0, "the other shard's tills stood still");
                assert!(felt.iter().all(|event| event.status == 503), "{felt:?}");
            }
            Self::FirstProcessKilled | Self::SecondProcessKilled => {
                let killed = usize::from(self == Self::SecondProcessKilled);
                let other: Vec<_> = felt.iter().filter(|event| event.server != killed).collect();
                assert!(other.is_empty(), "the other process fails too: {other:?}");
            }
        }
    }
}

fn signal(pid: i32, signal: Signal) {
    // It may have ended in between.
    let _ = kill(Pid::from_raw(pid), signal);
}

fn restart(site: &mut Site, number: usize) {
    site.servers[number].take().unwrap().kill();
    site.start_server(number);
}

async fn pause(lasts: Duration) {
    let mut ticks = tokio::time::interval(lasts);
    ticks.tick().await;
    ticks.tick().await;
}

/// A disk of 64 KiB where the spool is, and a database away, so that it is needed.
async fn spool_disk_full(site: &mut Site, lasts: Duration) {
    let spool = site.home.path().join("audit-spool");
    std::fs::create_dir_all(&spool).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&spool).status();
    let mounted = mounted.is_ok_and(|status| status.success());
    if !mounted {
        println!("chaos: no right to mount a small disk here; the spool's disk is not full");
    }
    signal(site.far.as_ref().unwrap().pid().unwrap(), Signal::SIGKILL);
    pause(lasts).await;
    site.start_far().await;
    if mounted {
        // Lazily: the processes may have files open there.
        let unmounted = Command::new("umount").arg("--lazy").arg(&spool).status().unwrap();
        assert!(unmounted.success());
    }
}
