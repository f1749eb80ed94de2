//! Use case: an account for whoever runs the platform.

use db::DbError;
use kernel::Timestamp;
use secrecy::SecretString;

use super::{AccountId, PasswordError};
use crate::{Control, permissions::SUPER_ADMIN};

/// The account to make.
#[derive(Debug, Clone)]
pub struct OperatorAccount {
    /// The address they sign in with.
    pub email: String,
    /// Their password.
    pub password: SecretString,
}

/// Why it was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateOperatorError {
    /// The password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Somebody else has made an account with that address, and knows its password.
    #[error("there is an account with this address that is no operator's")]
    Taken,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Makes an account with the role `super_admin`; one that has it already stays as it is. An account that any tenant may
/// have made never gets it. Returns whether the account is new.
///
/// # Errors
/// [`CreateOperatorError`].
pub async fn create_operator(
    control: &Control,
    account: OperatorAccount,
    now: Timestamp,
) -> Result<bool, CreateOperatorError> {
    let email = account.email.to_ascii_lowercase();
    let hash = control.passwords().hash(account.password).await?;
    let tx = control.db().control().await?;
    let none: Option<kernel::TenantId> = None;
    let made = tx
        .query_opt(
            include_str!("create_account.sql"),
            &[&AccountId::new(), &email, &"", &Some(hash), &none, &now],
        )
        .await?;
    if made.is_some() {
        tx.execute(include_str!("set_platform_role.sql"), &[&email, &SUPER_ADMIN, &now]).await?;
        tx.commit().await?;
        return Ok(true);
    }
    let row = tx.query_one(include_str!("find_account.sql"), &[&email]).await?;
    let role: Option<&str> = row.try_get(2).map_err(DbError::from)?;
    if role.is_some() { Ok(false) } else { Err(CreateOperatorError::Taken) }
}
