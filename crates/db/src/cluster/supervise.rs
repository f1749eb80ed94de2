//! Keeps PostgreSQL running: an idle connection notices its end at once, then it is started again.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{Cluster, Inner, run};

/// The longest pause between attempts; recovery is to take under 5 s from when it becomes possible (RES-4).
const PAUSE_MAX: Duration = Duration::from_secs(2);
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// Watches in the background, once per cluster.
pub(super) fn begin(inner: &Arc<Inner>) {
    let Ok(mut supervisor) = inner.supervisor.lock() else {
        return;
    };
    if supervisor.is_some() {
        return;
    }
    let cancel = CancellationToken::new();
    *supervisor = Some(cancel.clone());
    let cluster = Cluster(inner.clone());
    tokio::spawn(async move {
        cancel.run_until_cancelled(watch(cluster)).await;
    });
}

/// Stops watching.
pub(super) fn end(inner: &Inner) {
    if let Some(cancel) = inner.supervisor.lock().ok().and_then(|mut supervisor| supervisor.take()) {
        cancel.cancel();
    }
}

async fn watch(cluster: Cluster) {
    let mut pause = PAUSE_MIN;
    loop {
        if let Ok((client, connection)) = cluster.admin_config().open().await {
            pause = PAUSE_MIN;
            // The connection's future ends when the server goes away; nothing is ever asked on it.
            let end = connection.await;
            drop(client);
            tracing::warn!(reason = ?end.err().map(|error| error.to_string()), "the database closed its connection");
        }
        match run::recover(&cluster.0).await {
            Ok(true) => tracing::warn!("PostgreSQL had died and has been started again"),
            Ok(false) => tracing::debug!("PostgreSQL is running"),
            Err(error) => {
                tracing::error!(%error, pause_ms = pause.as_millis(), "PostgreSQL cannot be started; trying again");
            }
        }
        // Also paces the case that connecting works and fails by turns.
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
