//! Use case: a new password for the present one; every sign-in ends, this one too.

use std::net::IpAddr;

use kernel::Ctx;
use secrecy::SecretString;

use super::{
    AccountError,
    attempts::{Subjects, forget_failures},
    login::{find_login_of, lock_login},
    session::end_sessions,
    sign_in::{check, refuse_locked},
};
use crate::{CustomerId, http::Customers};

/// Changes the password of `customer`. Wrong guesses count as failed sign-ins.
pub(crate) async fn change_password(
    customers: &Customers,
    ctx: &Ctx,
    customer: CustomerId,
    [present, wanted]: [SecretString; 2],
    address: Option<IpAddr>,
) -> Result<(), AccountError> {
    let tx = customers.db().begin_read(ctx).await?;
    let login = find_login_of(&tx, customer).await?.ok_or(AccountError::WrongCredentials)?;
    tx.commit().await?;
    let subjects = Subjects::new(&login.email, address);
    let _turn = customers.turn(ctx, &login.email).await.ok_or(AccountError::Busy)?;
    let tx = customers.db().begin_read(ctx).await?;
    refuse_locked(&tx, &subjects).await?;
    tx.commit().await?;
    let login = check(customers, ctx, &subjects, Some(login), present).await?;
    let password = customers.control().hash_password(wanted).await?;

    let tx = customers.db().begin(ctx).await?;
    lock_login(&tx, &login).await?.ok_or(AccountError::WrongCredentials)?;
    let sql = include_str!("set_password.sql");
    tx.execute(sql, &[&tx.tenant_id(), &customer, &password, &ctx.now()]).await?;
    end_sessions(&tx, customer).await?;
    forget_failures(&tx, &subjects).await?;
    tx.commit().await?;
    Ok(())
}
