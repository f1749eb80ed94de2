//! Use case: change a webhook, switch it on or off.

use db::{DbError, TenantTx};

use crate::{
    change_webhooks::{lock_webhooks, request_messages},
    create_webhook::WebhookInput,
    model::WebhookId,
    subscription::{Webhook, decode_webhook, find_webhook},
};

/// Why a webhook was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateWebhookError {
    /// No such webhook in this tenant.
    #[error("no such webhook")]
    NotFound,
    /// It has been changed since.
    #[error("the webhook has version {0} by now")]
    Changed(i32),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Changes a webhook. Switched off it hears of no new messages, and what waits goes on waiting; switched on again it
/// begins anew: what waits is sent, and its failures are forgotten.
///
/// # Errors
/// [`UpdateWebhookError`].
pub async fn update_webhook(
    tx: &TenantTx,
    id: WebhookId,
    input: WebhookInput,
    if_version: Option<i32>,
) -> Result<Webhook, UpdateWebhookError> {
    lock_webhooks(tx).await?;
    let WebhookInput { url, types, description, active } = input;
    let (tenant, now) = (tx.tenant_id(), tx.ctx().now());
    let row = tx
        .query_opt(
            include_str!("update_webhook.sql"),
            &[&tenant, &id, &url, &types, &description, &active, &if_version, &now],
        )
        .await?;
    let Some(row) = row else {
        return Err(match find_webhook(tx, id).await? {
            Some(webhook) => UpdateWebhookError::Changed(webhook.version),
            None => UpdateWebhookError::NotFound,
        });
    };
    request_messages(tx).await?;
    Ok(decode_webhook(&row)?)
}

/// Removes a webhook with its secrets and its log; whether there was one.
///
/// # Errors
/// [`DbError`].
pub async fn delete_webhook(tx: &TenantTx, id: WebhookId) -> Result<bool, DbError> {
    lock_webhooks(tx).await?;
    let (tenant, now) = (tx.tenant_id(), tx.ctx().now());
    let deleted = tx.execute(include_str!("delete_webhook.sql"), &[&tenant, &id, &now]).await? > 0;
    if deleted {
        request_messages(tx).await?;
    }
    Ok(deleted)
}
