//! Use case: address of mail and password for tokens.
//!
//! Whoever asks learns nothing about accounts: unknown and deactivated ones take the same work and get the same answer
//! as a wrong password, and are locked the same way.

use std::net::IpAddr;

use db::DbError;
use kernel::Ctx;
use secrecy::SecretString;

use super::{
    AccountError, Presented, SignedIn,
    attempts::{Subjects, count_failure, find_lock, forget_failures},
    guest::merge_guest,
    login::{Login, find_login, lock_login},
    session::open_session,
};
use crate::http::Customers;

/// Who signs in, and from where.
pub(crate) struct Credentials {
    pub(crate) email: String,
    pub(crate) password: SecretString,
    pub(crate) guest: Presented,
    pub(crate) address: Option<IpAddr>,
}

/// Signs a customer in; what was the guest's is the customer's from then on.
pub(crate) async fn sign_in(
    customers: &Customers,
    ctx: &Ctx,
    input: Credentials,
) -> Result<SignedIn, AccountError> {
    let email = input.email.to_ascii_lowercase();
    let subjects = Subjects::new(&email, input.address);
    let _turn = customers.turn(ctx, &email).await.ok_or(AccountError::Busy)?;
    let tx = customers.db().begin_read(ctx).await?;
    refuse_locked(&tx, &subjects).await?;
    let login = find_login(&tx, &email).await?;
    tx.commit().await?;
    let login = check(customers, ctx, &subjects, login, input.password).await?;

    let tx = customers.db().begin(ctx).await?;
    lock_login(&tx, &login).await?.ok_or(AccountError::WrongCredentials)?;
    forget_failures(&tx, &subjects).await?;
    merge_guest(&tx, customers.hooks(), input.guest, login.customer).await?;
    let tokens = open_session(customers.control(), &tx, login.customer).await?;
    tx.commit().await?;
    Ok(tokens)
}

/// The login, if the password is its own; else one failure more.
pub(super) async fn check(
    customers: &Customers,
    ctx: &Ctx,
    subjects: &Subjects,
    login: Option<Login>,
    password: SecretString,
) -> Result<Login, AccountError> {
    let stored = login.as_ref().map(|login| login.password.clone());
    let fits = customers.control().verify_password(password, stored).await?;
    match login.filter(|_| fits) {
        Some(login) => Ok(login),
        None => {
            count(customers, ctx, subjects).await?;
            Err(AccountError::WrongCredentials)
        }
    }
}

/// Counts one failure, for good.
pub(super) async fn count(customers: &Customers, ctx: &Ctx, subjects: &Subjects) -> Result<(), DbError> {
    let tx = customers.db().begin(ctx).await?;
    count_failure(customers.control().config(), &tx, subjects).await?;
    tx.commit().await
}

pub(super) async fn refuse_locked(tx: &db::TenantTx, subjects: &Subjects) -> Result<(), AccountError> {
    match find_lock(tx, subjects).await? {
        Some(rest) => Err(AccountError::Locked(u32::try_from(rest.as_secs().max(1)).unwrap_or(u32::MAX))),
        None => Ok(()),
    }
}
