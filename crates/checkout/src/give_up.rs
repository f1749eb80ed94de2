//! Compensation: what was done is undone, in one transaction; what was paid is promised back in the same one.

use db::{DbError, TenantTx};
use inventory::{Ending, close_reservations};
use payments::{Outcome, PaymentState, RefundId, Settlement, Source};

use crate::{
    model::{Checkout, CheckoutState, Failure, Phase, Step, StepRecord, StepState},
    store::{lock_checkout, save},
};

/// How a checkout ended, and what is still to be carried out.
#[derive(Debug)]
pub(crate) struct GivenUp {
    /// As it is now; also when somebody else had ended it before.
    pub(crate) checkout: Checkout,
    /// Nobody had ended it before.
    pub(crate) ended_now: bool,
    /// Money promised back that is to be sent now.
    pub(crate) refund: Option<RefundId>,
}

/// Gives a checkout up at the step `failed`: the payment is settled by `outcome`, units and cart are given back, money
/// that was taken is promised back. A checkout that has ended already stays as it ended, except that money which turns
/// out to have been taken for one that failed goes back.
///
/// # Errors
/// [`DbError`]; nothing was done then.
pub(crate) async fn give_up(
    tx: &TenantTx,
    checkout: &Checkout,
    failed: Step,
    failure: Failure,
    outcome: Option<Outcome>,
) -> Result<GivenUp, DbError> {
    let now = tx.ctx().now();
    let locked = lock_checkout(tx, checkout.id).await?;
    let mut checkout = locked.ok_or_else(|| DbError::Other("a checkout is gone".to_owned()))?;
    let runs = checkout.state == CheckoutState::Running;
    if runs {
        tx.run(cart::return_carts_stmt(tx.ctx(), &[(checkout.cart, checkout.id)])).await?;
    }
    let taken = settle(tx, &checkout, outcome).await?;
    if runs {
        checkout.end_step(failed, StepState::Failed, now, Some(failure.detail.clone()));
        release(tx, &mut checkout).await?;
        (checkout.state, checkout.phase) = (CheckoutState::Failed, Phase::Done);
        (checkout.failure, checkout.action) = (Some(failure), None);
    }
    let refund = match (checkout.state, taken) {
        (CheckoutState::Failed, true) => promise_back(tx, &mut checkout).await?,
        _ => None,
    };
    if runs || refund.is_some() {
        checkout.updated_at = now;
        save(tx, &checkout, now).await?;
    }
    Ok(GivenUp { checkout, ended_now: runs, refund })
}

/// Writes down what is known of the payment; whether the money was taken.
async fn settle(tx: &TenantTx, checkout: &Checkout, outcome: Option<Outcome>) -> Result<bool, DbError> {
    let Some(payment) = checkout.payment else { return Ok(false) };
    let state = match outcome {
        Some(outcome) => {
            let settled =
                payments::settle(tx, &[Settlement { payment, outcome, source: Source::Checkout }]).await?;
            settled.first().map(|settled| settled.state)
        }
        None => payments::find_payment(tx, payment).await?.map(|payment| payment.state),
    };
    Ok(state == Some(PaymentState::Succeeded))
}

async fn release(tx: &TenantTx, checkout: &mut Checkout) -> Result<(), DbError> {
    let closed = close_reservations(tx, &[checkout.reservation], Ending::Released).await?;
    messages::publish(tx, &inventory::events::reservations_closed(&closed, Ending::Released)).await?;
    let now = tx.ctx().now();
    checkout.steps.push(StepRecord::done(Step::ReleaseStock, now, now));
    Ok(())
}

/// Promises back whatever is left of the payment, once.
async fn promise_back(tx: &TenantTx, checkout: &mut Checkout) -> Result<Option<RefundId>, DbError> {
    use payments::RefundError::{Db, Exceeds};
    let Some(payment) = checkout.payment else { return Ok(None) };
    let reason = format!("{} came to nothing", checkout.id);
    match payments::request_refund(tx, payment, None, &reason, Source::Checkout).await {
        Ok(refund) => {
            let now = tx.ctx().now();
            checkout.steps.push(StepRecord::done(Step::Refund, now, now));
            Ok(Some(refund))
        }
        // It was promised before.
        Err(Exceeds { .. }) => Ok(None),
        Err(Db(error)) => Err(error),
        Err(other) => Err(DbError::Other(other.to_string())),
    }
}
