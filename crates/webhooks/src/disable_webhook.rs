//! Use case: switch a webhook off because nothing arrives.

use db::{DbError, TenantTx};
use jiff::Timestamp;

use crate::{
    change_webhooks::{lock_webhooks, request_messages},
    events::webhook_disabled,
    model::{DisabledReason, WebhookId},
    schedule::GIVE_UP_AFTER,
    subscription::decode_webhook,
};

/// Switches a webhook off and says so with `WebhookDisabled`, once; whether it did. For [`DisabledReason::Failing`] only
/// if nothing has arrived for three days, as somebody may have succeeded meanwhile.
pub(crate) async fn disable_webhook(
    tx: &TenantTx,
    id: WebhookId,
    reason: DisabledReason,
) -> Result<bool, DbError> {
    lock_webhooks(tx).await?;
    let (tenant, now) = (tx.tenant_id(), tx.ctx().now());
    let failing_since = match reason {
        DisabledReason::Failing => Some(now.checked_sub(GIVE_UP_AFTER).unwrap_or(Timestamp::MIN)),
        DisabledReason::Gone => None,
    };
    let row = tx
        .query_opt(
            include_str!("disable_webhook.sql"),
            &[&tenant, &id, &reason.as_str(), &now, &failing_since],
        )
        .await?;
    let Some(row) = row else { return Ok(false) };
    request_messages(tx).await?;
    messages::publish(tx, &[webhook_disabled(&decode_webhook(&row)?, reason)]).await?;
    Ok(true)
}
