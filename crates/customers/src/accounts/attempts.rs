//! Counting failed sign-ins: per account and address together, and per address (as many as the control plane's own
//! settings say), then a lock.
//!
//! An account alone is not counted for: whoever knows a customer's address of mail could keep them out. Addresses of
//! mail that have no account are counted too, so that a lock tells nothing about them.

use std::net::IpAddr;

use control::{ControlConfig, counting_subject};
use db::{DbError, TenantTx};
use jiff::SignedDuration;

/// Whose failures are counted: hashes, because the rows need no names.
pub(super) struct Subjects {
    pair: [u8; 32],
    /// Unknown behind a Unix socket; then nothing is counted for it.
    address: Option<[u8; 32]>,
}

impl Subjects {
    pub(super) fn new(email: &str, address: Option<IpAddr>) -> Self {
        let address = address.map(|address| edge::counted_as(address).to_string());
        Self {
            pair: counting_subject(&["pair", email, address.as_deref().unwrap_or("unknown")]),
            address: address.map(|address| counting_subject(&["address", &address])),
        }
    }
}

/// How long sign-in still is locked for these, if it is.
pub(super) async fn find_lock(tx: &TenantTx, subjects: &Subjects) -> Result<Option<SignedDuration>, DbError> {
    let now = tx.ctx().now();
    let address = subjects.address.as_ref().map(<[u8; 32]>::as_slice);
    let row = tx
        .query_one(
            include_str!("find_lock.sql"),
            &[&tx.tenant_id(), &subjects.pair.as_slice(), &address, &now],
        )
        .await?;
    let until: Option<jiff::Timestamp> = row.try_get("until")?;
    Ok(until.map(|until| until.duration_since(now)))
}

/// Counts one failure for both.
pub(super) async fn count_failure(
    config: &ControlConfig,
    tx: &TenantTx,
    subjects: &Subjects,
) -> Result<(), DbError> {
    let now = tx.ctx().now();
    let window = SignedDuration::from_mins(i64::from(config.lockout_minutes));
    let pair = Some((subjects.pair, config.lockout_failures));
    let address = subjects.address.map(|address| (address, config.address_failures));
    for (subject, most) in pair.into_iter().chain(address) {
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        tx.execute(
            include_str!("count_failure.sql"),
            &[&tx.tenant_id(), &subject.as_slice(), &now, &(now - window), &most, &(now + window)],
        )
        .await?;
    }
    Ok(())
}

/// Forgets the failures of account and address together after a success. The address alone keeps its own: one good
/// account must not wash away the guesses at others.
pub(super) async fn forget_failures(tx: &TenantTx, subjects: &Subjects) -> Result<(), DbError> {
    let sql = include_str!("forget_failures.sql");
    tx.execute(sql, &[&tx.tenant_id(), &subjects.pair.as_slice()]).await.map(drop)
}

/// Removes failures that have stopped counting, at most `most`; returns how many went.
pub(crate) async fn purge_attempts(tx: &TenantTx, most: i64) -> Result<u64, DbError> {
    let before = tx.ctx().now() - SignedDuration::from_hours(24);
    tx.execute(include_str!("purge_attempts.sql"), &[&tx.tenant_id(), &before, &most]).await
}
