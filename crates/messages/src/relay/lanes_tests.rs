use std::collections::{BTreeMap, HashMap};

use kernel::TenantId;
use proptest::prelude::*;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::*;
use crate::MessageId;

/// The table `messages.delivery`: what is still to be handled, per lane, with the time of the next attempt.
type Table = BTreeMap<u8, BTreeMap<i64, (u32, Timestamp)>>;

#[derive(Debug, Clone)]
enum Step {
    /// A message of this lane is read from the outbox.
    Push(u8),
    /// The next ready message starts.
    Start,
    /// The message that has been running longest ends: 0 well, 1 failed, 2 not tried.
    End(u8),
    /// Time passes.
    Later(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..4).prop_map(Step::Push),
        3 => Just(Step::Start),
        3 => (0_u8..3).prop_map(Step::End),
        1 => (1_u8..20).prop_map(Step::Later),
    ];
    prop::collection::vec(step, 0..400)
}

fn key(lane: u8) -> LaneKey {
    LaneKey { tenant: TenantId(Uuid::nil()), consumer: "t", subject: lane.to_string().into() }
}

fn pending(seq: i64, attempts: u32) -> Pending {
    let message = crate::Message {
        id: MessageId::new(),
        seq,
        tenant: TenantId(Uuid::nil()),
        kind: "K".into(),
        subject: "s".into(),
        time: Timestamp::UNIX_EPOCH,
        correlation_id: "c".into(),
        traceparent: None,
        data: RawValue::from_string("0".to_owned()).unwrap(),
    };
    Pending { message: Arc::new(message), attempts, version: 0 }
}

struct Model {
    lanes: Lanes,
    table: Table,
    running: VecDeque<(u8, i64)>,
    handled: HashMap<u8, Vec<i64>>,
    now: Timestamp,
    seq: i64,
}

impl Model {
    fn new() -> Self {
        let (lanes, table, running, handled) = Default::default();
        Self { lanes, table, running, handled, now: Timestamp::UNIX_EPOCH, seq: 0 }
    }

    fn after(&self, seconds: i64) -> Timestamp {
        Timestamp::from_second(self.now.as_second() + seconds).unwrap()
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Push(lane) => {
                self.seq += 1;
                self.table.entry(lane).or_default().insert(self.seq, (0, self.now));
                self.lanes.push(key(lane), pending(self.seq, 0));
            }
            Step::Start => {
                if let Some((key, head)) = self.lanes.start() {
                    let lane = key.subject.parse().unwrap();
                    assert!(self.running.iter().all(|(other, _)| *other != lane), "two of one lane at once");
                    let first = self.table[&lane].keys().next();
                    assert_eq!(first, Some(&head.message.seq), "not the first of its lane");
                    self.running.push_back((lane, head.message.seq));
                }
            }
            Step::End(how) => self.end(how),
            Step::Later(seconds) => self.now = self.after(i64::from(seconds)),
        }
        self.load();
    }

    fn end(&mut self, how: u8) {
        let Some((lane, seq)) = self.running.pop_front() else { return };
        if how == 0 {
            self.table.get_mut(&lane).unwrap().remove(&seq);
            self.handled.entry(lane).or_default().push(seq);
            self.lanes.finish(key(lane), self.now);
            return;
        }
        let due = if how == 1 { self.after(10) } else { self.now };
        let (attempts, _) = self.table[&lane][&seq];
        self.table.get_mut(&lane).unwrap().insert(seq, (attempts + u32::from(how == 1), due));
        self.lanes.wait(key(lane), due, how == 2);
    }

    fn load(&mut self) {
        for key in self.lanes.take_due(self.now, 3) {
            let lane: u8 = key.subject.parse().unwrap();
            let rows = self.table.get(&lane).into_iter().flatten().take(LANE_MAX);
            let rows: Vec<_> = rows.map(|(seq, (attempts, due))| (pending(*seq, *attempts), *due)).collect();
            let due = rows.first().map_or(self.now, |(_, due)| *due);
            self.lanes.load(key, rows.into_iter().map(|(pending, _)| pending).collect(), due, self.now);
        }
    }

    fn run_out(&mut self) {
        while self.table.values().any(|lane| !lane.is_empty()) {
            for step in [Step::Start, Step::End(0), Step::Later(1)] {
                self.step(&step);
            }
        }
    }
}

proptest! {
    // MSG-2: whatever happens, one at a time, in order, and none forgotten.
    #[test]
    fn every_lane_is_handled_in_order_and_to_the_end(steps in steps()) {
        let mut model = Model::new();
        for step in &steps {
            model.step(step);
        }
        model.run_out();
        let total: usize = model.handled.values().map(Vec::len).sum();
        prop_assert_eq!(i64::try_from(total).unwrap(), model.seq);
        prop_assert!(model.handled.values().all(|lane| lane.is_sorted_by(|a, b| a < b)));
        prop_assert_eq!(model.lanes.queued(), 0);
        prop_assert!(!model.lanes.has_ready());
    }

    // A new leader knows nothing but the table.
    #[test]
    fn a_new_leader_goes_on_from_the_table(steps in steps()) {
        let mut model = Model::new();
        for step in &steps {
            model.step(step);
        }
        model.lanes = Lanes::default();
        model.running.clear();
        for (lane, rows) in &model.table {
            if let Some((_, (_, due))) = rows.iter().next() {
                model.lanes.discover(key(*lane), *due);
            }
        }
        model.run_out();
        let total: usize = model.handled.values().map(Vec::len).sum();
        prop_assert_eq!(i64::try_from(total).unwrap(), model.seq);
        prop_assert!(model.handled.values().all(|lane| lane.is_sorted_by(|a, b| a < b)));
    }
}

#[test]
fn a_long_lane_is_kept_in_part_only() {
    let mut model = Model::new();
    for _ in 0..500 {
        model.step(&Step::Push(1));
    }
    assert!(model.lanes.queued() <= LANE_MAX);
    assert_eq!(model.lanes.count(), 1);
    model.run_out();
    assert_eq!(model.handled[&1].len(), 500);
    assert_eq!(model.lanes.next_due(), None);
}
