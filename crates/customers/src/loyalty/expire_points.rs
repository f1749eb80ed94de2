//! Use case: points that were not spent in time are lost. Points are spent oldest first.

use db::{Db, DbError, TenantTx};
use jiff::{Span, Timestamp, tz::TimeZone};
use kernel::Ctx;
use uuid::Uuid;

use super::{
    LoyaltyError, LoyaltyReason,
    ledger::{Posting, post},
    rule::find_rule,
};
use crate::CustomerId;

/// Customers looked at in one transaction.
const BATCH: i64 = 500;

/// Takes what has expired by now from every customer of the merchant; returns how many lost points.
///
/// # Errors
/// [`DbError`]; what was done before stays done.
pub async fn expire_points(db: &Db, ctx: &Ctx) -> Result<usize, DbError> {
    let (mut after, mut lost) = (CustomerId(Uuid::nil()), 0);
    loop {
        let tx = db.begin(ctx).await?;
        let Some(cutoff) = find_cutoff(&tx).await? else { return Ok(lost) };
        let page = lock_page(&tx, after).await?;
        let Some(last) = page.last() else { return Ok(lost) };
        after = *last;
        let due = find_expired(&tx, &page, cutoff).await?;
        for (customer, points) in &due {
            expire(&tx, *customer, *points, cutoff).await?;
        }
        tx.commit().await?;
        lost += due.len();
    }
}

/// Points earned before this have expired; `None` when points are kept or not in use.
async fn find_cutoff(tx: &TenantTx) -> Result<Option<Timestamp>, DbError> {
    let rule = find_rule(tx).await?.filter(|rule| rule.active);
    let Some(months) = rule.and_then(|rule| rule.expiry_months) else { return Ok(None) };
    let now = tx.ctx().now().to_zoned(TimeZone::UTC);
    Ok(now.checked_sub(Span::new().months(months)).ok().map(|then| then.timestamp()))
}

async fn lock_page(tx: &TenantTx, after: CustomerId) -> Result<Vec<CustomerId>, DbError> {
    let rows = tx.query(include_str!("lock_balances.sql"), &[&tx.tenant_id(), &after, &BATCH]).await?;
    rows.iter().map(|row| Ok(row.try_get("customer_id")?)).collect()
}

async fn find_expired(
    tx: &TenantTx,
    page: &[CustomerId],
    cutoff: Timestamp,
) -> Result<Vec<(CustomerId, i64)>, DbError> {
    let page: Vec<Uuid> = page.iter().map(|customer| customer.0).collect();
    let rows = tx.query(include_str!("find_expired.sql"), &[&tx.tenant_id(), &page, &cutoff]).await?;
    rows.iter().map(|row| Ok((row.try_get("customer_id")?, row.try_get("points")?))).collect()
}

async fn expire(tx: &TenantTx, customer: CustomerId, points: i64, cutoff: Timestamp) -> Result<(), DbError> {
    let reference = cutoff.to_string();
    let posting = Posting {
        customer,
        points: -points,
        reason: LoyaltyReason::Expire,
        reference: &reference,
        origin: None,
        amount: 0,
        note: "",
    };
    match post(tx, &posting).await {
        Ok(_) => Ok(()),
        Err(LoyaltyError::Db(error)) => Err(error),
        Err(other) => Err(DbError::Other(other.to_string())),
    }
}
