//! Use cases about oneself: who am I, and a new password.

use db::{ControlTx, DbError};
use kernel::Timestamp;
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AccountId, SignInError,
    attempts::{Subjects, count_failure, find_lock, forget_failures},
    place::list_places,
    session::revoke_sessions,
    sign_in::{Whence, record},
};
use crate::{Control, change::Change, security::EventKind as Kind};

/// A tenant that the caller may sign in to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MembershipView {
    /// The tenant's name in addresses.
    pub tenant: String,
    /// The role in it.
    pub role: String,
    /// Counts only once its owner has signed in naming this tenant, with the code of the invitation.
    pub invited: bool,
}

/// Who the caller is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// `usr_...` for accounts, `key_...` for API keys, `operator` for tokens of the command line.
    pub id: String,
    /// The account's address; null for whoever has no account here.
    pub email: Option<String>,
    /// The account's name.
    pub name: Option<String>,
    /// The tenant of this request.
    pub tenant: Option<String>,
    /// What the caller may do.
    pub permissions: Vec<String>,
    /// Where the account has places.
    pub memberships: Vec<MembershipView>,
}

/// Fills in what the account of `me` adds, if there is one.
pub(super) async fn describe_account(
    control: &Control,
    mut me: Me,
    account: AccountId,
) -> Result<Me, DbError> {
    let tx = control.db().control().await?;
    if let Some(row) = tx.query_opt(include_str!("find_me.sql"), &[&account]).await? {
        me.email = Some(row.try_get(0)?);
        me.name = Some(row.try_get(1)?);
        let places = list_places(&tx, account).await?;
        me.memberships = places
            .into_iter()
            .map(|place| MembershipView { tenant: place.slug, role: place.role, invited: place.invited })
            .collect();
    }
    tx.commit().await?;
    Ok(me)
}

/// Changes the password of `account`; every sign-in ends, this one too. Wrong guesses count as failed sign-ins.
pub(super) async fn change_password(
    control: &Control,
    account: AccountId,
    present: SecretString,
    wanted: SecretString,
    whence: &Whence,
) -> Result<(), SignInError> {
    let now = whence.now;
    let tx = control.db().control().await?;
    let row = tx.query_opt(include_str!("find_password.sql"), &[&account]).await?;
    let row = row.ok_or(SignInError::WrongCredentials)?;
    let (email, stored): (String, Option<String>) =
        (row.try_get(0).map_err(DbError::from)?, row.try_get(1).map_err(DbError::from)?);
    tx.commit().await?;
    let subjects = Subjects::new(&email, whence.address);
    let _turn = control.gate().enter(&email).await.ok_or(SignInError::Busy)?;
    refuse_locked(control, &subjects, now).await?;
    let fits = control.passwords().verify(present, stored).await?;
    if !fits {
        let tx = control.db().control().await?;
        count_failure(control, &tx, &subjects, now).await?;
        tx.commit().await?;
        record(control, whence, Kind::SignInFailed, None, Some(account), "wrong present password");
        return Err(SignInError::WrongCredentials);
    }
    let hash = control.passwords().hash(wanted).await?;
    let tx = control.db().control().await?;
    tx.execute(include_str!("set_password.sql"), &[&account, &hash, &now]).await?;
    end_all_tokens(control, &tx, account, "password changed", now).await?;
    forget_failures(&tx, &subjects).await?;
    tx.commit().await?;
    Ok(())
}

async fn refuse_locked(control: &Control, subjects: &Subjects, now: Timestamp) -> Result<(), SignInError> {
    let tx = control.db().control().await?;
    let lock = find_lock(&tx, subjects, now).await?;
    tx.commit().await?;
    match lock {
        Some(rest) => Err(SignInError::locked_for(rest)),
        None => Ok(()),
    }
}

/// Makes every token of `account` worthless, everywhere.
pub(crate) async fn end_all_tokens(
    control: &Control,
    tx: &ControlTx,
    account: AccountId,
    reason: &'static str,
    now: Timestamp,
) -> Result<(), DbError> {
    revoke_sessions(tx, account, None, reason, now).await?;
    tx.execute(include_str!("end_generation.sql"), &[&account, &now]).await?;
    control.announce(tx, Change::Account(account)).await
}
