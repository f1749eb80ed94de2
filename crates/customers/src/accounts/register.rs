//! Use case: a new customer with an account.
//!
//! That an address of mail has an account cannot be hidden from whoever registers with it; asking so is a failure like
//! a wrong password, counted and locked the same way, and the work is the same either way.

use std::net::IpAddr;

use db::DbError;
use kernel::Ctx;
use secrecy::SecretString;

use super::{
    AccountError, Presented, SignedIn,
    attempts::Subjects,
    guest::merge_guest,
    session::open_session,
    sign_in::{count, refuse_locked},
};
use crate::{
    CustomerInput,
    http::Customers,
    manage_customers::{CustomerError, create_customer},
};

/// Who registers, and from where.
pub(crate) struct Register {
    pub(crate) email: String,
    pub(crate) password: SecretString,
    pub(crate) name: String,
    pub(crate) phone: Option<String>,
    pub(crate) guest: Presented,
    pub(crate) address: Option<IpAddr>,
}

/// Creates a customer with an account and signs them in. A customer whom the merchant knows by the same address of
/// mail is not touched: nobody has shown yet that the address is theirs. The merchant merges the two.
pub(crate) async fn register(
    customers: &Customers,
    ctx: &Ctx,
    input: Register,
) -> Result<SignedIn, AccountError> {
    let email = input.email.to_ascii_lowercase();
    let subjects = Subjects::new(&email, input.address);
    let _turn = customers.turn(ctx, &email).await.ok_or(AccountError::Busy)?;
    let tx = customers.db().begin_read(ctx).await?;
    refuse_locked(&tx, &subjects).await?;
    tx.commit().await?;
    let password = customers.control().hash_password(input.password.clone()).await?;
    match create(customers, ctx, &input, &email, &password).await {
        Err(AccountError::AccountExists) => {
            count(customers, ctx, &subjects).await?;
            Err(AccountError::AccountExists)
        }
        done => done,
    }
}

async fn create(
    customers: &Customers,
    ctx: &Ctx,
    input: &Register,
    email: &str,
    password: &str,
) -> Result<SignedIn, AccountError> {
    let tx = customers.db().begin(ctx).await?;
    let profile = CustomerInput {
        reference: None,
        name: input.name.clone(),
        email: Some(input.email.clone()),
        phone: input.phone.clone(),
        note: String::new(),
        tags: None,
        active: true,
    };
    let customer = match create_customer(&tx, &profile).await {
        Ok(customer) => customer.id,
        Err(CustomerError::Db(error)) => return Err(error.into()),
        Err(other) => return Err(DbError::Other(other.to_string()).into()),
    };
    let sql = include_str!("create_login.sql");
    match tx.execute(sql, &[&tx.tenant_id(), &customer, &email, &password, &ctx.now()]).await {
        Err(error) if error.is_unique("login_email_unique") => return Err(AccountError::AccountExists),
        done => done?,
    };
    merge_guest(&tx, customers.hooks(), input.guest, customer).await?;
    let tokens = open_session(customers.control(), &tx, customer).await?;
    tx.commit().await?;
    Ok(tokens)
}
