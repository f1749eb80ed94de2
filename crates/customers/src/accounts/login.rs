//! How a customer signs in: an address of mail, unique in the tenant, and a password.

use db::{DbError, TenantTx};

use crate::CustomerId;

/// What is stored of a login.
pub(super) struct Login {
    pub(super) customer: CustomerId,
    pub(super) email: String,
    pub(super) password: String,
}

/// The login of an active customer by address of mail, in lower case.
pub(super) async fn find_login(tx: &TenantTx, email: &str) -> Result<Option<Login>, DbError> {
    let row = tx.query_opt(include_str!("find_login.sql"), &[&tx.tenant_id(), &email]).await?;
    row.as_ref().map(decode).transpose()
}

/// The login of an active customer by id.
pub(super) async fn find_login_of(tx: &TenantTx, id: CustomerId) -> Result<Option<Login>, DbError> {
    let row = tx.query_opt(include_str!("find_login_of.sql"), &[&tx.tenant_id(), &id]).await?;
    row.as_ref().map(decode).transpose()
}

/// The same, once the customer cannot change until the end of the transaction: `None` when the customer or the
/// password is not what it was.
pub(super) async fn lock_login(tx: &TenantTx, login: &Login) -> Result<Option<()>, DbError> {
    let sql = include_str!("lock_login.sql");
    let row = tx.query_opt(sql, &[&tx.tenant_id(), &login.customer, &login.password]).await?;
    Ok(row.map(drop))
}

fn decode(row: &db::Row) -> Result<Login, DbError> {
    Ok(Login {
        customer: row.try_get("customer_id")?,
        email: row.try_get("email")?,
        password: row.try_get("password")?,
    })
}

/// With which address of mail a customer signs in, if with any.
pub(crate) async fn find_sign_in_email(tx: &TenantTx, id: CustomerId) -> Result<Option<String>, DbError> {
    let row = tx.query_opt(include_str!("find_sign_in_email.sql"), &[&tx.tenant_id(), &id]).await?;
    row.map(|row| Ok(row.try_get("email")?)).transpose()
}

/// Takes a customer's login away; the address of mail may be registered again.
pub(crate) async fn delete_login(tx: &TenantTx, id: CustomerId) -> Result<(), DbError> {
    tx.execute(include_str!("delete_login.sql"), &[&tx.tenant_id(), &id]).await.map(drop)
}

/// Gives the login of `from` to `into` unless that one has a login; in any case `from` has none any more.
pub(crate) async fn move_login(tx: &TenantTx, from: CustomerId, into: CustomerId) -> Result<(), DbError> {
    if find_sign_in_email(tx, into).await?.is_some() {
        return delete_login(tx, from).await;
    }
    let now = tx.ctx().now();
    tx.execute(include_str!("move_login.sql"), &[&tx.tenant_id(), &from, &into, &now]).await.map(drop)
}
