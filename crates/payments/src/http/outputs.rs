//! Answers.

use kernel::{Actor, Ctx, Money, Timestamp};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::{
    find_payment::{Refund, StatusChange},
    model::{Payment, PaymentId, PaymentState, RefundId, RefundState},
    report_day::DayTotals,
};

/// Why nothing was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PaymentFailure {
    /// The provider's code.
    code: String,
    /// The provider's words.
    detail: String,
}

/// A payment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentView {
    id: PaymentId,
    provider: String,
    method: String,
    amount: Money,
    state: PaymentState,
    /// The provider's name for it.
    provider_reference: Option<String>,
    /// What the payer has to do, while the state is `requires_action`.
    #[schema(value_type = Option<Object>)]
    action: Option<Json>,
    failure: Option<PaymentFailure>,
    /// What it is for: the id of a checkout, or a caller's reference.
    reference: Option<String>,
    /// The customer or guest whose it is.
    owner: Option<String>,
    /// Taken.
    captured: Money,
    /// Gone back.
    refunded: Money,
    /// On its way back.
    refunding: Money,
    /// Nobody asks the provider any more; a person has to look.
    needs_attention: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it became certain.
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        let money = |amount: i64| Money::new(amount, payment.amount.currency);
        let needs_attention = payment.needs_attention();
        let failure = |code| PaymentFailure { code, detail: payment.failure_detail.unwrap_or_default() };
        Self {
            id: payment.id,
            amount: payment.amount,
            state: payment.state,
            captured: money(payment.captured),
            refunded: money(payment.refunded),
            refunding: money(payment.refunding),
            needs_attention,
            provider: payment.provider,
            method: payment.method,
            provider_reference: payment.provider_ref,
            action: payment.action,
            failure: payment.failure_code.map(failure),
            reference: payment.purpose,
            owner: payment.owner,
            created_at: payment.created_at,
            updated_at: payment.updated_at,
            settled_at: payment.settled_at,
        }
    }
}

/// A refund.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefundView {
    id: RefundId,
    payment_id: PaymentId,
    amount: Money,
    state: RefundState,
    reason: String,
    /// The provider's name for it.
    provider_reference: Option<String>,
    /// The provider's code when it refused.
    failure_code: Option<String>,
    /// Nobody asks the provider any more; a person has to look.
    needs_attention: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
}

impl From<Refund> for RefundView {
    fn from(refund: Refund) -> Self {
        Self {
            id: refund.id,
            payment_id: refund.payment,
            amount: refund.amount,
            state: refund.state,
            reason: refund.reason,
            provider_reference: refund.provider_ref,
            failure_code: refund.failure_code,
            needs_attention: refund.state == RefundState::Pending && refund.next_check_at.is_none(),
            created_at: refund.created_at,
            settled_at: refund.settled_at,
        }
    }
}

/// A step in the life of a payment, or of one of its refunds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentStep {
    /// The refund that it is about; absent for the payment itself.
    refund_id: Option<RefundId>,
    from: String,
    to: String,
    /// `api`, `webhook`, `reconcile` or `checkout`.
    source: String,
    /// Who did it; not told to visitors.
    actor: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl PaymentStep {
    fn new(step: StatusChange, ctx: &Ctx) -> Self {
        let visitor = matches!(ctx.caller.actor, Actor::Visitor(_));
        let StatusChange { refund, from, to, source, actor, at } = step;
        Self { refund_id: refund, from, to, source, actor: (!visitor).then_some(actor), at }
    }
}

/// A payment with all that became of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentDetails {
    #[serde(flatten)]
    payment: PaymentView,
    /// What went or goes back, oldest first.
    #[schema(max_items = 1000)]
    refunds: Vec<RefundView>,
    /// What happened after it was opened, oldest first.
    #[schema(max_items = 1000)]
    history: Vec<PaymentStep>,
}

impl PaymentDetails {
    pub(super) fn new(payment: Payment, refunds: Vec<Refund>, history: Vec<StatusChange>, ctx: &Ctx) -> Self {
        Self {
            payment: payment.into(),
            refunds: refunds.into_iter().map(Into::into).collect(),
            history: history.into_iter().map(|step| PaymentStep::new(step, ctx)).collect(),
        }
    }
}

/// What was taken and given back on one day.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentDay {
    #[schema(value_type = String, format = Date)]
    pub(super) date: jiff::civil::Date,
    /// The day's first moment.
    #[schema(value_type = String, format = DateTime)]
    pub(super) from: Timestamp,
    /// The first moment of the next day.
    #[schema(value_type = String, format = DateTime)]
    pub(super) to: Timestamp,
    /// By provider and currency.
    #[schema(max_items = 2000)]
    pub(super) totals: Vec<DayTotals>,
}

/// A provider and the merchant's account with it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProviderView {
    /// Its name.
    pub(super) name: &'static str,
    /// What it takes, or examples.
    #[schema(max_items = 50)]
    pub(super) methods: &'static [&'static str],
    /// The names of what an account holds.
    #[schema(max_items = 10)]
    pub(super) credentials: &'static [&'static str],
    /// Which of these the merchant has set.
    #[schema(max_items = 10)]
    pub(super) set: Vec<String>,
    /// When they were set.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) set_at: Option<Timestamp>,
}

/// Every provider of the installation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProviderList {
    #[schema(max_items = 20)]
    pub(super) items: Vec<ProviderView>,
}

/// That an event was heard.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookReceipt {
    /// Whether it is about a payment of this merchant.
    pub(super) known: bool,
    /// Whether it had been heard before.
    pub(super) replayed: bool,
}
