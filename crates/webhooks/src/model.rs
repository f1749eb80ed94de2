//! The words of webhooks: subscriptions, deliveries and their states. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

kernel::id!(
    /// A merchant's wish to be told of messages at an address.
    WebhookId,
    "whk"
);
kernel::id!(
    /// One message on its way to one webhook.
    DeliveryId,
    "whd"
);

/// Webhooks of one tenant at most.
pub const WEBHOOKS_MAX: i64 = 50;
/// Deliveries of one webhook that wait at most; what comes beyond is logged as dropped.
pub const PENDING_MAX: i64 = 50_000;
/// The longest address, in bytes.
pub const URL_MAX: usize = 2048;
/// The longest description, in characters.
pub const DESCRIPTION_MAX: usize = 500;
/// Message types that one webhook may name.
pub const TYPES_MAX: usize = 200;
/// Bytes of a response that are kept.
pub const RESPONSE_MAX: usize = 1024;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// It waits for its next attempt.
    Pending,
    /// The receiver answered with a 2xx status.
    Delivered,
    /// Given up after the last attempt.
    Failed,
    /// Never attempted: too many were waiting.
    Dropped,
}

impl DeliveryState {
    /// The stored and written form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// The state of that stored form; what this program does not know counts as failed.
    pub(crate) fn parse(text: &str) -> Self {
        [Self::Pending, Self::Delivered, Self::Dropped]
            .into_iter()
            .find(|state| state.as_str() == text)
            .unwrap_or(Self::Failed)
    }
}

/// Why a webhook was switched off by Markethall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DisabledReason {
    /// Nothing arrived for three days.
    Failing,
    /// The receiver answered 410: it wants no more.
    Gone,
}

impl DisabledReason {
    /// The stored and written form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        if text == Self::Gone.as_str() { Self::Gone } else { Self::Failing }
    }
}
