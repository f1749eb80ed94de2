//! Accounts of customers: registering, sign-in, refresh, sign-out, passwords; and guests.

mod attempts;
mod change_password;
mod guest;
mod login;
mod register;
mod session;
mod sign_in;

use control::{KeyError, PasswordError};
use db::DbError;

pub(crate) use attempts::purge_attempts;
pub(crate) use change_password::change_password;
pub(crate) use guest::{GuestPass, GuestTokenError, Presented, create_guest, verify_guest};
pub(crate) use login::{delete_login, find_sign_in_email, move_login};
pub(crate) use register::{Register, register};
pub(crate) use session::{SignedIn, end_sessions, purge_sessions, refresh, sign_out};
pub(crate) use sign_in::{Credentials, sign_in};

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    /// Wrong address, password or refresh token; which one is not said.
    #[error("wrong credentials")]
    WrongCredentials,
    /// Too many failures; the seconds until the next try.
    #[error("locked for {0} s")]
    Locked(u32),
    /// Too many at once.
    #[error("too many sign-ins at once")]
    Busy,
    /// The address of mail has an account.
    #[error("the address of mail has an account")]
    AccountExists,
    /// A password cannot be hashed.
    #[error("a password cannot be hashed")]
    Hashing,
    /// Tokens cannot be made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<PasswordError> for AccountError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Hashing => Self::Hashing,
        }
    }
}
