//! Use case: end a sign-in, or all sign-ins of an account.

use db::DbError;

use super::{
    AccountId, SessionId,
    me::end_all_tokens,
    session::revoke_session,
    sign_in::{Whence, record},
};
use crate::{Control, security::EventKind as Kind};

/// Which sign-ins to end.
#[derive(Debug, Clone, Copy)]
pub(super) enum SignOut {
    /// One.
    Session(SessionId),
    /// All, on every device.
    Everywhere,
}

/// Ends sign-ins of `account`. Doing it twice is fine.
pub(super) async fn sign_out(
    control: &Control,
    account: AccountId,
    which: SignOut,
    whence: &Whence,
) -> Result<(), DbError> {
    let tx = control.db().control().await?;
    let reason = match which {
        SignOut::Session(session) => {
            revoke_session(control, &tx, session, "signed out", whence.now).await?;
            "signed out"
        }
        SignOut::Everywhere => {
            end_all_tokens(control, &tx, account, "signed out everywhere", whence.now).await?;
            "signed out everywhere"
        }
    };
    tx.commit().await?;
    record(control, whence, Kind::SignedOut, None, Some(account), reason);
    Ok(())
}
