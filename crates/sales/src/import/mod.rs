//! Use case: replay history from a CSV file. Whole sales or none of one; taking the same file twice changes nothing.

mod book_page;
mod group;
mod row;

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use catalog::Catalog;
use csvio::{HeaderError, ReadError, RejectWriter};
use db::{Db, DbError};
use kernel::Ctx;
use serde::Serialize;

pub use row::COLUMNS;

use group::Groups;

/// Sales per transaction at most.
const PAGE_SALES: usize = 400;
/// Rows per transaction at most, beyond the sale that reaches it.
const PAGE_ROWS: usize = 3_000;

/// Why an import stopped; what it had taken stays, and running it again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not one of sales.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The file cannot be read on.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file cannot be opened or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// More rows of unfinished sales than are held at once: the rows of a sale lie too far apart.
    #[error("the rows of single sales are spread too far over the file; sort it by external_id")]
    TooScattered,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The tax rates could not be read.
    #[error("{0}")]
    Taxes(String),
}

/// What became of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportSummary {
    /// Rows read, the header not counted.
    pub rows: u64,
    /// Sales booked now.
    pub sales: u64,
    /// Rows of the sales booked now.
    pub lines: u64,
    /// Sales that were here already with the same content.
    pub unchanged: u64,
    /// Rows that were not taken; each is in the report.
    pub rejected: u64,
}

/// Imports the sales in `file` (plain or gzip); what is not taken is written to `rejects`.
///
/// `progress` is told how many rows have been dealt with. Stock moves without being guarded: history has happened.
///
/// # Errors
/// [`ImportError`].
pub async fn import_sales(
    db: &Db,
    catalog: &Catalog,
    ctx: &Ctx,
    file: &Path,
    rejects: impl Write,
    mut progress: impl FnMut(u64),
) -> Result<ImportSummary, ImportError> {
    let taxes = catalog.tax_table(ctx).await.map_err(|error| ImportError::Taxes(format!("{error:?}")))?;
    let mut rejects = RejectWriter::new(rejects)?;
    let mut groups = Groups::open(File::open(file)?, File::open(file)?, ctx)?;
    let mut summary = ImportSummary::default();
    loop {
        let page = groups.next_page(PAGE_SALES, PAGE_ROWS)?;
        if page.sales.is_empty() && page.rejects.is_empty() {
            break;
        }
        for reject in &page.rejects {
            rejects.write(reject)?;
        }
        let booked = match book_page::book_page(db, ctx, &taxes, &page.sales).await {
            // Another import of the same sales got there first: look again.
            Err(DbError::Unique { .. } | DbError::Conflict(_)) => {
                book_page::book_page(db, ctx, &taxes, &page.sales).await?
            }
            other => other?,
        };
        for reject in &booked.rejects {
            rejects.write(reject)?;
        }
        summary.sales += booked.sales;
        summary.lines += booked.lines;
        summary.unchanged += booked.unchanged;
        summary.rows = groups.rows();
        progress(summary.rows);
    }
    summary.rows = groups.rows();
    summary.rejected = rejects.count();
    rejects.flush()?;
    Ok(summary)
}
