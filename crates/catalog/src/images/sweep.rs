//! Use case: remove the files that no product shows.

use db::DbError;
use jiff::{SignedDuration, Timestamp};
use kernel::Ctx;

use super::{ImageId, ObjectsError, discard};
use crate::Catalog;

/// How long an upload may take before its file counts as left behind.
const WAITS: SignedDuration = SignedDuration::from_hours(24);
/// Files removed in one go; the next run goes on.
const SWEPT_MOST: i64 = 500;

/// Removes files of the tenant that were sent more than a day ago and that no product shows; returns how many.
///
/// # Errors
/// [`ObjectsError`] or [`DbError`] of the first that cannot be removed; it stays known for the next run.
pub async fn sweep_images(catalog: &Catalog, ctx: &Ctx) -> Result<usize, SweepError> {
    let before = ctx.now().checked_sub(WAITS).unwrap_or(Timestamp::UNIX_EPOCH);
    let tx = catalog.db().begin_read(ctx).await?;
    let rows =
        tx.query(include_str!("find_left_images.sql"), &[&tx.tenant_id(), &before, &SWEPT_MOST]).await?;
    tx.commit().await?;
    for row in &rows {
        let id: ImageId = row.try_get("id").map_err(DbError::from)?;
        discard(catalog, ctx, id).await?;
    }
    Ok(rows.len())
}

/// Why files stay.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The store of files failed.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}
