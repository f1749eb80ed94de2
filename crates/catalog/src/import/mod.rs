//! Use case: take products from a file. Idempotent by SKU: what a row says is so afterwards, and what is so already is
//! left alone, without a new version and without a message.

mod file;
mod files;
mod lease;
mod row;
mod run;
mod take_batch;
mod turns;

use std::io::{self, Read, Write};

use csvio::{HeaderError, ReadError, RejectWriter};
use db::DbError;
use kernel::Ctx;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use files::OldUploads;
pub(crate) use files::{keep_upload, open_rejects};
pub use row::PRODUCT_COLUMNS;
pub use run::{ImportId, ImportRun, ImportStatus, resume_imports};
pub(crate) use run::{StartImportError, check_room, find_import, settle_upload, start_import};
pub(crate) use turns::TenantTurns;

use crate::Catalog;
use file::{Batch, ProductFile};
use lease::Lease;
use take_batch::{Taken, take_batch};

/// Tries of one batch when other transactions are in its way.
const MOST_TRIES: u32 = 5;
/// Rejected rows after which an import over HTTP fails: its report is kept on our disk, and stays below some 10 MB.
const MOST_REJECTS: u64 = 100_000;

/// What became of the rows of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductImport {
    /// Rows read, the header not counted.
    pub rows: u64,
    /// Products created.
    pub created: u64,
    /// Products changed.
    pub updated: u64,
    /// Rows that said what was so already, or what an earlier row said.
    pub unchanged: u64,
    /// Rows not taken; the rejects say why.
    pub rejected: u64,
}

/// Why an import stopped. What it had taken stays, and importing the file again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is no product file.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The file cannot be read on.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file cannot be opened, or the rejects not written.
    #[error("a file cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// So much of the file is wrong that its report would only fill the disk.
    #[error("too many rows were rejected, {} or more; correct the file and import it again", MOST_REJECTS)]
    TooManyRejects,
    /// Another process has taken the import over.
    #[error("another process has taken this import over")]
    TakenOver,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Imports the products of `source` (see [`PRODUCT_COLUMNS`]); what is not taken is written to `rejects`.
///
/// A thousand rows per transaction. `progress` is called after each with the sums so far. Prices are in the tenant's
/// currency; columns that the file lacks leave existing products as they are; an empty field is the default.
///
/// # Errors
/// [`ImportError`].
pub async fn import_products<R: Read, W: Write>(
    catalog: &Catalog,
    ctx: &Ctx,
    source: R,
    rejects: &mut RejectWriter<W>,
    mut progress: impl FnMut(&ProductImport),
) -> Result<ProductImport, ImportError> {
    import_from(catalog, ctx, source, rejects, None, &mut progress).await
}

/// [`import_products`] as the work of `lease`, from where it was stopped.
pub(crate) async fn import_from<R: Read, W: Write>(
    catalog: &Catalog,
    ctx: &Ctx,
    source: R,
    rejects: &mut RejectWriter<W>,
    lease: Option<&Lease>,
    progress: &mut impl FnMut(&ProductImport),
) -> Result<ProductImport, ImportError> {
    let taxes = catalog.tax_table(ctx).await?;
    let mut file = ProductFile::open(source, ctx.tenant.currency, taxes)?;
    let (start, taken) = lease.map_or_else(Default::default, |lease| (lease.start_line, lease.taken));
    let mut done = ProductImport { rows: 0, rejected: 0, ..taken };
    loop {
        let batch = file.next_batch()?;
        for reject in &batch.rejects {
            rejects.write(reject)?;
        }
        done.rows += batch.size();
        done.rejected += batch.rejects.len() as u64;
        // What was taken before is only reported again.
        if batch.next_line > start {
            done.unchanged += batch.repeated;
            done = take(catalog, ctx, &batch, done, lease).await?;
        }
        progress(&done);
        if lease.is_some() && done.rejected >= MOST_REJECTS {
            return Err(ImportError::TooManyRejects);
        }
        if batch.is_last {
            rejects.flush()?;
            return Ok(done);
        }
    }
}

/// Takes a batch in one transaction, again when others are in its way; returns the sums with it.
async fn take(
    catalog: &Catalog,
    ctx: &Ctx,
    batch: &Batch,
    done: ProductImport,
    lease: Option<&Lease>,
) -> Result<ProductImport, ImportError> {
    let mut tries = 1;
    loop {
        match try_take(catalog, ctx, batch, done, lease).await {
            Err(ImportError::Db(error)) if error.is_conflict() && tries < MOST_TRIES => tries += 1,
            taken => return taken,
        }
    }
}

async fn try_take(
    catalog: &Catalog,
    ctx: &Ctx,
    batch: &Batch,
    mut done: ProductImport,
    lease: Option<&Lease>,
) -> Result<ProductImport, ImportError> {
    let tx = catalog.db().begin(ctx).await?;
    let Taken { created, updated, unchanged } = take_batch(catalog, &tx, &batch.rows).await?;
    done.created += created;
    done.updated += updated;
    done.unchanged += unchanged;
    if let Some(lease) = lease
        && !lease.keep(catalog, &tx, &done, batch).await?
    {
        return Err(ImportError::TakenOver);
    }
    tx.commit().await?;
    Ok(done)
}
