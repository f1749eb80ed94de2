//! Imports over HTTP: the file is kept on disk, the work is done in the background, a stopped one goes on.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter},
};

use csvio::RejectWriter;
use db::{DbError, Row, TenantTx};
use jiff::{SignedDuration, Timestamp};
use kernel::Ctx;
use serde::Serialize;
use tokio::runtime::Handle;
use utoipa::ToSchema;

use super::{
    ImportError, ProductImport,
    files::{rejects_path, remove, remove_upload, upload_path, with_files},
    import_from,
    lease::Lease,
    turns::Turn,
};
use crate::Catalog;

/// How long finished imports and their reports are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Finished imports of a tenant that are kept: each has a report of up to some 10 MB.
const KEPT_MOST: i64 = 50;

/// Imports of a tenant that wait or are worked on: each has a file of up to 64 MiB.
const UNFINISHED_MOST: i64 = 4;

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
    /// The file could not be read on, or too many of its rows were rejected; what was taken stays.
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

/// Why an import is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartImportError {
    /// The tenant has as many unfinished ones as it may have.
    #[error("{} imports are unfinished", UNFINISHED_MOST)]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Whether the tenant may have one more import. Asked before its file is kept, and again when it is announced.
///
/// # Errors
/// [`StartImportError::TooMany`] when it may not.
pub(crate) async fn check_room(tx: &TenantTx) -> Result<(), StartImportError> {
    let row = tx.query_one(include_str!("count_unfinished.sql"), &[&tx.tenant_id()]).await?;
    let unfinished: i64 = row.try_get("unfinished").map_err(DbError::from)?;
    if unfinished < UNFINISHED_MOST { Ok(()) } else { Err(StartImportError::TooMany) }
}

/// Announces an import whose file is kept.
///
/// # Errors
/// [`StartImportError`]; however many are announced at once, never more than the bound are.
pub(crate) async fn start_import(
    tx: &TenantTx,
    id: ImportId,
    bytes: usize,
) -> Result<ImportRun, StartImportError> {
    tx.query(include_str!("lock_runs.sql"), &[&tx.tenant_id()]).await?;
    check_room(tx).await?;
    let (bytes, now) = (i64::try_from(bytes).unwrap_or(i64::MAX), tx.ctx().now());
    tx.execute(include_str!("insert_run.sql"), &[&tx.tenant_id(), &id, &bytes, &now]).await?;
    let run = find_import(tx, id).await?;
    Ok(run.ok_or_else(|| DbError::Other("an import was written and not found".to_owned()))?)
}

/// One import.
pub(crate) async fn find_import(tx: &TenantTx, id: ImportId) -> Result<Option<ImportRun>, DbError> {
    let row = tx.query_opt(include_str!("find_run.sql"), &[&tx.tenant_id(), &id]).await?;
    row.as_ref().map(ImportRun::decode).transpose()
}

/// Decides over a kept file when its announcement has been tried: it is worked on, or it goes away at once, because the
/// announcement was refused, or answered from an earlier one.
pub(crate) async fn settle_upload(catalog: Catalog, ctx: Ctx, id: ImportId, answered: bool) {
    let known = async {
        let tx = catalog.db().begin_read(&ctx).await?;
        let known = find_import(&tx, id).await?.is_some();
        tx.commit().await?;
        Ok::<bool, DbError>(known)
    };
    if known.await.unwrap_or(answered) {
        work_on(catalog, ctx, id);
    } else if let Err(error) = remove_upload(&catalog, ctx.tenant_id(), id).await {
        tracing::warn!(import.id = %id, %error, "an upload that was not taken cannot be removed");
    }
}

/// Works on an import in the background when it is the tenant's turn, from its start or from where it was stopped.
fn work_on(catalog: Catalog, ctx: Ctx, id: ImportId) {
    tokio::spawn(async move {
        // Waiting for the tenant's own turn takes no place that others could have.
        let Some(turn) = catalog.tenant_imports().take(ctx.tenant_id()).await else { return };
        if let Err(error) = work(&catalog, &ctx, id, turn).await {
            // It stays as it is and is taken up again when its lease ends.
            tracing::warn!(import.id = %id, error = %error, "import stopped");
        }
    });
}

/// Works on an import to its end; one that others work on is left alone.
async fn work(catalog: &Catalog, ctx: &Ctx, id: ImportId, turn: Turn) -> Result<(), ImportError> {
    let place = catalog.import_turns().acquire().await;
    let Some(lease) = Lease::claim(catalog, ctx, id).await? else { return Ok(()) };
    // Reading blocks, so the whole import runs on a thread where that is allowed.
    let (runtime, inner, its_ctx) = (Handle::current(), catalog.clone(), ctx.clone());
    let ended =
        tokio::task::spawn_blocking(move || runtime.block_on(run(&inner, &its_ctx, id, &lease))).await;
    drop((place, turn));
    match ended.map_err(|error| ImportError::Io(io::Error::other(error)))? {
        Ok(done) => lease.end(catalog, ctx, done.rejected, None).await?,
        Err((ImportError::Db(error), _)) => return Err(ImportError::Db(error)),
        Err((ImportError::TakenOver, _)) => return Ok(()),
        Err((error, rejected)) => lease.end(catalog, ctx, rejected, Some(&shown(&error))).await?,
    }
    remove_upload(catalog, ctx.tenant_id(), id).await?;
    forget_old(catalog, ctx).await
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

/// Forgets imports over for 30 days, and those behind the newest, with their reports.
async fn forget_old(catalog: &Catalog, ctx: &Ctx) -> Result<(), ImportError> {
    let tx = catalog.db().begin(ctx).await?;
    let over = catalog.clock().now().checked_sub(KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
    let purged = tx.query(include_str!("purge_runs.sql"), &[&tx.tenant_id(), &over, &KEPT_MOST]).await?;
    tx.commit().await?;
    for row in &purged {
        let id: ImportId = row.try_get("id").map_err(DbError::from)?;
        let path = rejects_path(catalog, ctx.tenant_id(), id);
        with_files(move || remove(&path)).await?;
    }
    Ok(())
}

/// Takes up the imports of a tenant that nobody works on, one after the other, and forgets the old ones.
///
/// # Errors
/// [`ImportError`] of the first that could not be worked on; it is left for the next call.
pub async fn resume_imports(catalog: &Catalog, ctx: &Ctx) -> Result<(), ImportError> {
    forget_old(catalog, ctx).await?;
    let (tx, now) = (catalog.db().begin_read(ctx).await?, catalog.clock().now());
    let given_up = now.checked_sub(WAITS).unwrap_or(Timestamp::UNIX_EPOCH);
    let left = tx.query(include_str!("find_left_runs.sql"), &[&tx.tenant_id(), &now]).await?;
    tx.commit().await?;
    for row in &left {
        let id: ImportId = row.try_get("id").map_err(DbError::from)?;
        let updated_at: Timestamp = row.try_get("updated_at").map_err(DbError::from)?;
        let path = upload_path(catalog, ctx.tenant_id(), id);
        // The file may lie with another process; only when none comes back for it is the import declared failed.
        if updated_at < given_up || with_files(move || path.try_exists()).await? {
            // This process is at work for the tenant already: the job must not wait for that, others are in its line.
            let Some(turn) = catalog.tenant_imports().try_take(ctx.tenant_id()) else { return Ok(()) };
            work(catalog, ctx, id, turn).await?;
        }
    }
    Ok(())
}
