//! Consumers on request: a tenant's messages reach them only if the tenant has asked for that.

use db::{Db, DbError, Row, TenantTx};
use kernel::{Placement, TenantId};

use crate::bell;

/// Asked for, it stands for messages of every kind.
pub const EVERY_KIND: &str = "*";
/// Rows of requests read at once; whoever is beyond them is served by the sweep, a few seconds later.
const ROWS_MAX: i64 = 50_000;

/// Makes `kinds` what the consumer on request called `consumer` hears of this tenant from now on; none ends it.
///
/// It takes effect with the commit: of the messages published around that time some may already be delivered. Two
/// transactions that do this for one tenant and consumer at once must be kept apart by their caller.
///
/// # Errors
/// Any [`DbError`]; the transaction is then lost.
pub async fn request(tx: &TenantTx, consumer: &'static str, kinds: &[&str]) -> Result<(), DbError> {
    tx.execute(include_str!("request.sql"), &[&tx.tenant_id(), &consumer, &kinds]).await?;
    let (placement, tenant) = (tx.ctx().tenant.placement.clone(), tx.tenant_id());
    let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    tx.on_commit(move || bell::note_request(&placement, tenant, &kinds));
    Ok(())
}

/// The tenants in the database at `placement` that have asked for anything, for work that comes back to each of them;
/// at most some ten thousands.
///
/// # Errors
/// Any [`DbError`].
pub async fn requesting_tenants(db: &Db, placement: &Placement) -> Result<Vec<TenantId>, DbError> {
    let conn = db.relay(placement).await?;
    let rows = conn.query(REQUESTING, &[&ROWS_MAX]).await?;
    let mut tenants = decode(&rows)?.into_iter().map(|(tenant, _)| tenant).collect::<Vec<_>>();
    tenants.dedup();
    Ok(tenants)
}

pub(crate) const REQUESTING: &str = include_str!("requesting.sql");

/// Reads who asked for what.
pub(crate) async fn requests(conn: &db::RelayConn) -> Result<Vec<(TenantId, String)>, DbError> {
    decode(&conn.query(REQUESTING, &[&ROWS_MAX]).await?)
}

fn decode(rows: &[Row]) -> Result<Vec<(TenantId, String)>, DbError> {
    rows.iter().map(|row| Ok((row.try_get("tenant_id")?, row.try_get("kind")?))).collect()
}
