//! The handlers' side: one durable consumer at NATS per consumer of the program, shared by all processes.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_nats::jetstream::{
    self, AckKind,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
};
use db::{DbError, RelayConn};
use futures::{FutureExt as _, StreamExt as _};
use kernel::Placement;
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Nats, NatsError, handle::handle, parcel::token};
use crate::{Consumer, relay::config::Env};

/// Messages that a process holds per consumer, at work or waiting for their turn.
const IN_HAND_MAX: usize = 64;
/// Messages asked for at once.
const ASK: usize = 16;
/// How long NATS holds a request for messages, and how often it says that it still does.
const ASK_EXPIRES: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The longest pause before a consumer that cannot be had is asked for again.
const RETRY_MAX: Duration = Duration::from_secs(2);
/// How long messages in hand get when the relay stops.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// What all messages in hand share.
pub(super) struct Worker {
    pub(super) env: Arc<Env>,
    pub(super) nats: Arc<Nats>,
    pub(super) stop: CancellationToken,
    turns: std::sync::Mutex<HashMap<Placement, Arc<Semaphore>>>,
    /// Sessions to put failures on record with.
    sessions: Mutex<HashMap<Placement, Arc<RelayConn>>>,
}

/// Handles messages from NATS until told to stop; those in hand end first, for a few seconds.
pub(crate) async fn work(env: Arc<Env>, nats: Arc<Nats>, stop: CancellationToken) {
    let consumers = env.consumers.clone();
    let (turns, sessions) = Default::default();
    let worker = Arc::new(Worker { env, nats, stop, turns, sessions });
    let mut pulling = JoinSet::new();
    for consumer in consumers {
        pulling.spawn(pull(worker.clone(), consumer));
    }
    while pulling.join_next().await.is_some() {}
}

async fn pull(worker: Arc<Worker>, consumer: Consumer) {
    let mut in_hand = JoinSet::new();
    let mut pause = Duration::from_millis(50);
    while !worker.stop.is_cancelled() {
        let connection = worker.nats.connections();
        match worker.stop.run_until_cancelled(worker.durable(&consumer)).await {
            None => break,
            Some(Ok(durable)) => {
                pause = Duration::from_millis(50);
                if let Err(error) = worker.serve(&consumer, &durable, connection, &mut in_hand).await {
                    tracing::debug!(consumer = consumer.name, error = %error, "asks NATS again");
                }
            }
            Some(Err(error)) => {
                tracing::debug!(consumer = consumer.name, error = %error, "cannot ask NATS");
                let _ = worker.stop.run_until_cancelled(sleep(pause)).await;
                pause = (pause * 2).min(RETRY_MAX);
            }
        }
    }
    // What does not end in time is rolled back and handled by another process.
    let _ = timeout(STOP_GRACE, async { while in_hand.join_next().await.is_some() {} }).await;
}

impl Worker {
    /// The consumer at NATS, made when it is not there.
    async fn durable(&self, consumer: &Consumer) -> Result<PullConsumer, NatsError> {
        let jetstream = &self.nats.stream().await?.jetstream;
        let config = pull::Config {
            durable_name: Some(token(consumer.name)),
            filter_subject: self.nats.deliver_subject(consumer.name),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.nats.config.ack_wait,
            max_deliver: -1,
            max_ack_pending: 10_000,
            ..pull::Config::default()
        };
        let made = jetstream.create_consumer_on_stream(config, &self.nats.config.stream).await;
        if made.is_err() {
            self.nats.stream_is_lost().await;
        }
        self.nats.note(made.map_err(|error| NatsError::new("cannot make a consumer", error)))
    }

    /// Takes messages until the connection is another one, something fails, or it is told to stop.
    async fn serve(
        self: &Arc<Self>,
        consumer: &Consumer,
        durable: &PullConsumer,
        mut connection: tokio::sync::watch::Receiver<u64>,
        in_hand: &mut JoinSet<()>,
    ) -> Result<(), jetstream::consumer::pull::MessagesError> {
        let asking = durable
            .stream()
            .max_messages_per_batch(ASK)
            .expires(ASK_EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await;
        let Ok(mut messages) = asking else { return Ok(()) };
        let end = loop {
            tokio::select! {
                () = self.stop.cancelled() => break Ok(()),
                _ = connection.changed() => break Ok(()),
                Some(_) = in_hand.join_next() => {}
                next = messages.next(), if in_hand.len() < IN_HAND_MAX => match next {
                    Some(Ok(message)) => drop(in_hand.spawn(handle(self.clone(), consumer.name, message))),
                    Some(Err(error)) => break Err(error),
                    None => break Ok(()),
                },
            }
        };
        // What has arrived meanwhile goes back at once instead of after the time that NATS waits.
        while let Some(Some(Ok(message))) = messages.next().now_or_never() {
            let _ = message.ack_with(AckKind::Nak(None)).await;
        }
        end
    }

    /// Waits for a turn at the database, then in the process; none when it is told to stop.
    pub(super) async fn turn(
        &self,
        placement: &Placement,
    ) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let database = self.turns.lock().ok().map(|mut turns| {
            let most = self.env.config.handlers_per_database.max(1);
            turns.entry(placement.clone()).or_insert_with(|| Arc::new(Semaphore::new(most))).clone()
        })?;
        let both = async {
            let database = database.acquire_owned().await.ok()?;
            Some((database, self.env.permits.clone().acquire_owned().await.ok()?))
        };
        self.stop.run_until_cancelled(both).await.flatten()
    }

    /// A session to put failures on record with; the one before when it still works.
    pub(super) async fn session(&self, placement: &Placement) -> Result<Arc<RelayConn>, DbError> {
        let mut sessions = self.sessions.lock().await;
        if let Some(session) = sessions.get(placement).filter(|session| !session.is_lost()) {
            return Ok(session.clone());
        }
        let session = Arc::new(self.env.db.relay(placement).await?);
        sessions.insert(placement.clone(), session.clone());
        Ok(session)
    }
}
