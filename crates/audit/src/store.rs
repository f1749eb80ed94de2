//! Writing a batch of one tenant's entries to the end of its chain.

use std::net::IpAddr;

use db::{Db, DbError, Row};
use kernel::{Ctx, TenantId, Timestamp};
use postgres_types::ToSql;
use uuid::Uuid;

use crate::{
    Record,
    chain::{BEGIN, link},
};

#[derive(Debug, ToSql)]
#[postgres(name = "new_entry")]
struct NewEntry<'a> {
    seq: i64,
    at: Timestamp,
    actor: Option<&'a str>,
    operation: &'a str,
    method: &'a str,
    subject: &'a str,
    status: i16,
    address: Option<IpAddr>,
    agent: Option<&'a str>,
    correlation_id: &'a str,
    duration_us: i64,
    request: Option<&'a [u8]>,
    response: Option<&'a [u8]>,
    hash: Vec<u8>,
}

/// Where a batch comes from, if it comes from a spool file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spooled {
    /// The file.
    pub(crate) file: Uuid,
    /// The number of the batch's last line in it.
    pub(crate) line: i64,
}

/// Appends `records`, all of `ctx`'s tenant. A batch from a spool file that was taken before is left out.
pub(crate) async fn append(
    db: &Db,
    ctx: &Ctx,
    records: &[Record],
    spooled: Option<Spooled>,
) -> Result<(), DbError> {
    let tenant = ctx.tenant_id();
    let tx = db.begin(ctx).await?;
    let head = tx.query_one(include_str!("lock_head.sql"), &[&tenant, &BEGIN.as_slice()]).await?;
    let (mut seq, mut hash): (i64, Vec<u8>) = (head.try_get(0)?, head.try_get(1)?);
    if let Some(Spooled { file, line }) = spooled {
        let params: [&(dyn ToSql + Sync); 4] = [&tenant, &file, &line, &ctx.now()];
        if tx.execute(include_str!("take_spooled.sql"), &params).await? == 0 {
            return tx.commit().await;
        }
    }
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        seq += 1;
        hash = link(&hash, seq, record).to_vec();
        rows.push(row(seq, record, hash.clone()));
    }
    tx.execute(include_str!("append.sql"), &[&tenant, &rows, &seq, &hash]).await?;
    tx.commit().await
}

fn row(seq: i64, record: &Record, hash: Vec<u8>) -> NewEntry<'_> {
    NewEntry {
        seq,
        at: record.at,
        actor: record.actor.as_deref(),
        operation: &record.operation,
        method: &record.method,
        subject: &record.subject,
        status: record.status,
        address: record.address,
        agent: record.agent.as_deref(),
        correlation_id: &record.correlation_id,
        duration_us: record.duration_us,
        request: record.request.as_deref(),
        response: record.response.as_deref(),
        hash,
    }
}

/// Reads seq, at, actor, operation, method, subject, status, address, agent, correlation_id, duration_us, request,
/// response.
pub(crate) fn decode(tenant: TenantId, row: &Row) -> Result<(i64, Record), DbError> {
    let record = Record {
        tenant,
        at: row.try_get(1)?,
        actor: row.try_get(2)?,
        operation: row.try_get(3)?,
        method: row.try_get(4)?,
        subject: row.try_get(5)?,
        status: row.try_get(6)?,
        address: row.try_get(7)?,
        agent: row.try_get(8)?,
        correlation_id: row.try_get(9)?,
        duration_us: row.try_get(10)?,
        request: row.try_get(11)?,
        response: row.try_get(12)?,
    };
    Ok((row.try_get(0)?, record))
}
