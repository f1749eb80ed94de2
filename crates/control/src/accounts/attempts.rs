//! Counting failed sign-ins per account name and per address (IDN-2, HTTP-10): five for an account, a hundred for an
//! address in 15 minutes, then a lock of 15 minutes.
//!
//! The limit of an account is also that of each pair of account and address: a pair never fails more often than its
//! account. The limit of an address is higher, because a shop's tills, or everybody behind a proxy, have one address;
//! it stands against guessing one password at many accounts.
//!
//! Names that do not exist are counted too, so that a lock tells nothing about them.

use std::{net::IpAddr, time::Duration};

use db::{ControlTx, DbError};
use edge::counted_as;
use jiff::SignedDuration;
use kernel::Timestamp;

use crate::{Control, tokens::opaque};

/// Whose failures are counted: hashes, because the rows need no names.
pub(super) struct Subjects {
    account: [u8; 32],
    /// Unknown behind a Unix socket; then nothing is counted for it.
    address: Option<[u8; 32]>,
}

impl Subjects {
    pub(super) fn new(email: &str, address: Option<IpAddr>) -> Self {
        let address = address.map(|address| opaque::hash(counted_as(address).to_string().as_bytes()));
        Self { account: opaque::hash(email.as_bytes()), address }
    }
}

/// Until when sign-in is locked for this account or address, if it is.
pub(super) async fn find_lock(
    tx: &ControlTx,
    subjects: &Subjects,
    now: Timestamp,
) -> Result<Option<SignedDuration>, DbError> {
    let row = tx
        .query_one(
            include_str!("find_lock.sql"),
            &[&subjects.account.as_slice(), &subjects.address.as_ref().map(<[u8; 32]>::as_slice), &now],
        )
        .await?;
    let until: Option<Timestamp> = row.try_get(0)?;
    Ok(until.map(|until| until.duration_since(now)))
}

/// Counts one failure for both; true when that has locked the account or the address.
pub(super) async fn count_failure(
    control: &Control,
    tx: &ControlTx,
    subjects: &Subjects,
    now: Timestamp,
) -> Result<bool, DbError> {
    let config = control.config();
    let window: Duration = config.lockout();
    let mut locked = false;
    let account = Some(("account", subjects.account, config.lockout_failures));
    let address = subjects.address.map(|address| ("address", address, config.address_failures));
    for (scope, subject, most) in account.into_iter().chain(address) {
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        let row = tx
            .query_one(
                include_str!("count_failure.sql"),
                &[&scope, &subject.as_slice(), &now, &(now - window), &most, &(now + window)],
            )
            .await?;
        locked |= row.try_get::<_, bool>(0)?;
    }
    Ok(locked)
}

/// Forgets the account's failures after a success. The address keeps its own: one good account must not wash away
/// the guesses at others.
pub(super) async fn forget_failures(tx: &ControlTx, subjects: &Subjects) -> Result<(), DbError> {
    tx.execute(include_str!("forget_failures.sql"), &[&subjects.account.as_slice()]).await.map(drop)
}

/// Lifts the lock of an account, for an operator who has set a new password.
pub(crate) async fn forget_lock(tx: &ControlTx, email: &str) -> Result<(), DbError> {
    forget_failures(tx, &Subjects::new(&email.to_ascii_lowercase(), None)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    // HTTP-10: one customer of a provider has a whole IPv6 network.
    #[test]
    fn addresses_of_one_ipv6_network_are_counted_together_and_others_apart() {
        let of = |address: &str| Subjects::new("a@b.c", Some(address.parse().unwrap())).address;
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
    }
}
