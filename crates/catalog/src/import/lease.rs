//! The right to work on an import for a while, and the checkpoint kept with each batch.

use db::{DbError, TenantTx};
use jiff::{SignedDuration, Timestamp};
use kernel::Ctx;

use super::{ProductImport, file::Batch, run::ImportId};
use crate::Catalog;

/// How long a silent worker keeps an import.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// An import this process works on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    id: ImportId,
    /// Rows before this line are in the catalog already.
    pub(super) start_line: u64,
    /// What had become of them.
    pub(super) taken: ProductImport,
}

fn count(number: i64) -> u64 {
    number.unsigned_abs()
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn until(now: Timestamp) -> Timestamp {
    now.checked_add(LEASE).unwrap_or(now)
}

impl Lease {
    /// Takes the import if nobody else works on it.
    pub(super) async fn claim(catalog: &Catalog, ctx: &Ctx, id: ImportId) -> Result<Option<Self>, DbError> {
        let (tx, now) = (catalog.db().begin(ctx).await?, catalog.clock().now());
        let row = tx
            .query_opt(
                include_str!("claim_run.sql"),
                &[&tx.tenant_id(), &id, &catalog.worker(), &now, &until(now)],
            )
            .await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let taken = ProductImport {
            created: count(row.try_get("created")?),
            updated: count(row.try_get("updated")?),
            unchanged: count(row.try_get("unchanged")?),
            ..ProductImport::default()
        };
        Ok(Some(Self { id, start_line: count(row.try_get("line_done")?), taken }))
    }

    /// Writes how far the import is; false when another worker has it.
    pub(super) async fn keep(
        &self,
        catalog: &Catalog,
        tx: &TenantTx,
        done: &ProductImport,
        batch: &Batch,
    ) -> Result<bool, DbError> {
        let now = catalog.clock().now();
        let kept = tx
            .execute(
                include_str!("keep_run.sql"),
                &[
                    &tx.tenant_id(),
                    &self.id,
                    &catalog.worker(),
                    &stored(batch.bytes),
                    &stored(batch.next_line),
                    &stored(done.created),
                    &stored(done.updated),
                    &stored(done.unchanged),
                    &stored(done.rejected),
                    &now,
                    &until(now),
                ],
            )
            .await?;
        Ok(kept == 1)
    }

    /// Ends the import: done, or failed for the reason given.
    pub(super) async fn end(
        &self,
        catalog: &Catalog,
        ctx: &Ctx,
        rejected: u64,
        failure: Option<&str>,
    ) -> Result<(), DbError> {
        let (tx, now) = (catalog.db().begin(ctx).await?, catalog.clock().now());
        let status = if failure.is_some() { "failed" } else { "done" };
        tx.execute(
            include_str!("end_run.sql"),
            &[&tx.tenant_id(), &self.id, &catalog.worker(), &status, &failure, &stored(rejected), &now],
        )
        .await?;
        tx.commit().await
    }
}
