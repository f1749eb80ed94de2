//! The one that carries messages of a database: reads on, writes deliveries, starts handlers, settles their ends.
//!
//! Everything it knows is in the database; it is thrown away with the session that holds the leadership.

use std::{sync::Arc, time::Duration};

use db::{DbError, RelayConn};
use kernel::Placement;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    config::Env,
    deliver::{Finished, deliver},
    lanes::Lanes,
    nats::{Link, Load},
    read::{Fence, Reading},
};
use crate::{bell, request::requests, upkeep::look};

/// The first and the longest pause before it is looked again whether older transactions have ended.
const UNSETTLED_MIN: Duration = Duration::from_millis(1);
const UNSETTLED_MAX: Duration = Duration::from_millis(50);
/// How long running handlers get when the relay stops.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// When to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// It is told to stop, or the session is lost.
    Stopped,
    /// Nothing is left to do now.
    Idle,
}

pub(crate) struct Leader<'a> {
    pub(super) env: &'a Arc<Env>,
    pub(super) conn: &'a RelayConn,
    pub(super) lanes: Lanes,
    pub(super) handled: u64,
    /// Lanes are not read from the table before; grows while handlers find the database away or busy.
    pub(super) load_after: Instant,
    placement: &'a Placement,
    pub(super) cursor: i64,
    pub(super) fence: Option<Fence>,
    unsettled: Duration,
    /// Something may be behind the cursor: it was, or somebody has said so since.
    woken: bool,
    running: JoinSet<Finished>,
    sweep_at: Instant,
    /// Where NATS carries messages.
    link: Option<Arc<Link>>,
    /// Changes when NATS is back.
    connections: Option<watch::Receiver<u64>>,
}

impl<'a> Leader<'a> {
    /// Begins to lead with the session that holds the leadership.
    pub(crate) async fn take(
        env: &'a Arc<Env>,
        conn: &'a RelayConn,
        placement: &'a Placement,
    ) -> Result<Self, DbError> {
        let link = match &env.nats {
            Some(nats) => Some(Link::open(nats.clone(), placement).await.map_err(away)?),
            None => None,
        };
        let now = env.clock.now();
        let row = conn.query_one(include_str!("lead_since.sql"), &[&env.config.host, &now]).await?;
        let cursor = row.try_get("seq")?;
        tracing::debug!(database = %placement.database, cursor, "leads the relay");
        Ok(Self {
            env,
            conn,
            lanes: Lanes::default(),
            handled: 0,
            load_after: Instant::now(),
            placement,
            cursor,
            fence: None,
            unsettled: UNSETTLED_MIN,
            woken: true,
            running: JoinSet::new(),
            sweep_at: Instant::now(),
            link,
            connections: env.nats.as_ref().map(|nats| nats.connections()),
        })
    }

    /// Carries messages; returns how many were handled.
    pub(crate) async fn serve(
        mut self,
        bell: &mut watch::Receiver<u64>,
        stop: &CancellationToken,
        until: Until,
    ) -> Result<u64, DbError> {
        loop {
            self.sweep().await?;
            self.load_due().await?;
            let reading = self.read_when_woken(until).await?;
            self.start_ready();
            if reading == Reading::More {
                self.settle_all().await?;
                continue;
            }
            if until == Until::Idle && reading == Reading::Idle && self.is_idle() {
                return Ok(self.handled);
            }
            let pause = self.pause(reading);
            let permit_wanted = self.link.is_none() && self.lanes.has_ready() && self.has_room();
            let permits = self.env.permits.clone();
            tokio::select! {
                () = stop.cancelled() => return self.stop().await,
                Some(finished) = self.running.join_next() => {
                    self.settle_joined(finished).await?;
                    self.settle_all().await?;
                }
                notice = self.conn.next_notice() => {
                    if notice.is_none() {
                        return Err(DbError::Unavailable("the relay's session is lost".to_owned()));
                    }
                    self.woken = true;
                    self.discover().await?;
                }
                Ok(()) = bell.changed() => self.woken = true,
                Ok(permit) = permits.acquire_owned(), if permit_wanted => self.start_one(Some(permit)),
                () = changed(&mut self.connections) => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Reads on, unless nothing was there and nobody has rung since: handlers that end do not make messages.
    async fn read_when_woken(&mut self, until: Until) -> Result<Reading, DbError> {
        if !self.woken && until == Until::Stopped {
            return Ok(Reading::Idle);
        }
        let reading = self.read_on().await?;
        self.woken = reading != Reading::Idle;
        Ok(reading)
    }

    /// Settles what has ended meanwhile.
    async fn settle_all(&mut self) -> Result<(), DbError> {
        while let Some(finished) = self.running.try_join_next() {
            self.settle_joined(finished).await?;
        }
        Ok(())
    }

    fn is_idle(&self) -> bool {
        let now = self.env.clock.now();
        self.running.is_empty()
            && !self.lanes.has_ready()
            && self.lanes.next_due().is_none_or(|due| due > now)
    }

    /// How long nothing needs to be done, unless something happens.
    fn pause(&mut self, reading: Reading) -> Duration {
        let mut pause = self.sweep_at.saturating_duration_since(Instant::now());
        if reading == Reading::Unsettled {
            pause = pause.min(self.unsettled);
            self.unsettled = (self.unsettled * 2).min(UNSETTLED_MAX);
        } else {
            self.unsettled = UNSETTLED_MIN;
        }
        if let Some(due) = self.lanes.next_due() {
            let wait = due.duration_since(self.env.clock.now());
            let wait = Duration::try_from(wait).unwrap_or_default();
            pause = pause.min(wait.max(self.load_after.saturating_duration_since(Instant::now())));
        }
        pause
    }

    async fn sweep(&mut self) -> Result<(), DbError> {
        if Instant::now() >= self.sweep_at {
            self.sweep_at = Instant::now() + self.env.config.sweep;
            self.woken = true;
            self.discover().await?;
            self.hear_requests().await?;
            self.env.note(look(self.conn, self.placement, self.env.clock.now()).await?);
        }
        Ok(())
    }

    /// Tells the bell what tenants have asked for, so that publishers ring it for that too.
    async fn hear_requests(&self) -> Result<(), DbError> {
        if !self.env.on_request.is_empty() {
            bell::note_requests(self.placement, requests(self.conn).await?);
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        match &self.env.nats {
            Some(nats) => nats.is_up() && self.running.len() < nats.in_flight(),
            None => self.running.len() < self.env.config.handlers_per_database.max(1),
        }
    }

    fn start_ready(&mut self) {
        while self.lanes.has_ready() && self.has_room() {
            if self.link.is_some() {
                self.start_one(None);
                continue;
            }
            match self.env.permits.clone().try_acquire_owned() {
                Ok(permit) => self.start_one(Some(permit)),
                Err(_) => return,
            }
        }
    }

    fn start_one(&mut self, permit: Option<OwnedSemaphorePermit>) {
        let Some((key, pending)) = self.lanes.start() else { return };
        let env = self.env.clone();
        if let Some(link) = &self.link {
            let unanswered = self.lanes.hiccups(&key);
            self.running.spawn(link.clone().carry(env, Load { key, pending, unanswered }));
            return;
        }
        self.running.spawn(async move {
            let finished = deliver(env, key, pending).await;
            drop(permit);
            finished
        });
    }

    async fn settle_joined(
        &mut self,
        finished: Result<Finished, tokio::task::JoinError>,
    ) -> Result<(), DbError> {
        match finished {
            Ok(finished) => self.settle(finished).await,
            // Panics are caught inside, and nobody aborts single tasks: only a runtime that ends gets here.
            Err(error) => Err(DbError::Unavailable(error.to_string())),
        }
    }

    /// Lets running handlers end, for a while; what does not is rolled back and delivered by the next leader.
    async fn stop(mut self) -> Result<u64, DbError> {
        let grace = tokio::time::timeout(STOP_GRACE, async {
            while let Some(finished) = self.running.join_next().await {
                self.settle_joined(finished).await?;
            }
            Ok::<(), DbError>(())
        });
        if let Ok(ended) = grace.await {
            ended?;
        }
        Ok(self.handled)
    }
}

fn away(error: impl std::fmt::Display) -> DbError {
    DbError::Unavailable(error.to_string())
}

async fn changed(connections: &mut Option<watch::Receiver<u64>>) {
    let changed = match connections {
        Some(connections) => connections.changed().await.is_ok(),
        None => false,
    };
    if !changed {
        std::future::pending().await
    }
}
