//! What waits to be written; recording never makes a request wait.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use db::Db;
use edge::{Audit, AuditEntry};
use kernel::Clock;
use messages::TenantLookup;
use metrics::Counter;
use tokio::{
    sync::mpsc::{Receiver, Sender, channel, error::TrySendError},
    task::JoinHandle,
};

use crate::{AuditConfig, Record, spool::Spool, writer::Writer};

/// Bodies that may wait in memory, in bytes; of more the surplus goes to the spool.
const MOST_BYTES: usize = 64 << 20;

/// An entry and the room that its bodies take, which it gives back when it is dropped.
pub(crate) struct Waiting {
    pub(crate) entry: AuditEntry,
    _room: Room,
}

struct Room {
    size: usize,
    of: Arc<AtomicUsize>,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.of.fetch_sub(self.size, Ordering::Relaxed);
    }
}

/// Takes entries from the gate and writes them. Cheap to clone.
#[derive(Clone)]
pub struct Auditor(Arc<Inner>);

struct Inner {
    config: AuditConfig,
    queue: Mutex<Option<Sender<Waiting>>>,
    waiting: Mutex<Option<Receiver<Waiting>>>,
    bytes: Arc<AtomicUsize>,
    writing: Mutex<Option<JoinHandle<()>>>,
    spool: Arc<Spool>,
    reads: AtomicU32,
    spooled: Counter,
    lost: Counter,
}

fn describe_metrics() {
    metrics::describe_counter!("markethall_audit_written_total", "Entries written to databases.");
    metrics::describe_counter!("markethall_audit_spooled_total", "Entries put on disk for later.");
    metrics::describe_counter!("markethall_audit_lost_total", "Entries lost: the disk was full too.");
    metrics::describe_gauge!("markethall_audit_spool_bytes", "Bytes of entries that wait on disk.");
}

impl Auditor {
    /// An auditor whose spool lies in `data_dir`; nothing is written before [`Auditor::start`].
    #[must_use]
    pub fn new(config: AuditConfig, data_dir: &Path) -> Self {
        let (queue, waiting) = channel(config.queue);
        describe_metrics();
        Self(Arc::new(Inner {
            config,
            queue: Mutex::new(Some(queue)),
            waiting: Mutex::new(Some(waiting)),
            bytes: Arc::default(),
            writing: Mutex::default(),
            spool: Arc::new(Spool::new(data_dir.join("audit-spool"))),
            reads: AtomicU32::new(0),
            spooled: metrics::counter!("markethall_audit_spooled_total"),
            lost: metrics::counter!("markethall_audit_lost_total"),
        }))
    }

    /// Begins to write, in the background; what a dead process has left in the spool too. Once.
    pub fn start(&self, db: Db, tenants: Arc<dyn TenantLookup>, clock: Clock) {
        let Some(waiting) = lock(&self.0.waiting).take() else { return };
        let writer = Writer::new(db, tenants, clock, self.0.spool.clone());
        *lock(&self.0.writing) = Some(tokio::spawn(writer.run(waiting)));
    }

    /// Takes no more, and ends once everything taken is in the databases or in the spool.
    pub async fn stop(&self) {
        drop(lock(&self.0.queue).take());
        let writing = lock(&self.0.writing).take();
        if let Some(writing) = writing
            && writing.await.is_err()
        {
            tracing::error!("the writer of the audit log has failed");
        }
    }

    /// To the spool, as there is no place in memory.
    fn spill(&self, entry: &AuditEntry) {
        match self.0.spool.append(&[Record::of(entry)], false) {
            Ok(()) => self.0.spooled.increment(1),
            Err(error) => {
                self.0.lost.increment(1);
                tracing::error!(cause = %error, "an entry of the audit log is lost");
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Audit for Auditor {
    fn wants(&self, changes: bool) -> bool {
        if !self.0.config.enabled || changes {
            return self.0.config.enabled;
        }
        let percent = self.0.config.reads_percent;
        // Spread evenly: of a hundred in a row exactly so many.
        percent > 0 && self.0.reads.fetch_add(percent, Ordering::Relaxed) % 100 < percent
    }

    fn record(&self, entry: AuditEntry) {
        let size = entry.request.len() + entry.response.len();
        let before = self.0.bytes.fetch_add(size, Ordering::Relaxed);
        let waiting = Waiting { entry, _room: Room { size, of: self.0.bytes.clone() } };
        let queue = lock(&self.0.queue).clone().filter(|_| before + size <= MOST_BYTES);
        let refused = match queue {
            Some(queue) => queue.try_send(waiting).err().map(TrySendError::into_inner),
            None => Some(waiting),
        };
        if let Some(waiting) = refused {
            self.spill(&waiting.entry);
        }
    }
}
