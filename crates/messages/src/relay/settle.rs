//! What becomes of a message after an attempt: gone, tried again, or a dead letter.

use std::time::Duration;

use db::{DbError, RelayConn};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    config::Env,
    deliver::{Finished, Outcome},
    lanes::{LaneKey, Pending},
    leader::Leader,
    windows::Window,
};
use crate::{ConsumerError, DeadLetterId};

/// Tries in a row that may pass uncounted as the database's fault; its own session works, so then it is the handler's.
pub(crate) const HICCUPS_MAX: u32 = 6;
const HANDLED: &str = "markethall_messages_handled_total";
/// Characters kept of an error.
const ERROR_MAX: usize = 2000;

/// What an attempt left in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum End {
    /// Nothing: it is handled.
    Done,
    /// A dead letter.
    Dead,
    /// The delivery, to be tried again then.
    Waits(Timestamp),
    /// Nobody knows without looking.
    Look,
}

impl Leader<'_> {
    pub(super) async fn settle(&mut self, finished: Finished) -> Result<(), DbError> {
        let Finished { key, pending, outcome } = finished;
        let end = match outcome {
            Outcome::Ended(end) => end,
            Outcome::Done => {
                count(&key, "done");
                End::Done
            }
            Outcome::Gone | Outcome::Behind => End::Look,
            Outcome::Unanswered => {
                self.lanes.wait(key, self.env.clock.now(), true);
                return Ok(());
            }
            Outcome::Failed(ConsumerError::Unavailable(error)) if self.lanes.hiccups(&key) < HICCUPS_MAX => {
                tracing::debug!(consumer = key.consumer, message.id = %pending.message.id, error, "not tried");
                End::Look
            }
            Outcome::Failed(error) => failed(self.env, self.conn, &key, &pending, error).await?,
        };
        self.go_on(key, end);
        Ok(())
    }

    fn go_on(&mut self, key: LaneKey, end: End) {
        let now = self.env.clock.now();
        match end {
            End::Done => {
                self.handled += 1;
                self.lanes.finish(key, now);
            }
            End::Dead => self.lanes.finish(key, now),
            End::Waits(due) => self.lanes.wait(key, due, false),
            End::Look => {
                self.load_after = Instant::now() + hiccup_pause(self.lanes.hiccups(&key));
                count(&key, "hiccup");
                self.lanes.wait(key, now, true);
            }
        }
    }
}

/// How long it is waited after `hiccups` in a row; they count for nothing.
pub(crate) fn hiccup_pause(hiccups: u32) -> Duration {
    Duration::from_millis(5).saturating_mul(4_u32.saturating_pow(hiccups)).min(Duration::from_secs(1))
}

/// Puts a failed attempt on record: another try later, or a dead letter.
pub(crate) async fn failed(
    env: &Env,
    conn: &RelayConn,
    key: &LaneKey,
    pending: &Pending,
    error: ConsumerError,
) -> Result<End, DbError> {
    env.config.windows.at(Window::Failing);
    let failures = pending.attempts.saturating_add(1);
    let next = match &error {
        ConsumerError::Poison(_) => None,
        _ => env.config.retry.next_attempt(failures, env.clock.now(), rand::random()),
    };
    let error = error.to_string();
    let end = match next {
        Some(next) => retry(conn, key, pending, next, &error).await,
        None => bury(env, conn, key, pending, &error).await,
    }?;
    env.config.windows.at(Window::Failed);
    Ok(end)
}

async fn retry(
    conn: &RelayConn,
    key: &LaneKey,
    pending: &Pending,
    next: Timestamp,
    error: &str,
) -> Result<End, DbError> {
    let (message, failures) = (&pending.message, pending.attempts.saturating_add(1));
    tracing::warn!(
        consumer = key.consumer, message.id = %message.id, message.kind = %message.kind, failures, error,
        "a message was not handled"
    );
    let counted = i32::try_from(failures).unwrap_or(i32::MAX);
    let row: &[&(dyn db::types::ToSql + Sync)] =
        &[&key.tenant, &key.consumer, &&*key.subject, &message.seq, &counted, &next, &clip(error)];
    let written = conn.query(include_str!("retry.sql"), row).await?;
    count(key, "failed");
    Ok(if written.is_empty() { End::Look } else { End::Waits(next) })
}

async fn bury(
    env: &Env,
    conn: &RelayConn,
    key: &LaneKey,
    pending: &Pending,
    error: &str,
) -> Result<End, DbError> {
    let (message, id) = (&pending.message, DeadLetterId::new());
    let tries = i32::try_from(pending.attempts.saturating_add(1)).unwrap_or(i32::MAX);
    tracing::error!(
        consumer = key.consumer, message.id = %message.id, message.kind = %message.kind, dead_letter.id = %id,
        tries, error, "a message was given up"
    );
    let now = env.clock.now();
    let row: &[&(dyn db::types::ToSql + Sync)] =
        &[&key.tenant, &key.consumer, &&*key.subject, &message.seq, &id, &tries, &clip(error), &now];
    let written = conn.query(include_str!("bury.sql"), row).await?;
    count(key, "dead");
    Ok(if written.is_empty() { End::Look } else { End::Dead })
}

pub(crate) fn count(key: &LaneKey, outcome: &'static str) {
    handled(key.consumer, outcome).increment(1);
}

/// Makes the counters of `consumer`, with zero: alerts need a beginning.
pub(super) fn register_metrics(consumer: &'static str) {
    metrics::describe_counter!(HANDLED, "Deliveries that ended, by consumer and how.");
    for outcome in ["done", "failed", "dead", "hiccup"] {
        handled(consumer, outcome).increment(0);
    }
}

fn handled(consumer: &'static str, outcome: &'static str) -> metrics::Counter {
    metrics::counter!(HANDLED, "consumer" => consumer, "outcome" => outcome)
}

/// The beginning of an error, without the zero bytes that PostgreSQL cannot store.
pub(crate) fn clip(error: &str) -> String {
    error.chars().filter(|letter| *letter != '\0').take(ERROR_MAX).collect()
}
