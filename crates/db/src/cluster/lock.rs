//! Turns and membership: who may start or stop PostgreSQL now, and who uses it.
//!
//! Both are locks on open files: the system frees them when a process dies, however it dies.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::ClusterError;

/// How long one start may keep the next one waiting; recovery after a crash replays at most 4 GB of log.
const PATIENCE: Duration = Duration::from_secs(320);

/// The exclusive right to start or stop PostgreSQL on a data directory, until dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _file: File,
}

impl Turn {
    /// Waits for the turn.
    pub(super) async fn take(path: &Path) -> Result<Self, ClusterError> {
        let file = open(path)?;
        let deadline = Instant::now() + PATIENCE;
        let mut tick = interval(Duration::from_millis(20));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(error)) => {
                    return Err(ClusterError::file("cannot lock", path)(error));
                }
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(ClusterError::Locked(path.to_owned()));
                }
                Err(TryLockError::WouldBlock) => {}
            }
        }
    }
}

/// One process' use of the cluster. Taken and left only with the [`Turn`] in hand.
#[derive(Debug)]
pub(super) struct Membership {
    file: File,
}

impl Membership {
    pub(super) fn join(path: &Path) -> Result<Self, ClusterError> {
        let file = open(path)?;
        file.lock_shared().map_err(ClusterError::file("cannot lock", path))?;
        Ok(Self { file })
    }

    /// Ends the use; true when nobody else is left.
    pub(super) fn leave(self, path: &Path) -> Result<bool, ClusterError> {
        self.file.unlock().map_err(ClusterError::file("cannot unlock", path))?;
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(ClusterError::file("cannot lock", path)(error)),
        }
    }
}

fn open(path: &Path) -> Result<File, ClusterError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(ClusterError::file("cannot open", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_last_member_out_may_stop_the_cluster() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users");
        let first = Membership::join(&path).unwrap();
        let second = Membership::join(&path).unwrap();
        assert!(!first.leave(&path).unwrap());
        assert!(second.leave(&path).unwrap());
    }

    #[tokio::test]
    async fn turns_come_one_after_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Turn::take(&path).await.unwrap();
        let next = tokio::spawn(async move { Turn::take(&path).await.map(drop) });
        tokio::task::yield_now().await;
        assert!(!next.is_finished());
        drop(first);
        next.await.unwrap().unwrap();
    }
}
