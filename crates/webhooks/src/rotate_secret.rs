//! Use case: give a webhook another secret, while the old one stays valid for a day.

use control::{MasterKey, SealError};
use db::{DbError, TenantTx};
use jiff::SignedDuration;

use crate::{
    change_webhooks::lock_webhooks,
    model::WebhookId,
    schedule::later,
    secret::Secret,
    subscription::{Webhook, decode_webhook},
};

/// How long messages are signed with the old secret too.
pub const OLD_SECRET_STAYS: SignedDuration = SignedDuration::from_hours(24);

/// Why a secret was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RotateSecretError {
    /// No such webhook in this tenant.
    #[error("no such webhook")]
    NotFound,
    /// No secret could be made or sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Gives a webhook another secret, which is the text; nobody is told it again. The one before stays valid for a day, any
/// before that end at once.
///
/// # Errors
/// [`RotateSecretError`].
pub async fn rotate_secret(
    tx: &TenantTx,
    key: &MasterKey,
    id: WebhookId,
) -> Result<(Webhook, String), RotateSecretError> {
    lock_webhooks(tx).await?;
    let secret = Secret::make()?;
    let (sealed, now) = (secret.seal(key)?, tx.ctx().now());
    let until = later(now, OLD_SECRET_STAYS);
    let row = tx
        .query_opt(include_str!("rotate_secret.sql"), &[&tx.tenant_id(), &id, &sealed, &until, &now])
        .await?;
    let webhook = decode_webhook(&row.ok_or(RotateSecretError::NotFound)?)?;
    Ok((webhook, secret.reveal()))
}
