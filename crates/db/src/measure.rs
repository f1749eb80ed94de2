//! How much tenants hold in a database: rows exactly or by sample, bytes by their share of each table.

use std::collections::BTreeMap;

use kernel::{Placement, TenantId};

use crate::{Db, DbError, RelayConn};

/// Pages of a table that are read at most (8 KiB each): a table of up to 32 MiB is counted whole, row by row.
const MOST_PAGES: i64 = 4096;

/// What one tenant holds in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The tenant.
    pub tenant: TenantId,
    /// Rows in all tables.
    pub rows: i64,
    /// Bytes on disk, indexes included.
    pub bytes: i64,
}

/// Rows and bytes of one tenant so far.
type Sums = BTreeMap<TenantId, (i64, i64)>;

impl Db {
    /// What each tenant with at least one row holds in the database of `placement`, by tenant.
    ///
    /// Rows of tables of up to 32 MiB are counted; of larger ones a sample of that size is read. A table's bytes are shared out by
    /// rows. Of a dedicated database all bytes are its tenant's.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when the database cannot be reached, any other error of the statements.
    pub async fn measure(&self, placement: &Placement) -> Result<Vec<Held>, DbError> {
        let conn = self.relay(placement).await?;
        let mut sums = Sums::new();
        for table in conn.query(include_str!("measure_tables.sql"), &[]).await? {
            measure_table(&conn, table.try_get(0)?, table.try_get(1)?, &mut sums).await?;
        }
        if placement.dedicated && sums.len() == 1 {
            let row = conn.query_one("select pg_database_size(current_database())", &[]).await?;
            let all: i64 = row.try_get(0)?;
            sums.values_mut().for_each(|(_, bytes)| *bytes = all);
        }
        Ok(sums.into_iter().map(|(tenant, (rows, bytes))| Held { tenant, rows, bytes }).collect())
    }
}

async fn measure_table(conn: &RelayConn, table: u32, size: i64, sums: &mut Sums) -> Result<(), DbError> {
    let found = conn.query(include_str!("measure_table.sql"), &[&table, &MOST_PAGES]).await?;
    let held: Vec<(TenantId, i64)> =
        found.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, DbError>>()?;
    let weights: Vec<i64> = held.iter().map(|(_, rows)| *rows).collect();
    if weights.is_empty() {
        return Ok(());
    }
    for ((tenant, rows), bytes) in held.into_iter().zip(kernel::allocate(size, &weights)) {
        let sum = sums.entry(tenant).or_default();
        *sum = (sum.0.saturating_add(rows), sum.1.saturating_add(bytes));
    }
    Ok(())
}
