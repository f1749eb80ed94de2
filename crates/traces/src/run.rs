//! Beside the requests: takes ended spans, decides which are sent, and sends them in batches, one after the other.
//!
//! Everything is bounded: what comes in, what is held back, what waits to be sent. What does not fit is dropped and
//! counted, so that a collector that is away or slow is nobody's trouble but its own.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use crate::{TracesConfig, counts::Counts, export::Exporter, keep::Keeper, span::Record};

/// Spans sent at once.
const BATCH: usize = 512;
/// How long a span waits for others at most.
const EVERY: Duration = Duration::from_millis(500);
/// Notes taken at once.
const TAKEN: usize = 256;

/// What the task is told.
#[derive(Debug)]
pub(crate) enum Note {
    /// A span has ended.
    Span(Box<Record>),
    /// Nothing more will come: send what is left and say so.
    Close(oneshot::Sender<()>),
}

/// What waits to be sent, and who sends it.
pub(crate) struct Post {
    keeper: Keeper,
    exporter: Arc<Exporter>,
    counts: Counts,
    most: usize,
    ready: VecDeque<Record>,
    sending: Option<JoinHandle<()>>,
}

impl Post {
    pub(crate) fn new(keeper: Keeper, exporter: Exporter, config: &TracesConfig, counts: Counts) -> Self {
        let (ready, exporter) = (VecDeque::new(), Arc::new(exporter));
        Self { keeper, exporter, counts, most: config.queue, ready, sending: None }
    }

    fn take(&mut self, record: Record, now: Instant) {
        let Self { keeper, ready, most, counts, .. } = self;
        let crowded = keeper.judge(record, now, |record| {
            if ready.len() < *most {
                ready.push_back(record);
            } else {
                counts.unsent.increment(1);
            }
        });
        counts.crowded.increment(crowded as u64);
    }

    /// Begins to send the next batch, unless one is on its way.
    fn send(&mut self) {
        if self.sending.is_some() || self.ready.is_empty() {
            return;
        }
        let batch: Vec<Record> = self.ready.drain(..self.ready.len().min(BATCH)).collect();
        let exporter = self.exporter.clone();
        self.sending = Some(tokio::spawn(async move { exporter.send(batch).await }));
    }

    /// Ends when the batch on its way has; never when there is none.
    async fn sent(&mut self) {
        match &mut self.sending {
            // A task that panicked has ended as well.
            Some(sending) => drop(sending.await),
            None => std::future::pending().await,
        }
        self.sending = None;
    }

    async fn send_all(&mut self) {
        while self.sending.is_some() || !self.ready.is_empty() {
            self.send();
            self.sent().await;
        }
    }
}

/// Works until it is told to close.
pub(crate) async fn run(mut inbox: mpsc::Receiver<Note>, mut post: Post) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut notes = Vec::with_capacity(TAKEN);
    loop {
        tokio::select! {
            taken = inbox.recv_many(&mut notes, TAKEN) => {
                let now = Instant::now();
                let mut close = None;
                for note in notes.drain(..) {
                    match note {
                        Note::Span(record) => post.take(*record, now),
                        Note::Close(done) => close = Some(done),
                    }
                }
                if close.is_some() || taken == 0 {
                    post.send_all().await;
                    // Nobody waits any more when the time is over.
                    let _ = close.map(|done| done.send(()));
                    return;
                }
                if post.ready.len() >= BATCH {
                    post.send();
                }
            }
            () = post.sent() => {
                if post.ready.len() >= BATCH {
                    post.send();
                }
            }
            _ = ticks.tick() => {
                post.keeper.forget(Instant::now());
                post.send();
            }
        }
    }
}
