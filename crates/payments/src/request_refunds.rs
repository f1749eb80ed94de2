//! Use case: promise money back. The promise is what races; carrying it out may take its time.

use db::{DbError, Row, Stmt, TenantTx};
use kernel::{Ctx, Currency, Money};
use postgres_types::ToSql;

use crate::{
    model::{PaymentId, PaymentState, RefundId, Source, clip},
    open_payments::actor,
    settle_payments::read_state,
};

/// Refunds of one payment at most.
pub const MOST_REFUNDS: i64 = 100;

/// Money to promise back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefund {
    /// Its identity, chosen by the caller: what is asked for twice is one refund.
    pub id: RefundId,
    /// Of which payment.
    pub payment: PaymentId,
    /// How much; `None` for whatever is left.
    pub amount: Option<Money>,
    /// Why; at most 500 characters.
    pub reason: String,
    /// How it came about.
    pub source: Source,
}

/// Why no money was promised back.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// No such payment in this tenant.
    #[error("no such payment")]
    NotFound,
    /// Nothing was taken.
    #[error("the payment is {0:?}, nothing was taken")]
    NotCaptured(PaymentState),
    /// More than is left of it.
    #[error("only {} is left of the payment", .left.amount)]
    Exceeds {
        /// What is left.
        left: Money,
    },
    /// In another currency than it was taken.
    #[error("the payment is in {0}")]
    Currency(Currency),
    /// It has been given back in too many pieces.
    #[error("the payment has {MOST_REFUNDS} refunds already")]
    TooMany,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What became of the wish for one refund.
pub type RefundAnswer = (RefundId, Result<(), RefundError>);

/// `payments.new_refund`.
#[derive(Debug, ToSql)]
#[postgres(name = "new_refund")]
struct Wanted {
    id: RefundId,
    payment_id: PaymentId,
    amount: Option<i64>,
    currency: Option<String>,
    reason: String,
    source: &'static str,
}

/// The statement that promises all of `refunds` back, each by itself granted or not; read it with [`decode_refunds`].
///
/// Never promises more than was taken, whoever races. Of several refunds of one payment in one statement either all
/// fit or none is granted. After the commit the money goes back by [`crate::Payments::run_refund`], or by the job
/// `payments.reconcile` within half a minute.
#[must_use]
pub fn request_refunds_stmt(ctx: &Ctx, refunds: &[NewRefund]) -> Stmt {
    let wanted = |refund: &NewRefund| Wanted {
        id: refund.id,
        payment_id: refund.payment,
        amount: refund.amount.map(|money| money.amount),
        currency: refund.amount.map(|money| money.currency.to_string()),
        reason: clip(&refund.reason, 500),
        source: refund.source.as_str(),
    };
    Stmt::new(include_str!("request_refunds.sql"))
        .bind(ctx.tenant_id())
        .bind(refunds.iter().map(wanted).collect::<Vec<_>>())
        .bind(ctx.now())
        .bind(actor(ctx))
        .bind(MOST_REFUNDS)
}

/// Reads the rows of [`request_refunds_stmt`], one per refund, ordered by id; `refunds` are those it was made of.
///
/// # Errors
/// [`DbError::Other`] when the rows are not of that statement.
pub fn decode_refunds(rows: &[Row], refunds: &[NewRefund]) -> Result<Vec<RefundAnswer>, DbError> {
    rows.iter()
        .map(|row| {
            let id: RefundId = row.try_get(0)?;
            let wanted = refunds.iter().find(|refund| refund.id == id);
            Ok((id, decode(row, wanted.and_then(|refund| refund.amount))?))
        })
        .collect()
}

fn decode(row: &Row, wanted: Option<Money>) -> Result<Result<(), RefundError>, DbError> {
    if row.try_get(5)? {
        return Ok(Ok(()));
    }
    let Some(state) = row.try_get::<_, Option<&str>>(2)? else { return Ok(Err(RefundError::NotFound)) };
    let state = read_state(state)?;
    let left = crate::settle_payments::read_money(row.try_get(4)?, row.try_get(3)?)?;
    Ok(Err(match wanted {
        _ if state != PaymentState::Succeeded => RefundError::NotCaptured(state),
        Some(money) if money.currency != left.currency => RefundError::Currency(left.currency),
        _ if row.try_get(6)? => RefundError::TooMany,
        _ => RefundError::Exceeds { left },
    }))
}

/// Promises money back: `amount` of the payment, or whatever is left of it.
///
/// # Errors
/// [`RefundError`]; nothing was written then and the transaction can go on.
pub async fn request_refund(
    tx: &TenantTx,
    payment: PaymentId,
    amount: Option<Money>,
    reason: &str,
    source: Source,
) -> Result<RefundId, RefundError> {
    let id = RefundId::new();
    let refund = NewRefund { id, payment, amount, reason: reason.to_owned(), source };
    let refunds = [refund];
    let rows = tx.run(request_refunds_stmt(tx.ctx(), &refunds)).await?;
    match decode_refunds(&rows, &refunds)?.pop() {
        Some((id, granted)) => granted.map(|()| id),
        None => Err(DbError::Other("a refund without an answer".to_owned()).into()),
    }
}
