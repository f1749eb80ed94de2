//! What runs beside requests: writing security events and the last uses of keys, reading feature flags again.

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

/// The task, while it runs.
#[derive(Debug, Default)]
pub(crate) struct Background(Mutex<Option<JoinHandle<()>>>);

impl Background {
    fn replace(&self, task: Option<JoinHandle<()>>) -> Option<JoinHandle<()>> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), task)
    }
}

impl Control {
    /// Begins writing what is noted in memory, and reading what must not grow old, until [`Control::stop`].
    pub fn start(&self) {
        self.keep_flags_fresh();
        let control = self.clone();
        let task = tokio::spawn(async move {
            loop {
                let event = tokio::time::timeout(PAUSE, control.log().arrived()).await.is_ok();
                if event {
                    tokio::time::sleep(GATHER).await;
                }
                control.report_metrics();
                if control.flush().await.is_err() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        });
        if let Some(before) = self.background().replace(Some(task)) {
            before.abort();
        }
    }

    /// Stops writing, after writing what there is.
    pub async fn stop(&self) {
        self.stop_flags();
        if let Some(task) = self.background().replace(None) {
            task.abort();
        }
        if let Err(error) = self.flush().await {
            tracing::warn!(%error, "security events were not written");
        }
    }

    /// Writes security events and uses of keys noted so far.
    ///
    /// # Errors
    /// [`db::DbError`] when the control database fails.
    pub async fn flush(&self) -> Result<(), db::DbError> {
        self.flush_security_events().await?;
        self.flush_key_uses().await
    }
}
