//! The queue of security events and its writer. Recording never waits; what the queue cannot hold is counted.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, LazyLock, Mutex},
};

use db::DbError;
use edge::{SecurityEvent, SecurityEventKind, SecurityEvents};
use kernel::{TenantId, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::Control;

const MOST_QUEUED: usize = 4096;
const BATCH: usize = 500;

static DROPPED: LazyLock<metrics::Counter> =
    LazyLock::new(|| metrics::counter!("markethall_security_events_dropped_total"));

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    SignInSucceeded,
    SignInFailed,
    SignInLocked,
    RefreshReused,
    SignedOut,
    TokenRefused,
    PermissionDenied,
    TenantMismatch,
    OperatorRouteRefused,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignInSucceeded => "sign_in_succeeded",
            Self::SignInFailed => "sign_in_failed",
            Self::SignInLocked => "sign_in_locked",
            Self::RefreshReused => "refresh_reused",
            Self::SignedOut => "signed_out",
            Self::TokenRefused => "token_refused",
            Self::PermissionDenied => "permission_denied",
            Self::TenantMismatch => "tenant_mismatch",
            Self::OperatorRouteRefused => "operator_route_refused",
        }
    }
}

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
    pub(crate) operation: &'static str,
    pub(crate) correlation_id: Arc<str>,
}

/// Bounded; written in batches by [`Control::flush_security_events`].
#[derive(Debug, Default)]
pub(crate) struct SecurityLog {
    queue: Mutex<VecDeque<Event>>,
    arrived: Notify,
}

impl SecurityLog {
    pub(crate) fn record(&self, event: Event) {
        metrics::counter!("markethall_security_events_total", "kind" => event.kind.as_str()).increment(1);
        let Ok(mut queue) = self.queue.lock() else { return };
        if queue.len() >= MOST_QUEUED {
            DROPPED.increment(1);
            return;
        }
        queue.push_back(event);
        drop(queue);
        self.arrived.notify_one();
    }

    /// Returns when something was recorded since the last time.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    fn take(&self) -> Vec<Event> {
        let Ok(mut queue) = self.queue.lock() else { return Vec::new() };
        let count = queue.len().min(BATCH);
        queue.drain(..count).collect()
    }

    /// What could not be written waits at the front, as far as there is room.
    fn put_back(&self, events: Vec<Event>) {
        let Ok(mut queue) = self.queue.lock() else { return };
        for event in events.into_iter().rev() {
            if queue.len() >= MOST_QUEUED {
                DROPPED.increment(1);
            } else {
                queue.push_front(event);
            }
        }
    }
}

impl SecurityEvents for Control {
    fn record(&self, event: SecurityEvent) {
        let kind = match event.kind {
            SecurityEventKind::TokenRefused => Kind::TokenRefused,
            SecurityEventKind::PermissionDenied => Kind::PermissionDenied,
            SecurityEventKind::TenantMismatch => Kind::TenantMismatch,
            SecurityEventKind::OperatorRouteRefused => Kind::OperatorRouteRefused,
        };
        self.log().record(Event {
            kind,
            at: event.at,
            tenant: event.tenant,
            actor: event.actor.map(|actor| actor.to_string()),
            address: event.address,
            agent: event.agent,
            reason: event.reason,
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

    async fn insert_events(&self, events: &[Event]) -> Result<(), DbError> {
        fn column<'a, T>(events: &'a [Event], pick: impl Fn(&'a Event) -> T) -> Vec<T> {
            events.iter().map(pick).collect()
        }
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
                &column(events, |event| event.operation),
                &column(events, |event| &*event.correlation_id),
            ],
        )
        .await?;
        tx.commit().await
    }
}
