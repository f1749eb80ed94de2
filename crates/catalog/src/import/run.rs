//! Imports over HTTP: the file is kept on disk, the work is done in the background, a stopped one goes on.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter},
    path::PathBuf,
};

use bytes::Bytes;
use csvio::RejectWriter;
use db::{DbError, Row, TenantTx};
use jiff::{SignedDuration, Timestamp};
use kernel::{Ctx, TenantId};
use serde::Serialize;
use tokio::runtime::Handle;
use utoipa::ToSchema;

use super::{ImportError, ProductImport, import_from, lease::Lease};
use crate::Catalog;

/// How long finished imports and their reports are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long an import waits for the process that has its file.
const WAITS: SignedDuration = SignedDuration::from_hours(24);

kernel::id!(
    /// An import.
    ImportId,
    "imp"
);

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ImportStatus {
    /// Waiting for its turn.
    Queued,
    /// Being worked on, or about to be taken up again after a stop.
    Running,
    /// Every row was looked at.
    Done,
    /// The file could not be read on; what was taken stays.
    Failed,
}

/// An import and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportRun {
    /// Identity.
    pub id: ImportId,
    /// Where it stands.
    pub status: ImportStatus,
    /// Size of the file.
    pub bytes: i64,
    /// Of which have been worked on, packed files by what they hold.
    pub bytes_done: i64,
    /// Products created so far.
    pub created: i64,
    /// Products changed so far.
    pub updated: i64,
    /// Rows so far that said what was so already.
    pub unchanged: i64,
    /// Rows so far that were not taken.
    pub rejected: i64,
    /// Why it failed.
    pub failure: Option<String>,
    /// When the file came.
    pub created_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
}

impl ImportRun {
    fn decode(row: &Row) -> Result<Self, DbError> {
        let status = match row.try_get("status")? {
            "queued" => ImportStatus::Queued,
            "running" => ImportStatus::Running,
            "done" => ImportStatus::Done,
            _ => ImportStatus::Failed,
        };
        Ok(Self {
            id: row.try_get("id")?,
            status,
            bytes: row.try_get("bytes")?,
            bytes_done: row.try_get("bytes_done")?,
            created: row.try_get("created")?,
            updated: row.try_get("updated")?,
            unchanged: row.try_get("unchanged")?,
            rejected: row.try_get("rejected")?,
            failure: row.try_get("failure")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.status, ImportStatus::Done | ImportStatus::Failed)
    }
}

fn upload_path(catalog: &Catalog, tenant: TenantId, id: ImportId) -> PathBuf {
    catalog.import_dir().join(format!("{tenant}-{id}.upload"))
}

fn rejects_path(catalog: &Catalog, tenant: TenantId, id: ImportId) -> PathBuf {
    catalog.import_dir().join(format!("{tenant}-{id}.rejects.csv"))
}

/// Runs blocking work on files away from the threads that serve requests.
async fn with_files<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Keeps the file of an import that is about to be announced with [`start_import`].
pub(crate) async fn keep_upload(
    catalog: &Catalog,
    tenant: TenantId,
    id: ImportId,
    body: Bytes,
) -> io::Result<()> {
    let (dir, path) = (catalog.import_dir().to_owned(), upload_path(catalog, tenant, id));
    with_files(move || {
        fs::create_dir_all(dir)?;
        fs::write(path, body)
    })
    .await
}

/// Announces an import whose file is kept.
pub(crate) async fn start_import(tx: &TenantTx, id: ImportId, bytes: usize) -> Result<ImportRun, DbError> {
    let (bytes, now) = (i64::try_from(bytes).unwrap_or(i64::MAX), tx.ctx().now());
    tx.execute(include_str!("insert_run.sql"), &[&tx.tenant_id(), &id, &bytes, &now]).await?;
    let run = find_import(tx, id).await?;
    run.ok_or_else(|| DbError::Other("an import was written and not found".to_owned()))
}

/// One import.
pub(crate) async fn find_import(tx: &TenantTx, id: ImportId) -> Result<Option<ImportRun>, DbError> {
    let row = tx.query_opt(include_str!("find_run.sql"), &[&tx.tenant_id(), &id]).await?;
    row.as_ref().map(ImportRun::decode).transpose()
}

/// The report of rows not taken, once the import is over; empty when it is on another machine or gone.
pub(crate) async fn read_rejects(catalog: &Catalog, tenant: TenantId, id: ImportId) -> io::Result<Bytes> {
    let path = rejects_path(catalog, tenant, id);
    match with_files(move || fs::read(path)).await {
        Ok(report) => Ok(Bytes::from(report)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Bytes::new()),
        Err(error) => Err(error),
    }
}

/// Works on an import in the background, from its start or from where it was stopped.
pub(crate) fn work_on(catalog: Catalog, ctx: Ctx, id: ImportId) {
    tokio::spawn(async move {
        if let Err(error) = work(catalog, ctx, id).await {
            // It stays as it is and is taken up again when its lease ends.
            tracing::warn!(import.id = %id, error = %error, "import stopped");
        }
    });
}

/// Works on an import to its end; one that others work on, or that does not exist, is left alone.
pub(crate) async fn work(catalog: Catalog, ctx: Ctx, id: ImportId) -> Result<(), ImportError> {
    let tenant = ctx.tenant_id();
    let turn = catalog.import_turns().acquire().await;
    let claimed = Lease::claim(&catalog, &ctx, id).await?;
    let Some(lease) = claimed else {
        let tx = catalog.db().begin_read(&ctx).await?;
        let known = find_import(&tx, id).await?.is_some();
        tx.commit().await?;
        let path = upload_path(&catalog, tenant, id);
        // The file of a request that was refused, or answered from an earlier one.
        return if known { Ok(()) } else { Ok(with_files(move || remove(path)).await?) };
    };
    // Reading blocks, so the whole import runs on a thread where that is allowed.
    let (runtime, inner, its_ctx) = (Handle::current(), catalog.clone(), ctx.clone());
    let ended =
        tokio::task::spawn_blocking(move || runtime.block_on(run(&inner, &its_ctx, id, &lease))).await;
    drop(turn);
    match ended.map_err(|error| ImportError::Io(io::Error::other(error)))? {
        Ok(done) => lease.end(&catalog, &ctx, done.rejected, None).await?,
        Err((ImportError::Db(error), _)) => return Err(ImportError::Db(error)),
        Err((ImportError::TakenOver, _)) => return Ok(()),
        Err((error, rejected)) => lease.end(&catalog, &ctx, rejected, Some(&shown(&error))).await?,
    }
    let path = upload_path(&catalog, tenant, id);
    Ok(with_files(move || remove(path)).await?)
}

async fn run(
    catalog: &Catalog,
    ctx: &Ctx,
    id: ImportId,
    lease: &Lease,
) -> Result<ProductImport, (ImportError, u64)> {
    let tenant = ctx.tenant_id();
    let open = || -> io::Result<_> {
        let source = csvio::open(BufReader::new(File::open(upload_path(catalog, tenant, id))?))?;
        let target = BufWriter::new(File::create(rejects_path(catalog, tenant, id))?);
        Ok((source, RejectWriter::new(target)?))
    };
    let (source, mut rejects) = open().map_err(|error| (ImportError::Io(error), 0))?;
    let ended = import_from(catalog, ctx, source, &mut rejects, Some(lease), &mut |_| {}).await;
    let kept = rejects.flush();
    let count = rejects.count();
    ended.and_then(|done| kept.map(|()| done).map_err(ImportError::Io)).map_err(|error| (error, count))
}

/// What the client is told; paths of this machine are not its business.
fn shown(error: &ImportError) -> String {
    match error {
        ImportError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            "the uploaded file is not on this machine any more; upload it again".to_owned()
        }
        ImportError::Io(_) => "the file could not be read or the report not written".to_owned(),
        other => other.to_string(),
    }
}

fn remove(path: PathBuf) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes up the imports of a tenant that nobody works on, one after the other, and forgets those over for 30 days.
///
/// # Errors
/// [`ImportError`] of the first that could not be worked on; it is left for the next call.
pub async fn resume_imports(catalog: &Catalog, ctx: &Ctx) -> Result<(), ImportError> {
    let (tx, now) = (catalog.db().begin(ctx).await?, catalog.clock().now());
    let given_up = now.checked_sub(WAITS).unwrap_or(Timestamp::UNIX_EPOCH);
    let left = tx.query(include_str!("find_left_runs.sql"), &[&tx.tenant_id(), &now]).await?;
    let over = now.checked_sub(KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
    let purged = tx.query(include_str!("purge_runs.sql"), &[&tx.tenant_id(), &over]).await?;
    tx.commit().await?;
    for row in &purged {
        let id: ImportId = row.try_get("id").map_err(DbError::from)?;
        let path = rejects_path(catalog, ctx.tenant_id(), id);
        with_files(move || remove(path)).await?;
    }
    for row in &left {
        let id: ImportId = row.try_get("id").map_err(DbError::from)?;
        let updated_at: Timestamp = row.try_get("updated_at").map_err(DbError::from)?;
        let path = upload_path(catalog, ctx.tenant_id(), id);
        // The file may lie with another process; only when none comes back for it is the import declared failed.
        if updated_at < given_up || with_files(move || path.try_exists()).await? {
            work(catalog.clone(), ctx.clone(), id).await?;
        }
    }
    Ok(())
}
