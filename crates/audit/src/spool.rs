//! Entries on the local disk, for as long as they cannot be written to their database.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use metrics::Gauge;
use uuid::Uuid;

use crate::Record;

/// Files of a spool are called `<id>.jsonl`; whoever writes one holds its lock.
const SUFFIX: &str = "jsonl";
/// More than this is not kept: whoever looks after the installation has been told long before.
const MOST_BYTES: u64 = 4 << 30;

/// Why entries were not spooled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    /// The disk refuses.
    #[error("the spool cannot be written: {0}")]
    Disk(#[from] io::Error),
    /// It is as large as it may get.
    #[error("the spool is full")]
    Full,
    /// An entry has no form on disk.
    #[error("an entry cannot be written down: {0}")]
    Form(#[from] serde_json::Error),
}

/// The spool of a process: a folder that it may share with other processes, and its own file in it.
pub(crate) struct Spool {
    dir: PathBuf,
    own: Mutex<Option<Own>>,
    bytes: Gauge,
}

struct Own {
    id: Uuid,
    file: File,
    length: u64,
}

/// A file that is complete: nobody writes to it any more.
#[derive(Debug)]
pub(crate) struct Complete {
    pub(crate) id: Uuid,
    pub(crate) path: PathBuf,
    /// Holds the lock until it is dropped.
    _file: File,
}

impl Spool {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, own: Mutex::default(), bytes: metrics::gauge!("markethall_audit_spool_bytes") }
    }

    /// Writes entries to the end of this process's file; they are on the disk when `lasting`.
    pub(crate) fn append(&self, records: &[Record], lasting: bool) -> Result<(), SpoolError> {
        let mut lines = Vec::new();
        for record in records {
            serde_json::to_writer(&mut lines, record)?;
            lines.push(b'\n');
        }
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.is_none() {
            *own = Some(self.open()?);
        }
        let Some(open) = own.as_mut() else { return Ok(()) };
        if open.length + lines.len() as u64 > MOST_BYTES {
            return Err(SpoolError::Full);
        }
        if let Err(error) = open.file.write_all(&lines) {
            // Half a line must not be taken for the beginning of the next one.
            open.file.set_len(open.length)?;
            return Err(error.into());
        }
        open.length += lines.len() as u64;
        self.bytes.set(open.length as f64);
        if lasting {
            open.file.sync_data()?;
        }
        Ok(())
    }

    fn open(&self) -> Result<Own, SpoolError> {
        fs::create_dir_all(&self.dir)?;
        let id = Uuid::now_v7();
        let path = self.dir.join(format!("{id}.{SUFFIX}"));
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        file.try_lock().map_err(io::Error::from)?;
        Ok(Own { id, file, length: 0 })
    }

    /// Everything that waits: this process's own file, to which nothing is added from now on, and those that dead
    /// processes have left. The oldest first.
    pub(crate) fn complete(&self) -> Vec<Complete> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).take();
        let own_id = own.as_ref().map(|own| own.id);
        let mut found: Vec<_> = own.map(|own| self.take_over(own.id, own.file)).into_iter().collect();
        found.extend(self.left_behind(own_id));
        found.sort_by_key(|file| file.id);
        found
    }

    fn take_over(&self, id: Uuid, file: File) -> Complete {
        Complete { id, path: self.dir.join(format!("{id}.{SUFFIX}")), _file: file }
    }

    fn left_behind(&self, own: Option<Uuid>) -> Vec<Complete> {
        let Ok(files) = fs::read_dir(&self.dir) else { return Vec::new() };
        let ids = files.filter_map(|file| id_of(&file.ok()?.path()));
        ids.filter(|id| Some(*id) != own)
            .filter_map(|id| {
                let file = File::open(self.dir.join(format!("{id}.{SUFFIX}"))).ok()?;
                file.try_lock().ok()?;
                Some(self.take_over(id, file))
            })
            .collect()
    }

    /// Forgets a file all of which has been taken.
    pub(crate) fn done(&self, file: &Complete) {
        if let Err(error) = fs::remove_file(&file.path) {
            tracing::warn!(cause = %error, "a spool file that is done with cannot be removed");
        }
        self.bytes.set(0.0);
    }
}

fn id_of(path: &Path) -> Option<Uuid> {
    let is_ours = path.extension().is_some_and(|suffix| suffix == SUFFIX);
    if is_ours { path.file_stem()?.to_str()?.parse().ok() } else { None }
}
