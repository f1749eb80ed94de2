//! What `markethall check` proves.

use db::{DbError, TenantTx};
use kernel::Violation;

use crate::{chain::link, store::decode};

/// Entries read at once; a log may be longer than memory.
const PIECE: i64 = 2_000;

/// The tenant's chain is whole: nothing was changed, removed, put in or put elsewhere.
///
/// # Errors
/// [`DbError`].
pub async fn invariants(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let tenant = tx.tenant_id();
    let broken = |seq: i64, detail: &str| {
        let subject = format!("{tenant} entry {seq}");
        Ok(vec![Violation { invariant: "audit_chain_is_whole", subject, detail: detail.to_owned() }])
    };
    let Some(head) = tx.query(include_str!("find_head.sql"), &[&tenant]).await?.pop() else {
        let stray = tx.query(include_str!("find_entries.sql"), &[&tenant, &0_i64, &1_i64]).await?;
        return if stray.is_empty() { Ok(Vec::new()) } else { broken(1, "entries without a head") };
    };
    let (first_seq, mut hash): (i64, Vec<u8>) = (head.try_get(0)?, head.try_get(1)?);
    let (last_seq, last_hash): (i64, Vec<u8>) = (head.try_get(2)?, head.try_get(3)?);
    let mut seq = first_seq - 1;
    let before_first = tx.query(include_str!("find_entries.sql"), &[&tenant, &0_i64, &1_i64]).await?;
    if let Some(row) = before_first.first()
        && decode(tenant, row)?.0 < first_seq
    {
        return broken(first_seq, "an entry stands before the first");
    }
    loop {
        let rows = tx.query(include_str!("find_entries.sql"), &[&tenant, &seq, &PIECE]).await?;
        for row in &rows {
            let (found, record) = decode(tenant, row)?;
            if found != seq + 1 {
                return broken(seq + 1, "is missing");
            }
            seq = found;
            hash = link(&hash, seq, &record).to_vec();
            if hash != row.try_get::<_, Vec<u8>>(13)? {
                return broken(seq, "is not as it was written, or the one before it is not");
            }
        }
        if rows.len() < usize::try_from(PIECE).unwrap_or(usize::MAX) {
            break;
        }
    }
    match seq == last_seq && hash == last_hash {
        true => Ok(Vec::new()),
        false => broken(seq, &format!("is the last there is, but {last_seq} were written")),
    }
}
