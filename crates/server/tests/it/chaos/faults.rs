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

/// How wrong a clock goes, both ways: an hour is longer than tokens, holds on stock and leases last.
const CLOCK_OFF_SECONDS: i64 = 3600;

/// One kind of harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    FirstProcessKilled,
    SecondProcessKilled,
    ControlAndFirstShardKilled,
    SecondShardKilled,
    SecondShardHangs,
    SecondShardFailsOver,
    ConnectionsReset,
    SlowNetwork,
    RedisKilled,
    RedisHangs,
    NatsKilled,
    NatsHangs,
    SpoolDiskFull,
    ClockJumps,
}

impl Fault {
    pub const ALL: [Self; 14] = [
        Self::FirstProcessKilled,
        Self::SecondProcessKilled,
        Self::ControlAndFirstShardKilled,
        Self::SecondShardKilled,
        Self::SecondShardHangs,
        Self::SecondShardFailsOver,
        Self::ConnectionsReset,
        Self::SlowNetwork,
        Self::RedisKilled,
        Self::RedisHangs,
        Self::NatsKilled,
        Self::NatsHangs,
        Self::SpoolDiskFull,
        Self::ClockJumps,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::FirstProcessKilled => "first process: kill -9",
            Self::SecondProcessKilled => "second process: kill -9",
            Self::ControlAndFirstShardKilled => "first shard with control database: kill -9",
            Self::SecondShardKilled => "second shard: kill -9, away",
            Self::SecondShardHangs => "second shard: hangs",
            Self::SecondShardFailsOver => "second shard: kill -9, its standby takes over",
            Self::ConnectionsReset => "all connections to the second shard: reset",
            Self::SlowNetwork => "network to second shard, Redis and NATS: 60 to 100 ms each way, 10 % lost",
            Self::RedisKilled => "Redis: kill -9, away",
            Self::RedisHangs => "Redis: hangs",
            Self::NatsKilled => "NATS: kill -9, away",
            Self::NatsHangs => "NATS: hangs",
            Self::SpoolDiskFull => "second shard away while the spool's disk is full",
            Self::ClockJumps => "second process: clock an hour ahead, then an hour behind",
        }
    }

    /// Why this machine cannot have it; none where it can.
    pub fn hindrance(self, site: &Site) -> Option<String> {
        match self {
            Self::SlowNetwork => site.link.as_ref().err().cloned(),
            Self::ClockJumps if site.clock.is_none() => Some("libfaketime is missing".to_owned()),
            _ => None,
        }
    }

    /// Whether a caller may be turned away meanwhile by a process whose clock is wrong: tokens seem to have expired, and
    /// holds on stock are given back early.
    pub fn may_turn_away(self) -> bool {
        self == Self::ClockJumps
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
                end(site.far.postmaster());
                pause(lasts).await;
                site.far.start().await;
            }
            Self::SecondShardFailsOver => site.far.fail_over(lasts).await,
            Self::SecondShardHangs => {
                let postmaster = site.far.postmaster();
                let all: Vec<i32> = children_of(postmaster).into_iter().chain([postmaster]).collect();
                all.iter().for_each(|pid| signal(*pid, Signal::SIGSTOP));
                pause(lasts).await;
                all.iter().for_each(|pid| signal(*pid, Signal::SIGCONT));
            }
            Self::ConnectionsReset if site.link.is_ok() => site.reset_far(),
            Self::ConnectionsReset => {
                let postmaster = site.far.postmaster();
                children_of(postmaster).into_iter().for_each(|pid| signal(pid, Signal::SIGTERM));
            }
            Self::SlowNetwork => {
                let link = site.link.as_ref().unwrap_or_else(|why| panic!("{why}"));
                link.spoil();
                pause(3 * lasts).await;
                let (delayed, lost) = link.mend();
                assert!(delayed > 0 && lost > 0, "{delayed} packets late, {lost} lost");
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
            Self::ClockJumps => {
                for (seconds, told) in
                    [(CLOCK_OFF_SECONDS, "TOKEN_EXPIRED"), (-CLOCK_OFF_SECONDS, "UNAUTHENTICATED")]
                {
                    site.set_clock(seconds, told).await;
                    pause(lasts).await;
                }
                site.set_clock(0, "").await;
            }
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
            Self::ClockJumps => {
                // An hour ago this installation had no key to sign tokens with.
                let orderly = |event: &&Event| event.server == 1 && event.status == 503;
                assert!(felt.iter().all(orderly), "{self:?} is felt: {felt:?}");
            }
            Self::SecondShardKilled
            | Self::SecondShardHangs
            | Self::SecondShardFailsOver
            | Self::ConnectionsReset
            | Self::SlowNetwork
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

/// kill -9.
pub(super) fn end(pid: i32) {
    signal(pid, Signal::SIGKILL);
}

pub(super) async fn pause(lasts: Duration) {
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
    end(site.far.postmaster());
    pause(lasts).await;
    site.far.start().await;
    if mounted {
        // Lazily: the processes may have files open there.
        let unmounted = Command::new("umount").arg("--lazy").arg(&spool).status().unwrap();
        assert!(unmounted.success());
    }
}
