//! Use cases: somebody shops without an account; and what is theirs becomes a customer's when they sign in.

use std::time::Duration;

use control::{Control, KeyError, sign_visitor_token};
use db::{DbError, TenantTx};
use edge::{AuthError, Identity as _};
use kernel::{Actor, Ctx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{CustomerId, GuestId, events::guest_merged, hooks::Hooks};

/// How long a guest is known.
const GUEST_LIFE: Duration = Duration::from_secs(30 * 86_400);

/// What a guest is known by.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GuestPass {
    /// Identity; not a secret.
    pub(crate) guest_id: GuestId,
    /// To be sent as `Authorization: Bearer`. It is all that shows what is theirs, and nobody can make it up.
    pub(crate) token: String,
    /// Seconds until the token is worth nothing.
    #[schema(minimum = 1)]
    pub(crate) expires_in: u64,
}

/// Makes a guest of the tenant of `ctx`; nothing is stored.
pub(crate) fn create_guest(control: &Control, ctx: &Ctx) -> Result<GuestPass, KeyError> {
    let guest_id = GuestId::new();
    let token = sign_visitor_token(control, ctx.tenant_id(), &guest_id.to_string(), GUEST_LIFE, ctx.now())?;
    Ok(GuestPass { guest_id, token, expires_in: GUEST_LIFE.as_secs() })
}

/// Why a text does not show a guest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GuestTokenError {
    /// It is no token of a guest of this tenant, or no more.
    #[error("no token of a guest of this tenant")]
    Invalid,
    /// That cannot be found out now.
    #[error("{0}")]
    Unavailable(String),
}

/// The guest whom `token` shows, in the tenant of `ctx`.
pub(crate) async fn verify_guest(
    control: &Control,
    ctx: &Ctx,
    token: &str,
) -> Result<GuestId, GuestTokenError> {
    let principal = match control.authenticate(token, ctx.now()).await {
        Ok(principal) => principal,
        Err(AuthError::Unavailable(cause)) => return Err(GuestTokenError::Unavailable(cause.to_string())),
        Err(AuthError::Expired | AuthError::Invalid(_)) => return Err(GuestTokenError::Invalid),
    };
    let Actor::Visitor(id) = &principal.actor else { return Err(GuestTokenError::Invalid) };
    if principal.tenant != Some(ctx.tenant_id()) {
        return Err(GuestTokenError::Invalid);
    }
    id.parse().map_err(|_| GuestTokenError::Invalid)
}

/// A guest who has been shown to be one, if any.
pub(crate) type Presented = Option<GuestId>;

/// Gives `customer` everything of the guest, in the transaction of the sign-in.
pub(super) async fn merge_guest(
    tx: &TenantTx,
    hooks: &Hooks,
    guest: Presented,
    customer: CustomerId,
) -> Result<(), DbError> {
    let Some(guest) = guest else { return Ok(()) };
    for hook in &hooks.guests {
        hook.merge(tx, guest, customer).await?;
    }
    messages::publish(tx, &[guest_merged(guest, customer)]).await
}
