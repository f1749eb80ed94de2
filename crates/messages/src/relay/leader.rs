//! The one that carries messages of a database: reads on, writes deliveries, starts handlers, settles their ends.
//!
//! Everything it knows is in the database; it is thrown away with the session that holds the leadership.

use std::{sync::Arc, time::Duration};

use db::{DbError, RelayConn};
use jiff::Timestamp;
use kernel::Placement;
use tokio::{sync::{OwnedSemaphorePermit, watch}, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    config::Env,
    deliver::{Finished, deliver},
    lanes::{LANE_MAX, LaneKey, Lanes, Pending},
    rows,
};
use crate::upkeep::look;

/// Lanes read from the table at once.
const LOAD_MAX: usize = 50;
/// The first and the longest pause before it is looked again whether older transactions have ended.
const UNSETTLED_MIN: Duration = Duration::from_millis(1);
const UNSETTLED_MAX: Duration = Duration::from_millis(50);
/// How long running handlers get when the relay stops.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// No message up to `newest` can appear any more once all transactions older than `id` have ended.
struct Fence {
    newest: i64,
    id: i64,
    settled: bool,
}

/// How reading on ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Nothing more to read.
    Idle,
    /// There may be more at once.
    More,
    /// There is more, behind transactions that are still running.
    Unsettled,
    /// Memory is full; handlers must finish first.
    Full,
}

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
    cursor: i64,
    fence: Option<Fence>,
    unsettled: Duration,
    running: JoinSet<Finished>,
    sweep_at: Instant,
}

impl<'a> Leader<'a> {
    /// Begins to lead with the session that holds the leadership.
    pub(crate) async fn take(
        env: &'a Arc<Env>,
        conn: &'a RelayConn,
        placement: &'a Placement,
    ) -> Result<Self, DbError> {
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
            running: JoinSet::new(),
            sweep_at: Instant::now(),
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
            let reading = self.read_on().await?;
            self.start_ready();
            if reading == Reading::More {
                while let Some(finished) = self.running.try_join_next() {
                    self.settle_joined(finished).await?;
                }
                continue;
            }
            if until == Until::Idle && reading == Reading::Idle && self.is_idle() {
                return Ok(self.handled);
            }
            let pause = self.pause(reading);
            let permit_wanted = self.lanes.has_ready() && self.has_room();
            let permits = self.env.permits.clone();
            tokio::select! {
                () = stop.cancelled() => return self.stop().await,
                Some(finished) = self.running.join_next() => self.settle_joined(finished).await?,
                notice = self.conn.next_notice() => {
                    if notice.is_none() {
                        return Err(DbError::Unavailable("the relay's session is lost".to_owned()));
                    }
                    self.discover().await?;
                }
                Ok(()) = bell.changed() => {}
                Ok(permit) = permits.acquire_owned(), if permit_wanted => self.start_one(permit),
                () = tokio::time::sleep(pause) => {}
            }
        }
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
            self.discover().await?;
            self.env.note(look(self.conn, self.placement, self.env.clock.now()).await?);
        }
        Ok(())
    }

    /// Finds lanes in the table that are not known: after taking over, after a replay by anybody.
    async fn discover(&mut self) -> Result<(), DbError> {
        let names: Vec<&str> = self.env.consumers.iter().map(|consumer| consumer.name).collect();
        let most = i64::try_from(self.env.config.lanes_max).unwrap_or(i64::MAX);
        for row in self.conn.query(include_str!("discover.sql"), &[&names, &most]).await? {
            let Some(consumer) = self.env.consumer(row.try_get("consumer")?) else { continue };
            let subject = row.try_get::<_, &str>("subject")?.into();
            let key = LaneKey { tenant: row.try_get("tenant_id")?, consumer: consumer.name, subject };
            self.lanes.discover(key, row.try_get("next_attempt_at")?);
        }
        Ok(())
    }

    /// Reads the first messages of lanes whose time has come.
    async fn load_due(&mut self) -> Result<(), DbError> {
        if Instant::now() < self.load_after {
            return Ok(());
        }
        let now = self.env.clock.now();
        while self.lanes.queued() < self.env.config.queued_max {
            let due = self.lanes.take_due(now, LOAD_MAX);
            if due.is_empty() {
                break;
            }
            self.load(due, now).await?;
        }
        Ok(())
    }

    async fn load(&mut self, due: Vec<LaneKey>, now: Timestamp) -> Result<(), DbError> {
        let tenants: Vec<_> = due.iter().map(|key| key.tenant).collect();
        let consumers: Vec<_> = due.iter().map(|key| key.consumer).collect();
        let subjects: Vec<_> = due.iter().map(|key| &*key.subject).collect();
        let most = LANE_MAX as i64;
        let found =
            self.conn.query(include_str!("load.sql"), &[&tenants, &consumers, &subjects, &most]).await?;
        let mut lanes: Vec<(Vec<Pending>, Timestamp)> = vec![(Vec::new(), now); due.len()];
        for row in found {
            let place: i64 = row.try_get("place")?;
            let lane = usize::try_from(place - 1).ok().and_then(|place| lanes.get_mut(place));
            let Some((pending, due)) = lane else { continue };
            if pending.is_empty() {
                *due = row.try_get("next_attempt_at")?;
            }
            let attempts = u32::try_from(row.try_get::<_, i32>("attempts")?).unwrap_or_default();
            pending.push(Pending { message: Arc::new(rows::message(&row)?), attempts });
        }
        for (key, (pending, due)) in due.into_iter().zip(lanes) {
            self.lanes.load(key, pending, due, now);
        }
        Ok(())
    }

    /// Reads the next part of the outbox behind the cursor and turns it into deliveries.
    async fn read_on(&mut self) -> Result<Reading, DbError> {
        let config = &self.env.config;
        if self.lanes.queued() >= config.queued_max || self.lanes.count() >= config.lanes_max {
            return Ok(Reading::Full);
        }
        let Some(fence) = self.fence().await? else { return Ok(Reading::Idle) };
        if !fence.settled {
            let row = self.conn.query_one(include_str!("settled.sql"), &[&fence.id]).await?;
            if !row.try_get::<_, bool>("settled")? {
                self.fence = Some(fence);
                return Ok(Reading::Unsettled);
            }
        }
        let reached = self.fan_out(fence.newest).await?;
        if reached < fence.newest {
            self.fence = Some(Fence { settled: true, ..fence });
        }
        Ok(Reading::More)
    }

    /// The fence that is being waited for, or a new one when there is something behind the cursor.
    async fn fence(&mut self) -> Result<Option<Fence>, DbError> {
        if let Some(fence) = self.fence.take() {
            return Ok(Some(fence));
        }
        let found = self.conn.query(include_str!("candidate.sql"), &[&self.cursor]).await?;
        let Some(row) = found.first() else { return Ok(None) };
        let (newest, id, settled) = (row.try_get("newest")?, row.try_get("fence")?, row.try_get("settled")?);
        Ok(Some(Fence { newest, id, settled }))
    }

    async fn fan_out(&mut self, newest: i64) -> Result<i64, DbError> {
        let (env, now) = (self.env, self.env.clock.now());
        let found = self
            .conn
            .query(
                include_str!("fan_out.sql"),
                &[
                    &self.cursor,
                    &newest,
                    &env.config.read_rows,
                    &env.config.read_wanted,
                    &env.pair_consumers,
                    &env.pair_kinds,
                    &now,
                ],
            )
            .await?;
        // The last row tells how far it got; none at all means that somebody else moved the cursor.
        let (last, found) = found
            .split_last()
            .ok_or_else(|| DbError::Unavailable("the relay's cursor was moved by somebody else".to_owned()))?;
        for row in found {
            let message = Arc::new(rows::message(row)?);
            for consumer in env.waiting_for(&message.kind) {
                let key = LaneKey { tenant: message.tenant, consumer, subject: message.subject.clone() };
                self.lanes.push(key, Pending { message: message.clone(), attempts: 0 });
            }
        }
        self.cursor = last.try_get("seq")?;
        Ok(self.cursor)
    }

    fn has_room(&self) -> bool {
        self.running.len() < self.env.config.handlers_per_database.max(1)
    }

    fn start_ready(&mut self) {
        while self.lanes.has_ready() && self.has_room() {
            match self.env.permits.clone().try_acquire_owned() {
                Ok(permit) => self.start_one(permit),
                Err(_) => return,
            }
        }
    }

    fn start_one(&mut self, permit: OwnedSemaphorePermit) {
        if let Some((key, pending)) = self.lanes.start() {
            let env = self.env.clone();
            self.running.spawn(async move {
                let finished = deliver(env, key, pending).await;
                drop(permit);
                finished
            });
        }
    }

    async fn settle_joined(&mut self, finished: Result<Finished, tokio::task::JoinError>) -> Result<(), DbError> {
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
