//! What runs beside requests: writing security events and the last uses of keys, handing in what tenants used, reading feature
//! flags again, telling metrics how the tenants are.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::task::JoinHandle;

use crate::Control;

/// Events are written this long after the first of them, many at once.
const GATHER: Duration = Duration::from_millis(200);
/// After a failure, or when nothing happens.
const PAUSE: Duration = Duration::from_secs(10);
/// How often what tenants used is handed in; twice in the time that a crash may lose.
const HAND_IN: Duration = Duration::from_secs(5);
/// How often metrics are told how the tenants are.
const REPORT: Duration = Duration::from_secs(60);

/// The tasks, while they run.
#[derive(Debug, Default)]
pub(crate) struct Background(Mutex<Vec<JoinHandle<()>>>);

impl Background {
    /// Ends those that run, and keeps those that run from now on.
    fn replace(&self, tasks: Vec<JoinHandle<()>>) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *running, tasks).iter().for_each(JoinHandle::abort);
    }
}

impl Control {
    /// Begins writing what is noted in memory, and reading what must not grow old, until [`Control::stop`].
    pub fn start(&self) {
        self.background().replace(vec![
            tokio::spawn(self.clone().keep_writing()),
            tokio::spawn(self.clone().keep_flags_fresh()),
            tokio::spawn(self.clone().keep_reporting()),
            tokio::spawn(self.clone().keep_handing_in()),
        ]);
    }

    async fn keep_writing(self) {
        loop {
            let event = tokio::time::timeout(PAUSE, self.log().arrived()).await.is_ok();
            if event {
                tokio::time::sleep(GATHER).await;
            }
            self.report_metrics();
            if self.flush().await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn keep_handing_in(self) {
        let mut turns = tokio::time::interval(HAND_IN);
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            if let Err(error) = self.flush_usage().await {
                tracing::debug!(%error, "what tenants used cannot be handed in yet");
            }
        }
    }

    async fn keep_reporting(self) {
        let mut turns = tokio::time::interval(REPORT);
        loop {
            turns.tick().await;
            if let Err(error) = self.report_tenants().await {
                tracing::debug!(%error, "metrics cannot be told how the tenants are");
            }
        }
    }

    /// Stops writing, after writing what there is.
    pub async fn stop(&self) {
        self.background().replace(Vec::new());
        if let Err(error) = self.flush().await {
            tracing::warn!(%error, "security events, uses of keys or what tenants used were not written");
        }
    }

    /// Writes security events, uses of keys and what tenants used, as far as noted.
    ///
    /// # Errors
    /// [`db::DbError`] when the control database fails.
    pub async fn flush(&self) -> Result<(), db::DbError> {
        self.flush_security_events().await?;
        self.flush_key_uses().await?;
        self.flush_usage().await
    }
}
