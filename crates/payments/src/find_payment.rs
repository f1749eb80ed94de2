//! Use case: look at a payment, its refunds and what happened to it.

use db::{DbError, Row, TenantTx};
use kernel::{Money, Timestamp};
use uuid::Uuid;

use crate::{
    model::{Payment, PaymentId, RefundId, RefundState},
    settle_payments::{read_money, read_state},
};

/// A refund as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Identity.
    pub id: RefundId,
    /// Of which payment.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub state: RefundState,
    /// Why it was asked for.
    pub reason: String,
    /// The provider's name for it.
    pub provider_ref: Option<String>,
    /// The provider's code of a refusal.
    pub failure_code: Option<String>,
    /// Who asked for it.
    pub requested_by: String,
    /// When the provider is asked again; `None` when settled, or when a person has to look.
    pub next_check_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub settled_at: Option<Timestamp>,
}

/// One step in the life of a payment or of one of its refunds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// Of which refund; `None` for the payment itself.
    pub refund: Option<RefundId>,
    /// From which state.
    pub from: String,
    /// To which state.
    pub to: String,
    /// How it came about.
    pub source: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// The payment with this id, if the tenant has it.
///
/// # Errors
/// [`DbError`].
pub async fn find_payment(tx: &TenantTx, id: PaymentId) -> Result<Option<Payment>, DbError> {
    let row = tx.query_opt(include_str!("find_payment.sql"), &[&tx.tenant_id(), &id]).await?;
    row.as_ref().map(decode_payment).transpose()
}

/// The refunds of a payment, oldest first.
///
/// # Errors
/// [`DbError`].
pub async fn find_refunds(tx: &TenantTx, payment: PaymentId) -> Result<Vec<Refund>, DbError> {
    let rows = tx.query(include_str!("find_refunds.sql"), &[&tx.tenant_id(), &payment]).await?;
    rows.iter().map(decode_refund).collect()
}

/// The refund with this id, if the tenant has it.
///
/// # Errors
/// [`DbError`].
pub async fn find_refund(tx: &TenantTx, id: RefundId) -> Result<Option<Refund>, DbError> {
    let row = tx.query_opt(include_str!("find_refund.sql"), &[&tx.tenant_id(), &id]).await?;
    row.as_ref().map(decode_refund).transpose()
}

/// What happened to a payment and its refunds after it was opened, oldest first.
///
/// # Errors
/// [`DbError`].
pub async fn find_history(tx: &TenantTx, payment: PaymentId) -> Result<Vec<StatusChange>, DbError> {
    let rows = tx.query(include_str!("find_history.sql"), &[&tx.tenant_id(), &payment]).await?;
    rows.iter()
        .map(|row| {
            let refund: Uuid = row.try_get(0)?;
            Ok(StatusChange {
                refund: (!refund.is_nil()).then_some(RefundId(refund)),
                from: row.try_get(1)?,
                to: row.try_get(2)?,
                source: row.try_get(3)?,
                actor: row.try_get(4)?,
                at: row.try_get(5)?,
            })
        })
        .collect()
}

pub(crate) fn decode_payment(row: &Row) -> Result<Payment, DbError> {
    Ok(Payment {
        id: row.try_get(0)?,
        provider: row.try_get(1)?,
        method: row.try_get(2)?,
        amount: read_money(row.try_get(3)?, row.try_get(4)?)?,
        state: read_state(row.try_get(5)?)?,
        provider_ref: row.try_get(6)?,
        action: row.try_get(7)?,
        failure_code: row.try_get(8)?,
        failure_detail: row.try_get(9)?,
        purpose: row.try_get(10)?,
        owner: row.try_get(11)?,
        opened_by: row.try_get(12)?,
        captured: row.try_get(13)?,
        refunded: row.try_get(14)?,
        refunding: row.try_get(15)?,
        next_check_at: row.try_get(16)?,
        created_at: row.try_get(17)?,
        updated_at: row.try_get(18)?,
        settled_at: row.try_get(19)?,
    })
}

fn decode_refund(row: &Row) -> Result<Refund, DbError> {
    let state: &str = row.try_get(4)?;
    Ok(Refund {
        id: row.try_get(0)?,
        payment: row.try_get(1)?,
        amount: read_money(row.try_get(2)?, row.try_get(3)?)?,
        state: RefundState::parse(state)
            .ok_or_else(|| DbError::Other(format!("a refund is in the unknown state {state}")))?,
        reason: row.try_get(5)?,
        provider_ref: row.try_get(6)?,
        failure_code: row.try_get(7)?,
        requested_by: row.try_get(8)?,
        next_check_at: row.try_get(9)?,
        created_at: row.try_get(10)?,
        settled_at: row.try_get(11)?,
    })
}
