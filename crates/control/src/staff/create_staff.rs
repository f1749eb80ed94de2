//! Use case: a member of staff with a password of the operator's choosing, for demo data and scripts.

use db::DbError;
use kernel::Ctx;
use secrecy::SecretString;

use super::take_on::{TakeOn, TakeOnError, take_on};
use crate::{
    Control,
    accounts::{PasswordError, first_password},
};

/// Why nobody was created.
#[derive(Debug, thiserror::Error)]
pub enum CreateStaffError {
    /// The password could not be hashed now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// They could not be taken on.
    #[error(transparent)]
    TakeOn(#[from] TakeOnError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Takes somebody on with `role` and `password`; one who is on the staff already stays as they are.
///
/// # Errors
/// [`CreateStaffError`].
pub async fn create_staff(
    control: &Control,
    ctx: &Ctx,
    email: &str,
    role: &str,
    password: SecretString,
) -> Result<(), CreateStaffError> {
    let (password_hash, _) = first_password(control, Some(password)).await?;
    let name = email.split('@').next().unwrap_or_default().to_owned();
    let wanted = TakeOn { email: email.to_owned(), name, role: role.to_owned(), password_hash };
    let tx = control.db().control().await?;
    match take_on(control, ctx, &tx, wanted).await {
        Ok(_) => tx.commit().await?,
        Err(TakeOnError::Exists) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
