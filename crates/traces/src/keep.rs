//! Which spans are sent: those of traces that were chosen at once, the others when something in their trace has failed.
//!
//! What fails may be the last thing that happens in a trace, so its spans are held back for a moment. This knows no clock
//! and no I/O.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use crate::span::Record;

/// A trace that was not chosen.
enum State {
    /// Nothing has failed yet.
    Waiting(Vec<Record>),
    /// Something has failed: all of it is sent.
    Failed,
}

struct Known {
    last: Instant,
    state: State,
}

impl Known {
    /// How much room it takes.
    fn weight(&self) -> usize {
        match &self.state {
            State::Waiting(records) => 1 + records.len(),
            State::Failed => 1,
        }
    }
}

/// Traces that were not chosen, for as long as something in them may still fail.
pub(crate) struct Keeper {
    linger: Duration,
    most: usize,
    weight: usize,
    traces: HashMap<u128, Known>,
    /// Each trace once, with when to look at it.
    order: VecDeque<(Instant, u128)>,
}

impl Keeper {
    /// Holds spans back for `linger` after the last one of their trace, `most` in all.
    pub(crate) fn new(linger: Duration, most: usize) -> Self {
        Self { linger, most, weight: 0, traces: HashMap::new(), order: VecDeque::new() }
    }

    /// Gives to `send` what is to be sent now that `record` has ended; how many spans were let go for want of room.
    pub(crate) fn judge(&mut self, record: Record, now: Instant, mut send: impl FnMut(Record)) -> usize {
        if record.ids.sampled {
            send(record);
            return 0;
        }
        let (trace, due) = (record.ids.trace, now + self.linger);
        let known = self.traces.entry(trace).or_insert_with(|| {
            self.order.push_back((due, trace));
            self.weight += 1;
            Known { last: now, state: State::Waiting(Vec::new()) }
        });
        known.last = now;
        match &mut known.state {
            State::Failed => send(record),
            State::Waiting(records) if record.failed => {
                self.weight -= records.len();
                std::mem::take(records).into_iter().for_each(&mut send);
                send(record);
                known.state = State::Failed;
            }
            State::Waiting(records) => {
                records.push(record);
                self.weight += 1;
            }
        }
        self.make_room()
    }

    /// Lets traces go in which nothing has happened for a while.
    pub(crate) fn forget(&mut self, now: Instant) {
        while let Some((due, trace)) = self.order.front().copied() {
            if due > now {
                return;
            }
            self.order.pop_front();
            let Some(known) = self.traces.get(&trace) else { continue };
            let again = known.last + self.linger;
            if again > now {
                self.order.push_back((again, trace));
            } else {
                self.remove(trace);
            }
        }
    }

    fn make_room(&mut self) -> usize {
        let mut lost = 0;
        while self.weight > self.most
            && let Some((_, trace)) = self.order.pop_front()
        {
            lost += self.remove(trace);
        }
        lost
    }

    /// How many spans went with it.
    fn remove(&mut self, trace: u128) -> usize {
        let weight = self.traces.remove(&trace).map_or(0, |known| known.weight());
        self.weight -= weight;
        weight.saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use kernel::TraceIds;

    use super::*;
    use crate::Kind;

    fn record(trace: u128, span: u64, sampled: bool, failed: bool, now: Instant) -> Record {
        Record {
            ids: TraceIds { trace, span, sampled },
            parent: 0,
            kind: Kind::Internal,
            name: "work".into(),
            started_at: 0,
            begun: now,
            took: Duration::ZERO,
            attributes: Vec::new(),
            failed,
        }
    }

    struct World {
        keeper: Keeper,
        now: Instant,
        sent: Vec<(u128, u64)>,
        lost: usize,
    }

    impl World {
        fn new(most: usize) -> Self {
            let keeper = Keeper::new(Duration::from_secs(10), most);
            Self { keeper, now: Instant::now(), sent: Vec::new(), lost: 0 }
        }

        fn end(&mut self, trace: u128, span: u64, sampled: bool, failed: bool) {
            let record = record(trace, span, sampled, failed, self.now);
            let sent = &mut self.sent;
            self.lost += self.keeper.judge(record, self.now, |one| sent.push((one.ids.trace, one.ids.span)));
        }

        fn pass(&mut self, seconds: u64) {
            self.now += Duration::from_secs(seconds);
            self.keeper.forget(self.now);
        }

        /// What it counts is what it holds.
        fn assert_counted(&self) {
            let weight: usize = self.keeper.traces.values().map(Known::weight).sum();
            assert_eq!((weight, self.keeper.order.len()), (self.keeper.weight, self.keeper.traces.len()));
        }
    }

    // OBS-2
    #[test]
    fn a_trace_that_was_chosen_is_sent_and_another_one_is_not() {
        let mut world = World::new(100);
        world.end(1, 1, true, false);
        world.end(2, 1, false, false);
        world.pass(11);
        assert_eq!(world.sent, [(1, 1)]);
        assert!(world.keeper.traces.is_empty());
        world.assert_counted();
    }

    // OBS-2
    #[test]
    fn an_error_brings_all_of_its_trace_what_was_before_and_what_comes_after() {
        let mut world = World::new(100);
        world.end(1, 1, false, false);
        world.end(2, 1, false, false);
        world.pass(9);
        world.end(1, 2, false, false);
        world.pass(9);
        world.end(1, 3, false, true);
        world.end(1, 4, false, false);
        assert_eq!(world.sent, [(1, 1), (1, 2), (1, 3), (1, 4)], "others of its time are gone");
        world.assert_counted();
        world.pass(11);
        world.end(1, 5, false, false);
        assert_eq!(world.sent.len(), 4, "much later it is a trace like others");
    }

    // OBS-2
    #[test]
    fn what_is_held_back_is_bounded_and_the_oldest_goes_first() {
        let mut world = World::new(10);
        for trace in 0..1000 {
            world.end(trace, 1, false, false);
            world.assert_counted();
            assert!(world.keeper.weight <= 10);
        }
        assert_eq!(world.lost, 995);
        world.end(994, 2, false, true);
        world.end(999, 2, false, true);
        assert_eq!(world.sent, [(994, 2), (999, 1), (999, 2)]);
        for span in 0..1000 {
            world.end(7, span, false, false);
            assert!(world.keeper.weight <= 10, "one trace takes no more than there is");
        }
        world.assert_counted();
    }

    #[test]
    fn with_no_room_at_all_nothing_is_held_back() {
        let mut world = World::new(0);
        world.end(1, 1, false, false);
        world.end(1, 2, false, true);
        assert_eq!((world.sent.as_slice(), world.lost), ([(1, 2)].as_slice(), 1));
        world.assert_counted();
    }
}
