//! Giving money back.

use std::time::Duration;

use axum::extract::State;
use edge::{
    Idempotency, IdempotencyKey, Json, Op, Problem, Reply, Routes, Tenanted,
    idempotency::{Claim, claim_stmt, decode_claims, find_claimed},
};
use kernel::Ctx;
use serde_json::json;

use super::{inputs::RefundBody, outputs::RefundView};
use crate::{
    Payments,
    find_payment::{Refund, find_refund},
    model::{RefundId, Source},
    problems::{
        PAYMENT_CURRENCY_MISMATCH, PAYMENT_NOT_CAPTURED, PAYMENT_NOT_FOUND, PAYMENTS_REFUND,
        REFUND_EXCEEDS_PAYMENT, TOO_MANY_REFUNDS,
    },
    request_refunds::{NewRefund, RefundError, decode_refunds, request_refunds_stmt},
};

/// A call to a provider and some room.
const REFUND_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn routes(state: Payments) -> Routes<()> {
    Routes::new("Payments")
        .add(
            Op::post("/payments/refund", "refund_payment", "Give money back")
                .description(
                    "Promised at once, so that refunds never exceed what was taken; answers with the refund as the \
                     provider left it. A `pending` one is carried out by itself.",
                )
                .permission(PAYMENTS_REFUND)
                .idempotency(IdempotencyKey::Required)
                .timeout(REFUND_TIMEOUT)
                .returns::<RefundView>(201)
                .problems(&[
                    PAYMENT_NOT_FOUND,
                    PAYMENT_NOT_CAPTURED,
                    REFUND_EXCEEDS_PAYMENT,
                    PAYMENT_CURRENCY_MISMATCH,
                    TOO_MANY_REFUNDS,
                ]),
            refund,
        )
        .with_state(state)
}

async fn refund(
    State(payments): State<Payments>,
    Tenanted(ctx): Tenanted,
    key: Idempotency,
    Json(body): Json<RefundBody>,
) -> Result<Reply, Problem> {
    let RefundBody { payment_id, amount, reason } = body;
    let (id, source) = (RefundId::new(), Source::Api);
    let wanted = NewRefund { id, payment: payment_id, amount: Some(amount), reason, source };
    let claim = Claim::new(&key, id.0)?;
    if !promise(&payments, &ctx, &claim, wanted).await? {
        return replay(&payments, &ctx, &claim).await;
    }
    given(payments.run_refund(&ctx, id).await?)
}

/// Promises the money together with the key; whether the key was free.
async fn promise(payments: &Payments, ctx: &Ctx, claim: &Claim, wanted: NewRefund) -> Result<bool, Problem> {
    let tx = payments.db().begin(ctx).await?;
    let claimed = decode_claims(&tx.run(claim_stmt(ctx, &[*claim], 201)).await?)?;
    if claimed.is_empty() {
        return Ok(false);
    }
    let refunds = [wanted];
    let rows = tx.run(request_refunds_stmt(ctx, &refunds)).await?;
    for (_, granted) in decode_refunds(&rows, &refunds)? {
        granted?;
    }
    tx.commit().await?;
    Ok(true)
}

/// The refund of the first request with this key, as it stands now.
async fn replay(payments: &Payments, ctx: &Ctx, claim: &Claim) -> Result<Reply, Problem> {
    let tx = payments.db().begin_read(ctx).await?;
    let resource = find_claimed(&tx, claim).await?;
    let refund = find_refund(&tx, RefundId(resource)).await?;
    tx.commit().await?;
    given(refund).map(Reply::replayed)
}

fn given(refund: Option<Refund>) -> Result<Reply, Problem> {
    let refund = refund.ok_or_else(|| Problem::internal("a refund that was promised is not there"))?;
    Ok(Reply::created(format!("/api/v1/payments/{}", refund.payment), &RefundView::from(refund)))
}

impl From<RefundError> for Problem {
    fn from(error: RefundError) -> Self {
        let refuse = |code, pointer: &'static str, detail: &'static str| {
            Self::new(code).pointer(pointer, code, detail)
        };
        match error {
            RefundError::NotFound => Self::new(PAYMENT_NOT_FOUND),
            RefundError::NotCaptured(state) => {
                Self::new(PAYMENT_NOT_CAPTURED).extension("state", json!(state))
            }
            RefundError::Exceeds { left } => {
                refuse(REFUND_EXCEEDS_PAYMENT, "/amount/amount", "is more than is left")
                    .extension("left", json!(left))
            }
            RefundError::Currency(_) => {
                refuse(PAYMENT_CURRENCY_MISMATCH, "/amount/currency", "is not that of the payment")
            }
            RefundError::TooMany => Self::new(TOO_MANY_REFUNDS),
            RefundError::Db(error) => error.into(),
        }
    }
}
