//! Sessions: what a sign-in leaves behind, so that it can be refreshed and revoked.

use db::{ControlTx, DbError};
use kernel::{TenantId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    AccountId, SessionId,
    place::{Holder, Seat},
};
use crate::{
    Control,
    change::Change,
    tokens::{Grant, KeyError, opaque::REFRESH_TOKEN, sign},
};

/// What a client gets for signing in or refreshing.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// To be sent as `Authorization: Bearer`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds until the access token is worth nothing.
    pub expires_in: u64,
    /// Exchanged once for new tokens; using it twice ends the sign-in everywhere.
    pub refresh_token: String,
    /// The tenant the token is bound to; null for operators of the platform.
    pub tenant: Option<String>,
    /// The role in it.
    pub role: String,
    /// What the role may do.
    pub permissions: Vec<String>,
}

/// Why tokens could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum IssueError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Keys(#[from] KeyError),
}

/// Starts a session and makes its first tokens.
pub(super) async fn open_session(
    control: &Control,
    tx: &ControlTx,
    holder: Holder,
    seat: Seat,
    now: Timestamp,
) -> Result<Tokens, IssueError> {
    let session = SessionId::new();
    let tenant: Option<TenantId> = seat.tenant.as_ref().map(|(id, _)| *id);
    let ends = now + control.config().session_ttl();
    tx.execute(include_str!("create_session.sql"), &[&session, &holder.account, &tenant, &now, &ends])
        .await?;
    issue(control, tx, holder, session, seat, now).await
}

/// Makes the next pair of tokens of a session.
pub(super) async fn issue(
    control: &Control,
    tx: &ControlTx,
    holder: Holder,
    session: SessionId,
    seat: Seat,
    now: Timestamp,
) -> Result<Tokens, IssueError> {
    let id = Uuid::now_v7();
    let fresh = REFRESH_TOKEN.make(control.master_key(), id).ok_or(KeyError::NotMade)?;
    let ends = now + control.config().refresh_token_ttl();
    tx.execute(include_str!("create_refresh_token.sql"), &[&id, &session, &fresh.hash, &now, &ends]).await?;
    let ttl = control.config().access_token_ttl();
    let (tenant, slug) = seat.tenant.unzip();
    let grant = Grant {
        subject: holder.account.to_string(),
        tenant,
        role: Some(seat.role.clone()),
        permissions: seat.permissions.clone(),
        session: Some(session),
        generations: Some(seat.generations),
        ttl,
    };
    Ok(Tokens {
        access_token: sign(control, grant, now)?,
        token_type: "Bearer",
        expires_in: ttl.as_secs(),
        refresh_token: fresh.text,
        tenant: slug,
        role: seat.role,
        permissions: seat.permissions.iter().map(str::to_owned).collect(),
    })
}

/// Ends one session: its refresh tokens at once, its access tokens as fast as the news travels.
pub(super) async fn revoke_session(
    control: &Control,
    tx: &ControlTx,
    session: SessionId,
    reason: &'static str,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.execute(include_str!("revoke_session.sql"), &[&session, &reason, &now]).await?;
    control.announce(tx, Change::Session(session)).await
}

/// Ends the sessions of an account in one tenant, or in all, for instance when its password changes. The caller
/// announces the change to the account or membership.
pub(crate) async fn revoke_sessions(
    tx: &ControlTx,
    account: AccountId,
    tenant: Option<TenantId>,
    reason: &'static str,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.execute(include_str!("revoke_sessions.sql"), &[&account, &tenant, &reason, &now]).await.map(drop)
}
