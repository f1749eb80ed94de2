//! Sessions: what a sign-in leaves behind, so that it can be refreshed and ended.
//!
//! A session knows the hash of its newest refresh token only. A token that this installation has made for a session,
//! but that is not its newest, has been copied: the whole session ends.

use std::time::Duration;

use control::{Control, KeyError, VisitorToken, sign_visitor_token};
use db::{DbError, TenantTx};
use kernel::Ctx;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AccountError;
use crate::{CustomerId, http::Customers};

/// Life of an access token.
const ACCESS_LIFE: Duration = Duration::from_secs(15 * 60);
/// Life of a refresh token that is not used.
const REFRESH_LIFE: Duration = Duration::from_secs(30 * 86_400);

/// What a customer gets for signing in or refreshing.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedIn {
    /// Who they are.
    pub(crate) customer_id: CustomerId,
    /// To be sent as `Authorization: Bearer`.
    pub(crate) token: String,
    /// Seconds until the token is worth nothing.
    #[schema(minimum = 1)]
    pub(crate) expires_in: u64,
    /// Exchanged once, within 30 days, for the next two; using it twice ends the sign-in.
    pub(crate) refresh_token: String,
}

fn signed_in(
    control: &Control,
    ctx: &Ctx,
    customer_id: CustomerId,
    refresh: VisitorToken,
) -> Result<SignedIn, KeyError> {
    let subject = customer_id.to_string();
    Ok(SignedIn {
        customer_id,
        token: sign_visitor_token(control, ctx.tenant_id(), &subject, ACCESS_LIFE, ctx.now())?,
        expires_in: ACCESS_LIFE.as_secs(),
        refresh_token: refresh.text,
    })
}

/// Starts a session of a customer who is locked in `tx`, and makes its first tokens.
pub(super) async fn open_session(
    control: &Control,
    tx: &TenantTx,
    customer: CustomerId,
) -> Result<SignedIn, AccountError> {
    let id = Uuid::now_v7();
    let token = control.make_visitor_token(id).ok_or(KeyError::NotMade)?;
    let now = tx.ctx().now();
    tx.execute(
        include_str!("create_session.sql"),
        &[&tx.tenant_id(), &id, &customer, &token.hash, &now, &(now + REFRESH_LIFE)],
    )
    .await?;
    Ok(signed_in(control, tx.ctx(), customer, token)?)
}

/// Use case: a refresh token for the next pair of tokens. Of two that bring the same one at once, the second one is
/// the copy.
pub(crate) async fn refresh(customers: &Customers, ctx: &Ctx, token: &str) -> Result<SignedIn, AccountError> {
    let control = customers.control();
    let presented = control.read_visitor_token(token).ok_or(AccountError::WrongCredentials)?;
    let tx = customers.db().begin(ctx).await?;
    let (tenant, id, now) = (tx.tenant_id(), presented.id(), ctx.now());
    let found = tx.query_opt(include_str!("lock_session.sql"), &[&tenant, &id, &now]).await?;
    let row = found.ok_or(AccountError::WrongCredentials)?;
    let stored: Vec<u8> = row.try_get("secret_hash").map_err(DbError::from)?;
    let alive: bool = row.try_get("alive").map_err(DbError::from)?;
    if !presented.fits(&stored) || !alive {
        tx.execute(include_str!("delete_session.sql"), &[&tenant, &id]).await?;
        tx.commit().await?;
        return Err(AccountError::WrongCredentials);
    }
    let customer = row.try_get("customer_id").map_err(DbError::from)?;
    let next = control.make_visitor_token(id).ok_or(KeyError::NotMade)?;
    let sql = include_str!("rotate_session.sql");
    tx.execute(sql, &[&tenant, &id, &next.hash, &(now + REFRESH_LIFE)]).await?;
    let tokens = signed_in(control, ctx, customer, next)?;
    tx.commit().await?;
    Ok(tokens)
}

/// Use case: ends the session of a refresh token; one that is none changes nothing.
pub(crate) async fn sign_out(customers: &Customers, ctx: &Ctx, token: &str) -> Result<(), DbError> {
    let Some(presented) = customers.control().read_visitor_token(token) else { return Ok(()) };
    let tx = customers.db().begin(ctx).await?;
    tx.execute(include_str!("delete_session.sql"), &[&tx.tenant_id(), &presented.id()]).await?;
    tx.commit().await
}

/// Ends every session of a customer; their access tokens end within 15 minutes, and reach no profile until then.
pub(crate) async fn end_sessions(tx: &TenantTx, customer: CustomerId) -> Result<(), DbError> {
    tx.execute(include_str!("end_sessions.sql"), &[&tx.tenant_id(), &customer]).await.map(drop)
}

/// Removes sessions whose time is over, at most `most`; returns how many went.
pub(crate) async fn purge_sessions(tx: &TenantTx, most: i64) -> Result<u64, DbError> {
    tx.execute(include_str!("purge_sessions.sql"), &[&tx.tenant_id(), &tx.ctx().now(), &most]).await
}
