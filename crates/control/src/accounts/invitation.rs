//! Invitation codes: by them somebody who has an account from before takes a place.
//!
//! Addresses of mail are not verified, so an account proves nothing about who its owner is: whoever registered an address
//! first would own every place given to it later. The code goes from the inviter to the person they mean.

use std::time::Duration;

use db::{ControlTx, DbError};
use kernel::{TenantId, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

use super::AccountId;
use crate::{Control, change::Change, tokens::opaque::INVITATION};

/// A code works this long.
const LIFE: Duration = Duration::from_secs(7 * 86_400);

/// A code just made: shown once, stored as a hash.
pub(super) struct Invitation {
    pub(super) code: SecretString,
    pub(super) hash: Vec<u8>,
    pub(super) expires_at: Timestamp,
}

/// What became of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acceptance {
    /// The place is taken.
    Accepted,
    /// There was none.
    NoCode,
    /// It is another's, has been replaced, is used up or has run out.
    WrongCode,
}

/// Makes a code for a place of `account`.
pub(super) fn make_invitation(
    control: &Control,
    account: AccountId,
    now: Timestamp,
) -> Result<Invitation, DbError> {
    let fresh = INVITATION.make(control.master_key(), account.0);
    let fresh = fresh.ok_or_else(|| DbError::Other("the system has no randomness".to_owned()))?;
    Ok(Invitation { code: fresh.text.into(), hash: fresh.hash, expires_at: now + LIFE })
}

/// Takes the place that `account` is invited to, once. The password has been checked before.
pub(super) async fn accept_invitation(
    control: &Control,
    tx: &ControlTx,
    tenant: TenantId,
    account: AccountId,
    code: Option<&SecretString>,
    now: Timestamp,
) -> Result<Acceptance, DbError> {
    let Some(code) = code else { return Ok(Acceptance::NoCode) };
    let Some(presented) = INVITATION.read(control.master_key(), code.expose_secret()) else {
        return Ok(Acceptance::WrongCode);
    };
    let Some(row) = tx.query_opt(include_str!("find_invitation.sql"), &[&tenant, &account, &now]).await?
    else {
        return Ok(Acceptance::WrongCode);
    };
    let stored: Option<Vec<u8>> = row.try_get(0)?;
    if !stored.is_some_and(|hash| presented.id == account.0 && presented.fits(&hash)) {
        return Ok(Acceptance::WrongCode);
    }
    tx.execute(include_str!("accept_invitation.sql"), &[&tenant, &account, &now]).await?;
    control.announce(tx, Change::Membership(tenant, account)).await?;
    Ok(Acceptance::Accepted)
}
