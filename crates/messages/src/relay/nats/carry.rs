//! The leader's side: gives a delivery to NATS and waits to be told how it ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream::context::PublishErrorKind;
use futures::StreamExt as _;
use kernel::Placement;
use serde::{Deserialize, Serialize};
use tokio::{sync::oneshot, time::sleep};
use tokio_util::task::AbortOnDropHandle;

use super::{Nats, NatsError, parcel};
use crate::{
    ConsumerError,
    relay::{
        config::Env,
        deliver::{Finished, Outcome},
        lanes::{LaneKey, Pending},
        settle::End,
        windows::Window,
    },
    spans,
};

/// How long it is waited for a delivery's end before the table is looked at; doubled each time in a row.
const PATIENCE: Duration = Duration::from_secs(1);
const PATIENCE_MAX: Duration = Duration::from_secs(10);
/// The pause after a delivery that NATS did not take.
const REFUSED_PAUSE: Duration = Duration::from_millis(250);

/// What became of a delivery, told by the one who handled it to whoever leads.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) id: String,
    pub(super) end: End,
}

type Waiting = Mutex<HashMap<String, oneshot::Sender<End>>>;

/// The leader of one database at NATS.
pub(crate) struct Link {
    nats: Arc<Nats>,
    placement: Placement,
    waiting: Arc<Waiting>,
    _ears: AbortOnDropHandle<()>,
}

/// A delivery to be carried, for the `unanswered`th time without an answer.
pub(crate) struct Load {
    pub(crate) key: LaneKey,
    pub(crate) pending: Pending,
    pub(crate) unanswered: u32,
}

impl Link {
    /// Begins to listen for ends in the database at `placement`.
    pub(crate) async fn open(nats: Arc<Nats>, placement: &Placement) -> Result<Arc<Self>, NatsError> {
        let subject = nats.ended_subject(placement);
        let client = &nats.joined().await?.client;
        let listening = client.subscribe(subject).await;
        let mut told = nats.note(listening.map_err(|error| NatsError::new("cannot listen", error)))?;
        let waiting: Arc<Waiting> = Arc::default();
        let waiters = waiting.clone();
        let ears = tokio::spawn(async move {
            while let Some(message) = told.next().await {
                let Ok(Told { id, end }) = serde_json::from_slice(&message.payload) else { continue };
                let waiter = waiters.lock().ok().and_then(|mut waiters| waiters.remove(&id));
                if let Some(waiter) = waiter {
                    // Fails when nobody waits any more.
                    let _ = waiter.send(end);
                }
            }
        });
        let ears = AbortOnDropHandle::new(ears);
        Ok(Arc::new(Self { nats, placement: placement.clone(), waiting, _ears: ears }))
    }

    /// Carries one delivery; comes back when it has ended or nobody has said so for a while.
    pub(crate) async fn carry(self: Arc<Self>, env: Arc<Env>, load: Load) -> Finished {
        let Load { key, pending, unanswered } = load;
        // The same copy as long as the one before may still be in somebody's hands.
        let lost_after = env.config.handler_timeout + self.nats.config.ack_wait;
        let copy = copies(unanswered, lost_after);
        let id = parcel::id_of(&key, &pending, copy);
        let (tell, told) = oneshot::channel();
        if let Ok(mut waiting) = self.waiting.lock() {
            waiting.insert(id.clone(), tell);
        }
        let outcome = tokio::select! {
            Ok(end) = told => Outcome::Ended(end),
            outcome = self.send_and_wait(&env, &id, &key, &pending, unanswered) => outcome,
        };
        if let Ok(mut waiting) = self.waiting.lock() {
            waiting.remove(&id);
        }
        Finished { key, pending, outcome }
    }

    /// Returns when it is time to look at the table instead.
    async fn send_and_wait(
        &self,
        env: &Env,
        id: &str,
        key: &LaneKey,
        pending: &Pending,
        unanswered: u32,
    ) -> Outcome {
        let mut connections = self.nats.connections();
        let is_away = |error: &NatsError| matches!(error, NatsError::Away(_));
        let mut span = spans::sent(key, pending);
        let sent = self.nats.breaker.run(is_away, self.send(id, key, pending)).await;
        if sent.is_err() {
            span.fail("unsent");
        }
        drop(span);
        match sent.map_err(NatsError::from) {
            Err(error @ NatsError::TooLarge) => {
                return Outcome::Failed(ConsumerError::Poison(error.to_string()));
            }
            sent => {
                if self.nats.note(sent).is_err() {
                    sleep(REFUSED_PAUSE).await;
                    return Outcome::Unanswered;
                }
            }
        }
        env.config.windows.at(Window::Sent);
        tokio::select! {
            () = sleep(patience(unanswered)) => {}
            // What was told meanwhile is lost, and NATS may have come back empty.
            _ = connections.changed() => {}
        }
        Outcome::Unanswered
    }

    async fn send(&self, id: &str, key: &LaneKey, pending: &Pending) -> Result<(), NatsError> {
        let jetstream = &self.nats.stream().await?.jetstream;
        let parcel = parcel::wrap(id, &self.placement, key, pending)
            .map_err(|error| NatsError::new("cannot wrap a message", error))?;
        let sent =
            async { jetstream.send_publish(self.nats.deliver_subject(key.consumer), parcel).await?.await };
        match sent.await {
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                PublishErrorKind::MaxPayloadExceeded => Err(NatsError::TooLarge),
                kind => {
                    if kind == PublishErrorKind::StreamNotFound {
                        self.nats.stream_is_lost().await;
                    }
                    Err(NatsError::new("cannot store a message", error))
                }
            },
        }
    }
}

fn patience(unanswered: u32) -> Duration {
    PATIENCE.saturating_mul(2_u32.saturating_pow(unanswered)).min(PATIENCE_MAX)
}

/// How many copies have been given up after `unanswered` waits: one whenever nobody can have it in hand any more.
fn copies(unanswered: u32, lost_after: Duration) -> u32 {
    let waited: Duration = (0..unanswered.min(1000)).map(patience).sum();
    u32::try_from(waited.as_millis() / lost_after.as_millis().max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_copy_is_made_only_when_nobody_can_hold_the_first() {
        let lost_after = Duration::from_secs(40);
        assert!((0..6).all(|unanswered| copies(unanswered, lost_after) == 0));
        assert_eq!(copies(7, lost_after), 1, "after 1 + 2 + 4 + 8 + 10 + 10 + 10 s");
        assert_eq!((copies(11, lost_after), patience(u32::MAX)), (2, PATIENCE_MAX));
    }
}
