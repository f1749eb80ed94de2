//! The messages that webhooks publish: a contract, fields are only ever added.

use kernel::Timestamp;
use messages::{Draft, MessageType};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    model::{DisabledReason, WebhookId},
    subscription::Webhook,
};

/// A webhook was switched off.
pub const WEBHOOK_DISABLED: MessageType = MessageType::of::<WebhookDisabled>(
    "WebhookDisabled",
    "A webhook was switched off because nothing arrived for three days, or its receiver is gone; the subject is the webhook.",
);

/// All of them, for the catalogue.
pub const MESSAGE_TYPES: [MessageType; 1] = [WEBHOOK_DISABLED];

/// A webhook was switched off.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookDisabled {
    webhook_id: WebhookId,
    url: String,
    reason: DisabledReason,
    #[schema(value_type = String, format = DateTime, required)]
    failing_since: Option<Timestamp>,
}

/// `WebhookDisabled` for `webhook`.
pub(crate) fn webhook_disabled(webhook: &Webhook, reason: DisabledReason) -> Draft {
    let data = WebhookDisabled {
        webhook_id: webhook.id,
        url: webhook.url.clone(),
        reason,
        failing_since: webhook.failing_since,
    };
    Draft::of(&WEBHOOK_DISABLED, webhook.id, &data)
}
