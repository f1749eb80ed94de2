//! The words of payments: states, outcomes, orders to providers. Pure.

use std::fmt::{self, Display};

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;
use uuid::Uuid;

kernel::id!(
    /// Money wanted from somebody, once; also the idempotency key of its charge with the provider.
    PaymentId,
    "pay"
);
kernel::id!(
    /// Money given back, once; also the idempotency key of it with the provider.
    RefundId,
    "rfd"
);

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Opened; the provider is being asked.
    Pending,
    /// The payer has to do something, `action` says what.
    RequiresAction,
    /// The money was taken. Never left again.
    Succeeded,
    /// The provider refused; nothing was taken.
    Failed,
    /// Given up before anything was taken.
    Cancelled,
    /// The provider did not say what became of it; it is asked again.
    Unknown,
}

impl PaymentState {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::RequiresAction => "requires_action",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// Reads what [`PaymentState::as_str`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Pending,
            Self::RequiresAction,
            Self::Succeeded,
            Self::Failed,
            Self::Cancelled,
            Self::Unknown,
        ];
        all.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether it is known what became of the money.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Promised; the provider is asked until it says what became of it.
    Pending,
    /// The money went back.
    Succeeded,
    /// The provider refused; the money may be given back in another way.
    Failed,
}

impl RefundState {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// Reads what [`RefundState::as_str`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Succeeded, Self::Failed].into_iter().find(|state| state.as_str() == text)
    }
}

/// How a change came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A request.
    Api,
    /// The provider told of it.
    Webhook,
    /// The provider was asked later.
    Reconcile,
    /// A checkout.
    Checkout,
}

impl Source {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Webhook => "webhook",
            Self::Reconcile => "reconcile",
            Self::Checkout => "checkout",
        }
    }

    /// Reads what [`Source::as_str`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Api, Self::Webhook, Self::Reconcile, Self::Checkout]
            .into_iter()
            .find(|source| source.as_str() == text)
    }
}

/// What became of a charge, as the provider says.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The money was taken.
    Succeeded {
        /// The provider's name for it.
        provider_ref: String,
    },
    /// The payer has to do something first.
    RequiresAction {
        /// The provider's name for it.
        provider_ref: String,
        /// What to do, for example `{"type": "redirect", "url": ".."}`; at most 4 KB.
        action: Json,
    },
    /// Refused; nothing was taken.
    Declined {
        /// The provider's code, at most 64 characters.
        code: String,
        /// The provider's words, at most 500 characters.
        detail: String,
    },
    /// Given up before anything was taken; the provider will not take it any more.
    Cancelled,
    /// Nobody knows; the money may have been taken.
    Unknown {
        /// Why it is not known, at most 500 characters.
        detail: String,
    },
}

impl Outcome {
    /// The state that it settles a payment in.
    #[must_use]
    pub const fn state(&self) -> PaymentState {
        match self {
            Self::Succeeded { .. } => PaymentState::Succeeded,
            Self::RequiresAction { .. } => PaymentState::RequiresAction,
            Self::Declined { .. } => PaymentState::Failed,
            Self::Cancelled => PaymentState::Cancelled,
            Self::Unknown { .. } => PaymentState::Unknown,
        }
    }

    pub(crate) fn unknown(detail: impl Display) -> Self {
        Self::Unknown { detail: detail.to_string() }
    }
}

/// A charge as the provider is asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeOrder {
    /// Which payment; the idempotency key.
    pub payment: PaymentId,
    /// The provider's name.
    pub provider: String,
    /// The means of payment, in the provider's words; never card data.
    pub method: String,
    /// How much.
    pub amount: Money,
}

/// Money to be given back, as the provider is asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundOrder {
    /// Which refund; the idempotency key.
    pub refund: RefundId,
    /// Of which payment.
    pub payment: PaymentId,
    /// The provider's name.
    pub provider: String,
    /// The provider's name for the charge.
    pub charge_ref: Option<String>,
    /// The provider's name for the refund, once it has told it: then it is only asked what became of it.
    pub refund_ref: Option<String>,
    /// How much.
    pub amount: Money,
}

/// What became of a refund, as the provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The money went back.
    Succeeded {
        /// The provider's name for it.
        provider_ref: String,
    },
    /// The provider is at it.
    Pending {
        /// The provider's name for it.
        provider_ref: String,
    },
    /// Refused; nothing went back.
    Failed {
        /// The provider's code, at most 64 characters.
        code: String,
    },
    /// Nobody knows; asked again under the same key.
    Unknown {
        /// Why it is not known.
        detail: String,
    },
}

/// A payment as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Payment {
    /// Identity.
    pub id: PaymentId,
    /// The provider's name.
    pub provider: String,
    /// The means of payment, in the provider's words.
    pub method: String,
    /// How much was wanted.
    pub amount: Money,
    /// Where it stands.
    pub state: PaymentState,
    /// The provider's name for it.
    pub provider_ref: Option<String>,
    /// What the payer has to do.
    pub action: Option<Json>,
    /// The provider's code of a refusal.
    pub failure_code: Option<String>,
    /// The provider's words on a refusal.
    pub failure_detail: Option<String>,
    /// What it is for: the id of a checkout, or a caller's reference.
    pub purpose: Option<String>,
    /// Whose it is: the id of a customer or guest.
    pub owner: Option<String>,
    /// Who opened it.
    pub opened_by: String,
    /// Minor units taken.
    pub captured: i64,
    /// Minor units given back.
    pub refunded: i64,
    /// Minor units on their way back.
    pub refunding: i64,
    /// When the provider is asked again; `None` when settled, or when a person has to look.
    pub next_check_at: Option<Timestamp>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
}

impl Payment {
    /// Whether nobody asks any more and only a person can find out.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        !self.state.is_settled() && self.next_check_at.is_none()
    }

    /// As the provider is, or was, asked for it.
    #[must_use]
    pub fn order(&self) -> ChargeOrder {
        ChargeOrder {
            payment: self.id,
            provider: self.provider.clone(),
            method: self.method.clone(),
            amount: self.amount,
        }
    }
}

impl PaymentId {
    /// The charge's name with the test provider.
    pub(crate) fn test_ref(self) -> String {
        format!("test_{}", Ending(self.0))
    }
}

impl RefundId {
    /// The refund's name with the test provider.
    pub(crate) fn test_ref(self) -> String {
        format!("test_{}", Ending(self.0))
    }
}

/// An id without its prefix.
struct Ending(Uuid);

impl Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

/// The first `most` characters, without NUL, which PostgreSQL does not store.
pub(crate) fn clip(text: &str, most: usize) -> String {
    text.chars().filter(|character| *character != '\0').take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_providers_say_is_cut_to_what_is_stored() {
        assert_eq!(clip("a\0bcd", 3), "abc");
        assert_eq!(clip("äöü", 2), "äö");
    }

    #[test]
    fn every_state_reads_back() {
        for state in ["pending", "requires_action", "succeeded", "failed", "cancelled", "unknown"] {
            assert_eq!(PaymentState::parse(state).map(PaymentState::as_str), Some(state));
        }
        assert_eq!(PaymentState::parse("paid"), None);
    }
}
