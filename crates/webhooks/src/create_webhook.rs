//! Use case: make a webhook.

use control::{MasterKey, SealError};
use db::{DbError, TenantTx};

use crate::{
    change_webhooks::{lock_webhooks, request_messages},
    model::{WEBHOOKS_MAX, WebhookId},
    secret::Secret,
    subscription::{Webhook, decode_webhook},
};

/// What a merchant decides about a webhook; address and types have been checked.
#[derive(Debug, Clone)]
pub struct WebhookInput {
    /// Where messages are sent.
    pub url: String,
    /// Names of message types, or `*` alone.
    pub types: Vec<String>,
    /// A remark for people.
    pub description: String,
    /// Whether messages are sent.
    pub active: bool,
}

/// Why a webhook was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateWebhookError {
    /// The tenant has as many as it may have.
    #[error("the tenant has {WEBHOOKS_MAX} webhooks")]
    TooMany,
    /// No secret could be made or sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Makes a webhook; the text is its secret, which nobody is told again.
///
/// # Errors
/// [`CreateWebhookError`].
pub async fn create_webhook(
    tx: &TenantTx,
    key: &MasterKey,
    input: WebhookInput,
) -> Result<(Webhook, String), CreateWebhookError> {
    lock_webhooks(tx).await?;
    let secret = Secret::make()?;
    let sealed = secret.seal(key)?;
    let WebhookInput { url, types, description, active } = input;
    let row = tx
        .query_opt(
            include_str!("create_webhook.sql"),
            &[
                &tx.tenant_id(),
                &WebhookId::new(),
                &url,
                &types,
                &description,
                &active,
                &sealed,
                &tx.ctx().now(),
                &WEBHOOKS_MAX,
            ],
        )
        .await?;
    let webhook = decode_webhook(&row.ok_or(CreateWebhookError::TooMany)?)?;
    request_messages(tx).await?;
    Ok((webhook, secret.reveal()))
}
