//! The files of imports: uploads until they are worked off, reports for as long as their imports are known.

use std::{
    collections::HashMap,
    fs::{self, DirEntry},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use db::DbError;
use jiff::{SignedDuration, Timestamp};
use kernel::{Ctx, TenantId};
use uuid::Uuid;

use super::{ImportError, ImportId};
use crate::Catalog;

const UPLOAD: &str = ".upload";
/// How long an upload may lie before it is asked whether anybody still wants it.
const OLD: SignedDuration = SignedDuration::from_hours(24);
/// Old uploads looked at in one pass; the next one sees more.
const OLD_MOST: usize = 1_000;

pub(super) fn upload_path(catalog: &Catalog, tenant: TenantId, id: ImportId) -> PathBuf {
    catalog.import_dir().join(format!("{tenant}-{id}{UPLOAD}"))
}

pub(super) fn rejects_path(catalog: &Catalog, tenant: TenantId, id: ImportId) -> PathBuf {
    catalog.import_dir().join(format!("{tenant}-{id}.rejects.csv"))
}

/// Runs blocking work on files away from the threads that serve requests.
pub(super) async fn with_files<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Keeps the file of an import that is about to be announced; when the disk is full, not even a part of it stays.
pub(crate) async fn keep_upload(
    catalog: &Catalog,
    tenant: TenantId,
    id: ImportId,
    body: Bytes,
) -> io::Result<()> {
    let (dir, path) = (catalog.import_dir().to_owned(), upload_path(catalog, tenant, id));
    with_files(move || {
        fs::create_dir_all(dir)?;
        write_whole(&path, &body)
    })
    .await
}

fn write_whole(path: &Path, body: &[u8]) -> io::Result<()> {
    fill(fs::File::create_new(path)?, path, body)
}

/// Writes `body` to the new file at `path`, or removes that.
fn fill(mut file: fs::File, path: &Path, body: &[u8]) -> io::Result<()> {
    let written = file.write_all(body);
    if written.is_err() {
        // That the disk is full is the news, not that tidying up failed too.
        let _ = fs::remove_file(path);
    }
    written
}

/// Removes the upload of an import that is over, or that never came to be.
pub(super) async fn remove_upload(catalog: &Catalog, tenant: TenantId, id: ImportId) -> io::Result<()> {
    let path = upload_path(catalog, tenant, id);
    with_files(move || remove(&path)).await
}

/// The report of rows not taken, once the import is over; `None` when it is on another machine or gone.
pub(crate) async fn open_rejects(
    catalog: &Catalog,
    tenant: TenantId,
    id: ImportId,
) -> io::Result<Option<tokio::fs::File>> {
    match tokio::fs::File::open(rejects_path(catalog, tenant, id)).await {
        Ok(report) => Ok(Some(report)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Uploads of this process' folder that are older than a day: some of them nobody will ever work on, because a
/// process was killed between keeping and announcing them.
#[derive(Debug, Default)]
pub struct OldUploads(HashMap<TenantId, Vec<Uuid>>);

impl OldUploads {
    /// Looks through the folder, for at most a thousand of them.
    ///
    /// # Errors
    /// When the folder cannot be read; that there is none yet is fine.
    pub async fn find(catalog: &Catalog) -> io::Result<Self> {
        let dir = catalog.import_dir().to_owned();
        let before = catalog.clock().now().checked_sub(OLD).unwrap_or(Timestamp::UNIX_EPOCH);
        with_files(move || {
            let entries = match fs::read_dir(dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
                entries => entries?,
            };
            let mut found: HashMap<TenantId, Vec<Uuid>> = HashMap::new();
            let old = entries.flatten().filter_map(|entry| old_upload(&entry, before));
            for (tenant, id) in old.take(OLD_MOST) {
                found.entry(tenant).or_default().push(id.0);
            }
            Ok(Self(found))
        })
        .await
    }

    /// Removes those of the tenant that no unfinished import names.
    ///
    /// # Errors
    /// [`ImportError`]; the next pass tries again.
    pub async fn remove_strays(&self, catalog: &Catalog, ctx: &Ctx) -> Result<(), ImportError> {
        let tenant = ctx.tenant_id();
        let Some(ids) = self.0.get(&tenant) else { return Ok(()) };
        let tx = catalog.db().begin_read(ctx).await?;
        let rows = tx.query(include_str!("find_unfinished.sql"), &[&tenant, ids]).await?;
        tx.commit().await?;
        let wanted: Vec<ImportId> =
            rows.iter().map(|row| row.try_get("id").map_err(DbError::from)).collect::<Result<_, _>>()?;
        for id in ids.iter().map(|id| ImportId(*id)).filter(|id| !wanted.contains(id)) {
            remove_upload(catalog, tenant, id).await?;
            tracing::warn!(import.id = %id, "an upload that no import names was removed");
        }
        Ok(())
    }
}

/// Whose upload a file is, when it is one and was written before.
fn old_upload(entry: &DirEntry, before: Timestamp) -> Option<(TenantId, ImportId)> {
    let name = entry.file_name();
    let (tenant, id) = name.to_str()?.strip_suffix(UPLOAD)?.split_once('-')?;
    let ids = (tenant.parse().ok()?, id.parse().ok()?);
    let written = Timestamp::try_from(entry.metadata().ok()?.modified().ok()?).ok()?;
    if written < before { Some(ids) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    // CAT-3
    #[test]
    fn an_upload_is_never_written_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.upload");
        write_whole(&path, b"whole").unwrap();
        assert!(write_whole(&path, b"again").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    // CAT-3: `/dev/full` is a disk without room.
    #[test]
    fn of_an_upload_that_does_not_fit_on_the_disk_nothing_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.upload");
        fs::write(&path, "a par").unwrap();
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let failed = fill(full, &path, b"a part of it").unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::StorageFull);
        assert!(!path.exists());
    }
}
