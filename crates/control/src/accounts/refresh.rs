//! Use case: a refresh token for the next pair of tokens. Each works once; one that comes back has been copied, and
//! its whole sign-in ends.

use kernel::Timestamp;
use uuid::Uuid;

use super::{
    AccountId, SessionId, SignInError, Tokens,
    place::{Holder, choose_seat},
    session::{issue, revoke_session},
    sign_in::{Whence, record},
};
use crate::{
    Control,
    security::EventKind as Kind,
    tokens::opaque::{Presented, REFRESH_TOKEN},
};

/// A refresh token as stored, with the session and account behind it.
struct Stored {
    session: SessionId,
    account: AccountId,
    secret_hash: Vec<u8>,
    used: bool,
    over: bool,
    tenant_slug: Option<String>,
    holder: Holder,
}

/// Exchanges a refresh token.
///
/// # Errors
/// [`SignInError::WrongCredentials`] for any token that does not work, whatever the reason; else as signing in.
pub async fn refresh(control: &Control, token: &str, whence: &Whence) -> Result<Tokens, SignInError> {
    let presented = REFRESH_TOKEN.read(control.master_key(), token).ok_or(SignInError::WrongCredentials)?;
    let tx = control.db().control().await?;
    let stored = find(&tx, presented.id, whence.now).await?.ok_or(SignInError::WrongCredentials)?;
    if !fits(&presented, &stored) {
        return Err(SignInError::WrongCredentials);
    }
    if stored.used && !stored.over {
        revoke_session(control, &tx, stored.session, "refresh token used twice", whence.now).await?;
        tx.commit().await?;
        record(control, whence, Kind::RefreshReused, None, Some(stored.account), "refresh token used twice");
        return Err(SignInError::WrongCredentials);
    }
    if stored.used || stored.over {
        return Err(SignInError::WrongCredentials);
    }
    tx.execute(include_str!("use_refresh_token.sql"), &[&presented.id, &whence.now]).await?;
    let seat = choose_seat(&tx, stored.holder, stored.tenant_slug.as_deref()).await?;
    if seat.accepts.is_some() {
        return Err(SignInError::InvitationRequired);
    }
    let tokens = issue(control, &tx, stored.holder, stored.session, seat, whence.now).await?;
    tx.commit().await?;
    Ok(tokens)
}

fn fits(presented: &Presented, stored: &Stored) -> bool {
    presented.fits(&stored.secret_hash)
}

/// Locks the row: of two that bring the same token at once, the second one is the copy.
async fn find(tx: &db::ControlTx, id: Uuid, now: Timestamp) -> Result<Option<Stored>, db::DbError> {
    let Some(row) = tx.query_opt(include_str!("find_refresh_token.sql"), &[&id, &now]).await? else {
        return Ok(None);
    };
    let account = row.try_get(1)?;
    Ok(Some(Stored {
        session: row.try_get(0)?,
        account,
        secret_hash: row.try_get(2)?,
        used: row.try_get(3)?,
        over: row.try_get(4)?,
        tenant_slug: row.try_get(5)?,
        holder: Holder { account, generation: row.try_get(6)?, is_operator: row.try_get(7)? },
    }))
}
