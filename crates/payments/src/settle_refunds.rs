//! Use case: write down what became of a refund.

use db::{DbError, Row, TenantTx};
use kernel::Money;
use postgres_types::ToSql;

use crate::{
    events::refund_drafts,
    model::{PaymentId, RefundId, RefundOutcome, RefundState, Source, clip},
    open_payments::actor,
    settle_payments::read_money,
};

/// A refund that was settled just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledRefund {
    /// Which refund.
    pub refund: RefundId,
    /// Of which payment.
    pub payment: PaymentId,
    /// How it ended.
    pub state: RefundState,
    /// How much.
    pub amount: Money,
    /// Why it was asked for.
    pub reason: String,
    /// The provider's name for it.
    pub provider_ref: Option<String>,
    /// The provider's code of a refusal.
    pub failure_code: Option<String>,
}

/// `payments.new_refund_result`.
#[derive(Debug, ToSql)]
#[postgres(name = "new_refund_result")]
struct NewRefundResult {
    refund_id: RefundId,
    state: &'static str,
    provider_ref: Option<String>,
    failure_code: Option<String>,
    source: &'static str,
}

impl NewRefundResult {
    fn new(refund_id: RefundId, outcome: &RefundOutcome, source: Source) -> Option<Self> {
        let (state, provider_ref, failure_code) = match outcome {
            RefundOutcome::Succeeded { provider_ref } => (RefundState::Succeeded, Some(provider_ref), None),
            RefundOutcome::Pending { provider_ref } => (RefundState::Pending, Some(provider_ref), None),
            RefundOutcome::Failed { code } => (RefundState::Failed, None, Some(code)),
            RefundOutcome::Unknown { .. } => return None,
        };
        Some(Self {
            refund_id,
            state: state.as_str(),
            provider_ref: provider_ref.map(|text| clip(text, 255)),
            failure_code: failure_code.map(|text| clip(text, 64)),
            source: source.as_str(),
        })
    }
}

/// Settles refunds and publishes `RefundProcessed` for each that ended by this; unknown outcomes change nothing.
///
/// # Errors
/// [`DbError`].
pub(crate) async fn settle_refunds(
    tx: &TenantTx,
    results: &[(RefundId, RefundOutcome)],
    source: Source,
) -> Result<Vec<SettledRefund>, DbError> {
    let rows: Vec<_> = results
        .iter()
        .filter_map(|(refund, outcome)| NewRefundResult::new(*refund, outcome, source))
        .collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let (tenant, now, who) = (tx.tenant_id(), tx.ctx().now(), actor(tx.ctx()));
    let rows = tx.query(include_str!("settle_refunds.sql"), &[&tenant, &rows, &now, &who]).await?;
    let settled = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    messages::publish(tx, &refund_drafts(&settled)).await?;
    Ok(settled)
}

fn decode(row: &Row) -> Result<SettledRefund, DbError> {
    let state: &str = row.try_get(2)?;
    Ok(SettledRefund {
        refund: row.try_get(0)?,
        payment: row.try_get(1)?,
        state: RefundState::parse(state)
            .ok_or_else(|| DbError::Other(format!("a refund is in the unknown state {state}")))?,
        amount: read_money(row.try_get(3)?, row.try_get(4)?)?,
        reason: row.try_get(5)?,
        provider_ref: row.try_get(6)?,
        failure_code: row.try_get(7)?,
    })
}
