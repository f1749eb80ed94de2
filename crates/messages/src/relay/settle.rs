//! What becomes of a message after an attempt: gone, tried again, or a dead letter.

use std::time::Duration;

use db::DbError;
use tokio::time::Instant;

use super::{
    deliver::{Finished, Outcome},
    lanes::{LaneKey, Pending},
    leader::Leader,
};
use crate::{ConsumerError, DeadLetterId};

/// Tries in a row that may pass uncounted as the database's fault; its own session works, so then it is the handler's.
const HICCUPS_MAX: u32 = 6;
/// Characters kept of an error.
const ERROR_MAX: usize = 2000;

impl Leader<'_> {
    pub(super) async fn settle(&mut self, finished: Finished) -> Result<(), DbError> {
        let Finished { key, pending, outcome } = finished;
        let now = self.env.clock.now();
        match outcome {
            Outcome::Done => {
                self.handled += 1;
                count(&key, "done");
                self.lanes.finish(key, now);
                Ok(())
            }
            Outcome::Lost => {
                self.hiccup(key);
                Ok(())
            }
            Outcome::Failed(ConsumerError::Poison(error)) => self.bury(key, pending, &error).await,
            Outcome::Failed(ConsumerError::Unavailable(error)) if self.lanes.hiccups(&key) < HICCUPS_MAX => {
                tracing::debug!(consumer = key.consumer, message.id = %pending.message.id, error, "not tried");
                self.hiccup(key);
                Ok(())
            }
            Outcome::Failed(ConsumerError::Failed(error) | ConsumerError::Unavailable(error)) => {
                self.retry(key, pending, &error).await
            }
        }
    }

    /// Looks at the lane again after a short pause, which counts for nothing.
    fn hiccup(&mut self, key: LaneKey) {
        let pause = Duration::from_millis(5).saturating_mul(4_u32.saturating_pow(self.lanes.hiccups(&key)));
        self.load_after = Instant::now() + pause.min(Duration::from_secs(1));
        count(&key, "hiccup");
        self.lanes.wait(key, self.env.clock.now(), true);
    }

    async fn retry(&mut self, key: LaneKey, pending: Pending, error: &str) -> Result<(), DbError> {
        let failures = pending.attempts.saturating_add(1);
        let next = self.env.config.retry.next_attempt(failures, self.env.clock.now(), rand::random());
        let Some(next) = next else { return self.bury(key, pending, error).await };
        let message = &pending.message;
        tracing::warn!(
            consumer = key.consumer, message.id = %message.id, message.kind = %message.kind, failures, error,
            "a message was not handled"
        );
        let counted = i32::try_from(failures).unwrap_or(i32::MAX);
        let row: &[&(dyn db::types::ToSql + Sync)] =
            &[&key.tenant, &key.consumer, &&*key.subject, &message.seq, &counted, &next, &clip(error)];
        self.conn.query(include_str!("retry.sql"), row).await?;
        count(&key, "failed");
        self.lanes.wait(key, next, false);
        Ok(())
    }

    async fn bury(&mut self, key: LaneKey, pending: Pending, error: &str) -> Result<(), DbError> {
        let (message, id) = (&pending.message, DeadLetterId::new());
        let tries = i32::try_from(pending.attempts.saturating_add(1)).unwrap_or(i32::MAX);
        tracing::error!(
            consumer = key.consumer, message.id = %message.id, message.kind = %message.kind, dead_letter.id = %id,
            tries, error, "a message was given up"
        );
        let now = self.env.clock.now();
        let row: &[&(dyn db::types::ToSql + Sync)] =
            &[&key.tenant, &key.consumer, &&*key.subject, &message.seq, &id, &tries, &clip(error), &now];
        self.conn.query(include_str!("bury.sql"), row).await?;
        count(&key, "dead");
        self.lanes.finish(key, now);
        Ok(())
    }
}

fn count(key: &LaneKey, outcome: &'static str) {
    metrics::counter!("messages_handled_total", "consumer" => key.consumer, "outcome" => outcome)
        .increment(1);
}

/// The beginning of an error, without the zero bytes that PostgreSQL cannot store.
pub(crate) fn clip(error: &str) -> String {
    error.chars().filter(|letter| *letter != '\0').take(ERROR_MAX).collect()
}
