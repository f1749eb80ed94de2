//! Use case: write down that money will be asked for, before anybody is asked.

use db::{DbError, Stmt, TenantTx};
use kernel::{Ctx, Money};
use postgres_types::ToSql;

use crate::model::{PaymentId, clip};

/// A payment to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayment {
    /// Its identity, chosen by the caller: what is opened twice is one payment.
    pub id: PaymentId,
    /// The provider's name.
    pub provider: String,
    /// The means of payment, in the provider's words; at most 200 characters.
    pub method: String,
    /// How much; above zero.
    pub amount: Money,
    /// What it is for, at most 100 characters: the id of a checkout, or a caller's reference.
    pub purpose: Option<String>,
    /// Whose it is, at most 64 characters: the id of a customer or guest.
    pub owner: Option<String>,
}

/// `payments.new_payment`.
#[derive(Debug, ToSql)]
#[postgres(name = "new_payment")]
struct Row {
    id: PaymentId,
    provider: String,
    method: String,
    amount: i64,
    currency: String,
    purpose: Option<String>,
    owner: Option<String>,
}

/// The statement that opens `payments` in state `pending`; it returns no rows.
///
/// What nobody settles within a minute is looked after by the job `payments.reconcile`.
#[must_use]
pub fn open_payments_stmt(ctx: &Ctx, payments: &[NewPayment]) -> Stmt {
    let row = |payment: &NewPayment| Row {
        id: payment.id,
        provider: payment.provider.clone(),
        method: payment.method.clone(),
        amount: payment.amount.amount,
        currency: payment.amount.currency.to_string(),
        purpose: payment.purpose.clone(),
        owner: payment.owner.clone(),
    };
    Stmt::new(include_str!("open_payments.sql"))
        .bind(ctx.tenant_id())
        .bind(payments.iter().map(row).collect::<Vec<_>>())
        .bind(ctx.now())
        .bind(actor(ctx))
}

/// Opens one payment.
///
/// # Errors
/// [`DbError`]; [`DbError::Check`] when the amount is not above zero or a text is too long.
pub async fn open_payment(tx: &TenantTx, payment: NewPayment) -> Result<(), DbError> {
    tx.run(open_payments_stmt(tx.ctx(), &[payment])).await.map(drop)
}

/// Who did it, as it is written down.
pub(crate) fn actor(ctx: &Ctx) -> String {
    clip(&ctx.caller.actor.to_string(), 200)
}
