//! Use case: write down what became of a charge.

use db::{DbError, Row, Stmt, TenantTx};
use kernel::{Ctx, Money};
use postgres_types::ToSql;
use serde_json::Value as Json;

use crate::{
    events::settled_drafts,
    model::{Outcome, PaymentId, PaymentState, Source, clip},
    open_payments::actor,
};

/// The longest action that is stored, in bytes of JSON.
const MOST_ACTION: usize = 4096;

/// What became of one payment.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// Which payment.
    pub payment: PaymentId,
    /// What became of it.
    pub outcome: Outcome,
    /// How that came to be known.
    pub source: Source,
}

/// A payment after [`settle_stmt`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Which payment.
    pub payment: PaymentId,
    /// Where it stands now: this is what counts, whoever brought it there.
    pub state: PaymentState,
    /// Whether this settlement changed it.
    pub changed: bool,
    /// Where it stood before. `failed` or `cancelled` with `changed` and a state of `succeeded` is money taken that
    /// nobody waits for any more.
    pub was: PaymentState,
    /// How much.
    pub amount: Money,
    /// What it is for.
    pub purpose: Option<String>,
    /// Whose it is.
    pub owner: Option<String>,
    /// The provider's name.
    pub provider: String,
    /// The means of payment.
    pub method: String,
    /// The provider's name for it.
    pub provider_ref: Option<String>,
    /// The provider's code when this settlement says that it was refused.
    pub failure_code: Option<String>,
}

/// `payments.new_settlement`.
#[derive(Debug, ToSql)]
#[postgres(name = "new_settlement")]
struct NewSettlement {
    payment_id: PaymentId,
    state: &'static str,
    provider_ref: Option<String>,
    action: Option<Json>,
    failure_code: Option<String>,
    failure_detail: Option<String>,
    source: &'static str,
}

impl NewSettlement {
    fn new(settlement: &Settlement) -> Self {
        let mut row = Self {
            payment_id: settlement.payment,
            state: settlement.outcome.state().as_str(),
            provider_ref: None,
            action: None,
            failure_code: None,
            failure_detail: None,
            source: settlement.source.as_str(),
        };
        match &settlement.outcome {
            Outcome::Succeeded { provider_ref } => row.provider_ref = Some(clip(provider_ref, 255)),
            Outcome::RequiresAction { provider_ref, action } => {
                row.provider_ref = Some(clip(provider_ref, 255));
                row.action = storable(action);
            }
            Outcome::Declined { code, detail } => {
                row.failure_code = Some(clip(code, 64));
                row.failure_detail = Some(clip(detail, 500));
            }
            Outcome::Cancelled => {}
            Outcome::Unknown { detail } => row.failure_detail = Some(clip(detail, 500)),
        }
        row
    }
}

/// What PostgreSQL can keep of it.
fn storable(action: &Json) -> Option<Json> {
    let text = action.to_string();
    (text.len() <= MOST_ACTION && !text.contains("\\u0000")).then(|| action.clone())
}

/// The statement that moves payments which are `pending`, `requires_action` or `unknown` to what became of them.
///
/// Each changes exactly once whoever races. `succeeded` is never left; a later success of what was thought `failed`
/// or `cancelled` becomes `succeeded` and is reported as changed, so that the money can be given back. One row comes
/// back per payment that exists, see [`decode_settled`]; publish [`settled_drafts`] in the same transaction.
#[must_use]
pub fn settle_stmt(ctx: &Ctx, settlements: &[Settlement]) -> Stmt {
    Stmt::new(include_str!("settle_payments.sql"))
        .bind(ctx.tenant_id())
        .bind(settlements.iter().map(NewSettlement::new).collect::<Vec<_>>())
        .bind(ctx.now())
        .bind(actor(ctx))
}

/// Reads the rows of [`settle_stmt`], ordered by payment.
///
/// # Errors
/// [`DbError::Other`] when the rows are not of that statement.
pub fn decode_settled(rows: &[Row]) -> Result<Vec<Settled>, DbError> {
    rows.iter().map(decode).collect()
}

fn decode(row: &Row) -> Result<Settled, DbError> {
    Ok(Settled {
        payment: row.try_get(0)?,
        state: read_state(row.try_get(1)?)?,
        changed: row.try_get(2)?,
        was: read_state(row.try_get(3)?)?,
        amount: read_money(row.try_get(4)?, row.try_get(5)?)?,
        purpose: row.try_get(6)?,
        owner: row.try_get(7)?,
        provider: row.try_get(8)?,
        method: row.try_get(9)?,
        provider_ref: row.try_get(10)?,
        failure_code: row.try_get(11)?,
    })
}

pub(crate) fn read_state(text: &str) -> Result<PaymentState, DbError> {
    PaymentState::parse(text)
        .ok_or_else(|| DbError::Other(format!("a payment is in the unknown state {text}")))
}

pub(crate) fn read_money(amount: i64, currency: &str) -> Result<Money, DbError> {
    let currency =
        currency.parse().map_err(|_| DbError::Other(format!("a payment is in the currency {currency}")))?;
    Ok(Money::new(amount, currency))
}

/// Settles and publishes `PaymentSucceeded` and `PaymentFailed` for what changed.
///
/// # Errors
/// [`DbError`].
pub async fn settle(tx: &TenantTx, settlements: &[Settlement]) -> Result<Vec<Settled>, DbError> {
    if settlements.is_empty() {
        return Ok(Vec::new());
    }
    let settled = decode_settled(&tx.run(settle_stmt(tx.ctx(), settlements)).await?)?;
    messages::publish(tx, &settled_drafts(&settled)).await?;
    Ok(settled)
}
