//! The one place of a process where ended spans go. Like the log and the numbers, there is one for all.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::{TracesConfig, counts::Counts, export::Exporter, keep::Keeper, run, span::Record};

/// Whether traces are made: all that a span costs while they are not.
static ON: AtomicBool = AtomicBool::new(false);
static RECORDER: OnceLock<Recorder> = OnceLock::new();

struct Recorder {
    to: mpsc::Sender<run::Note>,
    ratio: f64,
    follow_callers: bool,
    counts: Counts,
}

/// Traces cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The settings cannot work.
    #[error("{0}")]
    Config(String),
    /// There is no way to the collector.
    #[error("traces cannot be sent: {0}")]
    Client(String),
    /// They are made already.
    #[error("traces are made already")]
    Twice,
}

/// The making of traces; to be ended with [`Traces::close`].
#[derive(Debug)]
pub struct Traces {
    to: mpsc::Sender<run::Note>,
    task: JoinHandle<()>,
    limit: Duration,
}

/// Makes traces from now on, as `service` if the configuration names none; none without an endpoint. Once per process.
///
/// # Errors
/// [`TracesError`]; nothing is traced then.
pub fn start(config: &TracesConfig, service: &str) -> Result<Option<Traces>, TracesError> {
    let Some(url) = config.url().map_err(TracesError::Config)? else { return Ok(None) };
    let counts = Counts::new();
    let service = config.service.as_deref().unwrap_or(service);
    let exporter = Exporter::new(url, config, service, counts.clone())?;
    // As many as may wait to be sent: this is looked at all the time.
    let (to, inbox) = mpsc::channel(config.queue);
    let (ratio, follow_callers) = (config.ratio, config.follow_callers);
    let recorder = Recorder { to: to.clone(), ratio, follow_callers, counts: counts.clone() };
    RECORDER.set(recorder).map_err(|_| TracesError::Twice)?;
    let keeper = Keeper::new(config.linger(), config.held_back);
    let task = tokio::spawn(run::run(inbox, run::Post::new(keeper, exporter, config, counts)));
    ON.store(true, Ordering::Relaxed);
    Ok(Some(Traces { to, task, limit: config.timeout() }))
}

impl Traces {
    /// Makes no more traces; sends what is left, for no longer than the configuration's timeout.
    pub async fn close(self) {
        ON.store(false, Ordering::Relaxed);
        let abort = self.task.abort_handle();
        let closed = timeout(self.limit, async {
            let (done, sent) = oneshot::channel();
            if self.to.send(run::Note::Close(done)).await.is_ok() {
                // Fails when the task has ended already.
                let _ = sent.await;
            }
        });
        if closed.await.is_err() {
            tracing::warn!("the last traces were not sent in time");
        }
        abort.abort();
    }
}

/// Whether traces are made.
#[inline]
#[must_use]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Whether a trace is to be kept that begins here, or comes from a caller who has decided (`given`) if one has.
///
/// It is drawn, and not told by the trace's id as elsewhere: the id may be of the caller's choosing. What was drawn
/// travels with the trace.
#[must_use]
pub fn sampled(given: Option<bool>) -> bool {
    let Some(recorder) = RECORDER.get() else { return given.unwrap_or(false) };
    let followed = given.filter(|_| recorder.follow_callers);
    followed.unwrap_or_else(|| rand::random::<f64>() < recorder.ratio)
}

/// Takes a span that has ended; never waits.
pub(crate) fn put(record: Box<Record>) {
    let Some(recorder) = RECORDER.get() else { return };
    // At the end of the program nobody takes any more.
    if let Err(mpsc::error::TrySendError::Full(_)) = recorder.to.try_send(run::Note::Span(record)) {
        recorder.counts.flooded.increment(1);
    }
}
