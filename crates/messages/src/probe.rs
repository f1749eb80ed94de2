//! Measures the relay: how long after a commit its handler begins.

use std::time::{Duration, Instant};

use db::{Db, DbError};
use kernel::Ctx;
use tokio::sync::mpsc;

use crate::{Consumer, Draft, publish};

/// How long a measurement waits for one message.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// Publishes messages of its own type one by one and hears when their handler begins. For `make bench`: give the
/// consumer to the relay that is measured, which must run in this process.
#[derive(Debug)]
pub struct LatencyProbe {
    heard: mpsc::UnboundedReceiver<Instant>,
}

impl LatencyProbe {
    /// The probe, and the consumer that belongs to it.
    #[must_use]
    pub fn new() -> (Self, Consumer) {
        let (told, heard) = mpsc::unbounded_channel();
        let consumer = Consumer::new("messages.latency_probe", &["LatencyProbed"], move |_, _, _| {
            // Fails only when nobody measures any more.
            let _ = told.send(Instant::now());
            Box::pin(async { Ok(()) })
        });
        (Self { heard }, consumer)
    }

    /// Publishes `count` messages as `ctx`, each after the one before was handled; returns the times from commit to
    /// handler, shortest first.
    ///
    /// # Errors
    /// Any [`DbError`], also when a message does not arrive in 10 s.
    pub async fn measure(&mut self, db: &Db, ctx: &Ctx, count: usize) -> Result<Vec<Duration>, DbError> {
        let mut times = Vec::with_capacity(count);
        for n in 0..count {
            let tx = db.begin(ctx).await?;
            publish(&tx, &[Draft::new("LatencyProbed", format_args!("probe-{n}"), &n)]).await?;
            tx.commit().await?;
            let committed = Instant::now();
            let began = tokio::time::timeout(LOST_AFTER, self.heard.recv()).await;
            let began = began.ok().flatten();
            let began = began.ok_or_else(|| DbError::Other("the relay does not deliver".to_owned()))?;
            times.push(began.saturating_duration_since(committed));
        }
        times.sort_unstable();
        Ok(times)
    }
}
