//! From the queue to the databases, in batches; by way of the spool where a database is away.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use db::{Db, DbError};
use edge::AuditEntry;
use kernel::{Clock, Ctx, Tenant, TenantId};
use messages::TenantLookup;
use metrics::Counter;
use tokio::{
    fs::File,
    io::{AsyncBufReadExt as _, BufReader, Lines},
    sync::mpsc::Receiver,
    time::{Instant, timeout_at},
};

use crate::{
    Record,
    queue::Waiting,
    spool::{Complete, Spool},
    store::{Spooled, append},
};

/// Entries in one batch.
const BATCH: usize = 200;
/// How long a batch that is not full waits for more.
const LINGER: Duration = Duration::from_millis(200);
/// How often the spool is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// The one that writes.
pub(crate) struct Writer {
    db: Db,
    tenants: Arc<dyn TenantLookup>,
    clock: Clock,
    spool: Arc<Spool>,
    /// Spool files that were not taken whole.
    left: Vec<Complete>,
    written: Counter,
    spooled: Counter,
    lost: Counter,
}

impl Writer {
    pub(crate) fn new(db: Db, tenants: Arc<dyn TenantLookup>, clock: Clock, spool: Arc<Spool>) -> Self {
        Self {
            db,
            tenants,
            clock,
            spool,
            left: Vec::new(),
            written: metrics::counter!("markethall_audit_written_total"),
            spooled: metrics::counter!("markethall_audit_spooled_total"),
            lost: metrics::counter!("markethall_audit_lost_total"),
        }
    }

    /// Until the queue is closed and empty.
    pub(crate) async fn run(mut self, mut queue: Receiver<Waiting>) {
        let mut again = Instant::now();
        loop {
            match timeout_at(again, queue.recv()).await {
                Ok(Some(first)) => {
                    let batch = gather(first.entry, &mut queue).await;
                    self.write(batch).await;
                }
                Ok(None) => return self.take_spool().await,
                Err(_) => {
                    self.take_spool().await;
                    again = Instant::now() + AGAIN;
                }
            }
            if Instant::now() >= again {
                self.take_spool().await;
                again = Instant::now() + AGAIN;
            }
        }
    }

    async fn write(&self, batch: Vec<AuditEntry>) {
        let mut by_tenant: BTreeMap<TenantId, (Arc<Tenant>, Vec<Record>)> = BTreeMap::new();
        for entry in batch {
            let (_, records) =
                by_tenant.entry(entry.tenant.id).or_insert_with(|| (entry.tenant.clone(), Vec::new()));
            records.push(Record::of(&entry));
        }
        let mut refused = Vec::new();
        for (tenant, records) in by_tenant.into_values() {
            match append(&self.db, &self.ctx(&tenant), &records, None).await {
                Ok(()) => self.written.increment(records.len() as u64),
                Err(error) => {
                    tracing::warn!(tenant = &*tenant.slug, cause = %error, "audit entries go to the spool");
                    refused.extend(records);
                }
            }
        }
        if !refused.is_empty() {
            self.keep(refused).await;
        }
    }

    async fn keep(&self, records: Vec<Record>) {
        let (spool, many) = (self.spool.clone(), records.len() as u64);
        let kept = tokio::task::spawn_blocking(move || spool.append(&records, true)).await;
        match kept {
            Ok(Ok(())) => self.spooled.increment(many),
            Ok(Err(error)) => {
                self.lost.increment(many);
                tracing::error!(cause = %error, many, "entries of the audit log are lost");
            }
            Err(error) => {
                self.lost.increment(many);
                tracing::error!(cause = %error, many, "entries of the audit log are lost");
            }
        }
    }

    /// Takes what the spool holds, as far as the databases answer.
    async fn take_spool(&mut self) {
        let mut files = std::mem::take(&mut self.left);
        files.extend(self.spool.complete());
        for file in files {
            match self.take_file(&file).await {
                Ok(true) => self.spool.done(&file),
                Ok(false) => self.left.push(file),
                Err(error) => {
                    tracing::warn!(cause = %error, "a spool file cannot be read now");
                    self.left.push(file);
                }
            }
        }
    }

    /// Whether all of it is in the databases now.
    async fn take_file(&self, file: &Complete) -> std::io::Result<bool> {
        let mut lines = BufReader::new(File::open(&file.path).await?).lines();
        let (mut line, mut away) = (0, BTreeSet::new());
        loop {
            let piece = next_piece(&mut lines).await?;
            if piece.is_empty() {
                return Ok(away.is_empty());
            }
            line += i64::try_from(piece.len()).unwrap_or(i64::MAX);
            let mut by_tenant: BTreeMap<TenantId, Vec<Record>> = BTreeMap::new();
            for record in piece.iter().filter_map(|text| read(text)) {
                by_tenant.entry(record.tenant).or_default().push(record);
            }
            for (tenant, records) in by_tenant {
                // What comes later may not be taken before what comes first.
                if away.contains(&tenant) {
                    continue;
                }
                if let Err(error) = self.take(tenant, &records, Spooled { file: file.id, line }).await {
                    tracing::debug!(cause = %error, "audit entries stay in the spool");
                    away.insert(tenant);
                }
            }
        }
    }

    async fn take(&self, tenant: TenantId, records: &[Record], spooled: Spooled) -> Result<(), DbError> {
        let found = self.tenants.find_tenant(tenant).await;
        let Some(tenant) = found.map_err(|error| DbError::Unavailable(error.to_string()))? else {
            // Gone, with all that was its own.
            return Ok(());
        };
        append(&self.db, &self.ctx(&tenant), records, Some(spooled)).await?;
        self.written.increment(records.len() as u64);
        Ok(())
    }

    fn ctx(&self, tenant: &Arc<Tenant>) -> Ctx {
        Ctx::system(tenant.clone(), "audit", self.clock.now())
    }
}

async fn gather(first: AuditEntry, queue: &mut Receiver<Waiting>) -> Vec<AuditEntry> {
    let until = Instant::now() + LINGER;
    let mut batch = vec![first];
    while batch.len() < BATCH {
        match timeout_at(until, queue.recv()).await {
            Ok(Some(waiting)) => batch.push(waiting.entry),
            Ok(None) | Err(_) => break,
        }
    }
    batch
}

async fn next_piece(lines: &mut Lines<BufReader<File>>) -> std::io::Result<Vec<String>> {
    let mut piece = Vec::new();
    while piece.len() < BATCH {
        match lines.next_line().await? {
            Some(line) => piece.push(line),
            None => break,
        }
    }
    Ok(piece)
}

/// A line that a dying process has not finished holds no entry.
fn read(line: &str) -> Option<Record> {
    serde_json::from_str(line).inspect_err(|_| tracing::warn!("a line of the spool holds no entry")).ok()
}
