//! The queue of security events and its writer. Recording never waits; what the queue cannot hold is counted.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use db::DbError;
use edge::{SecurityEvent, SecurityEvents};
use kernel::{TenantId, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

use super::EventKind as Kind;
use crate::{Control, counts::EVENTS_DROPPED};

const MOST_QUEUED: usize = 4096;
const BATCH: usize = 500;

/// Equal events among so many that wait are counted together.
const LOOKED_AT: usize = 32;

/// One event. `actor` is an identifier, never an address of mail.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    pub(crate) at: Timestamp,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) actor: Option<String>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) agent: Option<String>,
    pub(crate) reason: &'static str,
    pub(crate) subject: Option<String>,
    pub(crate) operation: &'static str,
    pub(crate) correlation_id: Arc<str>,
}

impl Event {
    /// Whether it is the same thing happening again.
    fn repeats(&self, before: &Self) -> bool {
        let what = |event: &Self| (event.kind, event.tenant, event.address, event.reason, event.operation);
        what(self) == what(before)
            && self.actor == before.actor
            && self.agent == before.agent
            && self.subject == before.subject
    }
}

/// An event as it waits: the first of its like, and how many there were.
#[derive(Debug)]
struct Waiting {
    event: Event,
    times: i32,
}

/// Bounded; written in batches by [`Control::flush_security_events`]. What happens again while it waits is counted, so that
/// a flood of bad tokens from one address is a few rows a second.
#[derive(Debug, Default)]
pub(crate) struct SecurityLog {
    queue: Mutex<VecDeque<Waiting>>,
    arrived: Notify,
}

impl SecurityLog {
    pub(crate) fn record(&self, event: Event) {
        metrics::counter!("markethall_security_events_total", "kind" => event.kind.as_str()).increment(1);
        let Ok(mut queue) = self.queue.lock() else { return };
        let same = queue.iter_mut().rev().take(LOOKED_AT).find(|waiting| event.repeats(&waiting.event));
        if let Some(same) = same {
            same.times = same.times.saturating_add(1);
            return;
        }
        if queue.len() >= MOST_QUEUED {
            EVENTS_DROPPED.increment(1);
            return;
        }
        queue.push_back(Waiting { event, times: 1 });
        drop(queue);
        self.arrived.notify_one();
    }

    /// Returns when something was recorded since the last time.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    fn take(&self) -> Vec<Waiting> {
        let Ok(mut queue) = self.queue.lock() else { return Vec::new() };
        let count = queue.len().min(BATCH);
        queue.drain(..count).collect()
    }

    /// What could not be written waits at the front, as far as there is room.
    fn put_back(&self, events: Vec<Waiting>) {
        let Ok(mut queue) = self.queue.lock() else { return };
        for event in events.into_iter().rev() {
            if queue.len() >= MOST_QUEUED {
                EVENTS_DROPPED.increment(1);
            } else {
                queue.push_front(event);
            }
        }
    }
}

impl SecurityEvents for Control {
    fn record(&self, event: SecurityEvent) {
        self.log().record(Event {
            kind: event.kind.into(),
            at: event.at,
            tenant: event.tenant,
            actor: event.actor.map(|actor| actor.to_string()),
            address: event.address,
            agent: event.agent,
            reason: event.reason,
            subject: event.subject,
            operation: event.operation,
            correlation_id: event.correlation_id,
        });
    }
}

impl Control {
    /// Writes the events recorded so far; what cannot be written now stays queued.
    ///
    /// # Errors
    /// [`DbError`] when the control database fails.
    pub async fn flush_security_events(&self) -> Result<(), DbError> {
        loop {
            let events = self.log().take();
            if events.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.insert_events(&events).await {
                self.log().put_back(events);
                return Err(error);
            }
        }
    }

    async fn insert_events(&self, events: &[Waiting]) -> Result<(), DbError> {
        fn column<'a, T>(events: &'a [Waiting], pick: impl Fn(&'a Event) -> T) -> Vec<T> {
            events.iter().map(|waiting| pick(&waiting.event)).collect()
        }
        let times: Vec<i32> = events.iter().map(|waiting| waiting.times).collect();
        let tx = self.db().control().await?;
        tx.execute(
            include_str!("insert_events.sql"),
            &[
                &column(events, |_| Uuid::now_v7()),
                &column(events, |event| event.at),
                &column(events, |event| event.kind.as_str()),
                &column(events, |event| event.tenant),
                &column(events, |event| event.actor.as_deref()),
                &column(events, |event| event.address),
                &column(events, |event| event.agent.as_deref()),
                &column(events, |event| event.reason),
                &column(events, |event| event.subject.as_deref()),
                &column(events, |event| event.operation),
                &column(events, |event| &*event.correlation_id),
                &times,
            ],
        )
        .await?;
        tx.commit().await
    }
}
