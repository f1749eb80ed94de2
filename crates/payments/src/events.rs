//! The messages that payments publishes: a contract, fields are only ever added.

use kernel::Money;
use messages::{Draft, MessageType};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    model::{PaymentId, PaymentState, RefundId, RefundState},
    settle_payments::Settled,
    settle_refunds::SettledRefund,
};

/// The money was taken.
pub const PAYMENT_SUCCEEDED: MessageType = MessageType::of::<PaymentSucceeded>(
    "PaymentSucceeded",
    "The money of a payment was taken; the subject is the payment.",
);
/// Nothing was taken.
pub const PAYMENT_FAILED: MessageType = MessageType::of::<PaymentFailed>(
    "PaymentFailed",
    "A payment was refused or cancelled, nothing was taken; the subject is the payment.",
);
/// A refund ended.
pub const REFUND_PROCESSED: MessageType = MessageType::of::<RefundProcessed>(
    "RefundProcessed",
    "The money of a refund went back, or the provider refused it; the subject is the payment.",
);

/// All of them, for the catalogue.
pub const MESSAGE_TYPES: [MessageType; 3] = [PAYMENT_SUCCEEDED, PAYMENT_FAILED, REFUND_PROCESSED];

/// The money was taken.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentSucceeded {
    payment_id: PaymentId,
    provider: String,
    method: String,
    amount: Money,
    #[schema(required)]
    provider_reference: Option<String>,
    #[schema(required)]
    purpose: Option<String>,
    /// It had been reported as failed before.
    late: bool,
}

/// Nothing was taken.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentFailed {
    payment_id: PaymentId,
    provider: String,
    method: String,
    amount: Money,
    /// `failed` or `cancelled`.
    state: PaymentState,
    /// The provider's code.
    #[schema(required)]
    code: Option<String>,
    #[schema(required)]
    purpose: Option<String>,
}

/// A refund ended.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundProcessed {
    refund_id: RefundId,
    payment_id: PaymentId,
    /// `succeeded` or `failed`.
    state: RefundState,
    amount: Money,
    reason: String,
    #[schema(required)]
    provider_reference: Option<String>,
    /// The provider's code of a refusal.
    #[schema(required)]
    code: Option<String>,
}

/// The messages of what a settlement changed, to be published in its transaction.
#[must_use]
pub fn settled_drafts(settled: &[Settled]) -> Vec<Draft> {
    settled.iter().filter(|settled| settled.changed).filter_map(draft).collect()
}

fn draft(settled: &Settled) -> Option<Draft> {
    let Settled { payment, state, amount, .. } = *settled;
    let (provider, method) = (settled.provider.clone(), settled.method.clone());
    let purpose = settled.purpose.clone();
    match state {
        PaymentState::Succeeded => {
            let data = PaymentSucceeded {
                payment_id: payment,
                provider,
                method,
                amount,
                provider_reference: settled.provider_ref.clone(),
                purpose,
                late: settled.was.is_settled(),
            };
            Some(Draft::of(&PAYMENT_SUCCEEDED, payment, &data))
        }
        PaymentState::Failed | PaymentState::Cancelled => {
            let code = settled.failure_code.clone();
            let data = PaymentFailed { payment_id: payment, provider, method, amount, state, code, purpose };
            Some(Draft::of(&PAYMENT_FAILED, payment, &data))
        }
        PaymentState::Pending | PaymentState::RequiresAction | PaymentState::Unknown => None,
    }
}

pub(crate) fn refund_drafts(settled: &[SettledRefund]) -> Vec<Draft> {
    let draft = |settled: &SettledRefund| {
        let data = RefundProcessed {
            refund_id: settled.refund,
            payment_id: settled.payment,
            state: settled.state,
            amount: settled.amount,
            reason: settled.reason.clone(),
            provider_reference: settled.provider_ref.clone(),
            code: settled.failure_code.clone(),
        };
        Draft::of(&REFUND_PROCESSED, settled.payment, &data)
    };
    settled.iter().map(draft).collect()
}
