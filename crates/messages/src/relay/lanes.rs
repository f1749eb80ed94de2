//! The order of delivery, in memory: lanes of one (tenant, consumer, subject) each, one message of a lane at a time.
//!
//! Pure bookkeeping for one database. What is here is also in `messages.delivery`; a lane that got long, failed or was
//! found in the table is only marked (`more`, `Waiting`) and read again from there, so that memory stays bounded.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;
use kernel::TenantId;

use crate::Message;

/// Messages kept per lane; the rest stays in the table.
pub(crate) const LANE_MAX: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LaneKey {
    pub(crate) tenant: TenantId,
    pub(crate) consumer: &'static str,
    pub(crate) subject: Arc<str>,
}

/// A message with the failures it has behind it for this consumer.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) message: Arc<Message>,
    pub(crate) attempts: u32,
    /// The version of its row in the table: another one after each failure and each replay.
    pub(crate) version: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In `ready`, its head may start.
    Ready,
    /// Its head is being handled.
    Running,
    /// In `waiting`: its rows are read from the table then.
    Waiting(Timestamp),
    /// Its rows are being read from the table.
    Loading,
}

#[derive(Debug)]
struct Lane {
    queue: VecDeque<Pending>,
    state: State,
    /// The table holds rows behind those in `queue`.
    more: bool,
    /// Tries in a row that did not count because the database was away.
    hiccups: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: HashMap<LaneKey, Lane>,
    ready: VecDeque<LaneKey>,
    waiting: BTreeSet<(Timestamp, LaneKey)>,
    queued: usize,
}

impl Lanes {
    /// Adds a message that has just been written to the table behind all others of its lane.
    pub(crate) fn push(&mut self, key: LaneKey, pending: Pending) {
        match self.lanes.get_mut(&key) {
            Some(lane) if lane.more || lane.queue.len() >= LANE_MAX => lane.more = true,
            Some(lane) => {
                lane.queue.push_back(pending);
                self.queued += 1;
            }
            None => {
                let queue = VecDeque::from([pending]);
                self.lanes.insert(key.clone(), Lane { queue, state: State::Ready, more: false, hiccups: 0 });
                self.ready.push_back(key);
                self.queued += 1;
            }
        }
    }

    /// Notes a lane that was found in the table; nothing when it is known.
    pub(crate) fn discover(&mut self, key: LaneKey, due: Timestamp) {
        if !self.lanes.contains_key(&key) {
            let state = State::Waiting(due);
            self.lanes.insert(key.clone(), Lane { queue: VecDeque::new(), state, more: true, hiccups: 0 });
            self.waiting.insert((due, key));
        }
    }

    /// Takes up to `limit` lanes whose time has come; their rows are to be read and given to [`Lanes::load`].
    pub(crate) fn take_due(&mut self, now: Timestamp, limit: usize) -> Vec<LaneKey> {
        let mut due = Vec::new();
        while due.len() < limit && self.waiting.first().is_some_and(|(time, _)| *time <= now) {
            let Some((_, key)) = self.waiting.pop_first() else { break };
            if let Some(lane) = self.lanes.get_mut(&key) {
                lane.state = State::Loading;
            }
            due.push(key);
        }
        due
    }

    /// Gives a lane the rows that the table holds for it, first to last; `due` is when the first may be tried.
    pub(crate) fn load(&mut self, key: LaneKey, rows: Vec<Pending>, due: Timestamp, now: Timestamp) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        if rows.is_empty() {
            self.lanes.remove(&key);
        } else if due > now {
            lane.state = State::Waiting(due);
            self.waiting.insert((due, key));
        } else {
            lane.more = rows.len() >= LANE_MAX;
            self.queued += rows.len();
            lane.queue = rows.into();
            lane.state = State::Ready;
            self.ready.push_back(key);
        }
    }

    /// The next message to be handled, fair between lanes.
    pub(crate) fn start(&mut self) -> Option<(LaneKey, Pending)> {
        let key = self.ready.pop_front()?;
        let lane = self.lanes.get_mut(&key)?;
        let head = lane.queue.pop_front()?;
        lane.state = State::Running;
        self.queued -= 1;
        Some((key, head))
    }

    /// The running message of `key` is out of the table, handled or given up.
    pub(crate) fn finish(&mut self, key: LaneKey, now: Timestamp) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        lane.hiccups = 0;
        if !lane.queue.is_empty() {
            lane.state = State::Ready;
            self.ready.push_back(key);
        } else if lane.more {
            lane.state = State::Waiting(now);
            self.waiting.insert((now, key));
        } else {
            self.lanes.remove(&key);
        }
    }

    /// The running message of `key` stays in the table: forget the lane's rows and read them again at `due`.
    pub(crate) fn wait(&mut self, key: LaneKey, due: Timestamp, hiccup: bool) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        self.queued -= lane.queue.len();
        lane.queue.clear();
        lane.more = true;
        lane.hiccups = if hiccup { lane.hiccups.saturating_add(1) } else { 0 };
        lane.state = State::Waiting(due);
        self.waiting.insert((due, key));
    }

    /// How often in a row the head of `key` could not even be tried.
    pub(crate) fn hiccups(&self, key: &LaneKey) -> u32 {
        self.lanes.get(key).map_or(0, |lane| lane.hiccups)
    }

    /// When the next waiting lane is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Whether a message could start now.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Messages held in memory, not counting running ones.
    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    /// Lanes known.
    pub(crate) fn count(&self) -> usize {
        self.lanes.len()
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
