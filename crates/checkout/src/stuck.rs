//! The desk of stuck money (PAY-3): what was paid without an order, ordered without a payment, or of which nobody knows
//! whether it was paid. By construction all of it mends itself; who does not want to wait repairs it here, safely.

use std::collections::HashMap;

use cart::CheckoutId;
use db::{DbError, TenantTx};
use jiff::SignedDuration;
use kernel::{Ctx, Money, Timestamp};
use orders::OrderId;
use payments::{Cancelled, Outcome, Payment, PaymentId, Settlement, Source};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    checkouts::Checkouts,
    model::{Checkout, CheckoutState, Failure, Step},
    store::{claim, find_checkout},
};

/// Younger ones are still being worked on.
const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// Listed of each kind.
const MOST: usize = 200;
/// Rows looked at together, and how many such pages.
const PAGE: i64 = 1000;
const MOST_PAGES: usize = 50;

/// How money is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StuckKind {
    /// It was taken, and there is no order and nothing goes back.
    PaidWithoutOrder,
    /// There is a paid order whose payment did not succeed.
    OrderWithoutPayment,
    /// Nobody knows whether it was taken.
    UnknownOutcome,
}

/// Money that is stuck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StuckMoney {
    /// How.
    pub kind: StuckKind,
    /// The payment.
    pub payment_id: PaymentId,
    /// How much.
    pub amount: Money,
    /// The checkout it was for.
    pub checkout_id: Option<CheckoutId>,
    /// The order it is for.
    pub order_id: Option<OrderId>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// What a repair does.
    pub repair: String,
}

/// What a repair came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Repaired {
    /// The payment.
    pub payment_id: PaymentId,
    /// Whether nothing is stuck any more.
    pub repaired: bool,
    /// What was found and done.
    pub detail: String,
}

/// Everything that is stuck, at most 200 of each kind.
///
/// # Errors
/// [`DbError`].
pub async fn list_stuck(tx: &TenantTx) -> Result<Vec<StuckMoney>, DbError> {
    let before = tx.ctx().now().checked_sub(GRACE).unwrap_or(Timestamp::MIN);
    let mut found = unknown_outcomes(tx, before).await?;
    found.extend(paid_without_order(tx, before).await?);
    found.extend(orders_without_payment(tx).await?);
    Ok(found)
}

async fn unknown_outcomes(tx: &TenantTx, before: Timestamp) -> Result<Vec<StuckMoney>, DbError> {
    let unsettled = payments::list_unsettled(tx, before, MOST as i64).await?;
    let stuck = |payment: payments::Unsettled| StuckMoney {
        kind: StuckKind::UnknownOutcome,
        payment_id: payment.payment,
        amount: payment.amount,
        checkout_id: payment.purpose.and_then(|purpose| purpose.parse().ok()),
        order_id: None,
        since: payment.created_at,
        repair: "asks the provider; what was not taken is called off".to_owned(),
    };
    Ok(unsettled.into_iter().map(stuck).collect())
}

async fn paid_without_order(tx: &TenantTx, before: Timestamp) -> Result<Vec<StuckMoney>, DbError> {
    let (mut found, mut after) = (Vec::new(), Uuid::nil());
    for _ in 0..MOST_PAGES {
        let params: &[&(dyn db::types::ToSql + Sync)] = &[&tx.tenant_id(), &after, &before, &PAGE];
        let rows = tx.query(include_str!("list_unfinished.sql"), params).await?;
        let page = rows.iter().map(|row| Checkout::decode(row, tx.ctx())).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = page.last() else { break };
        after = last.id.0;
        let payments: Vec<Uuid> = page.iter().filter_map(|it| it.payment).map(|payment| payment.0).collect();
        let captured = payments::find_captured(tx, &payments).await?;
        let captured: HashMap<Uuid, i64> =
            captured.into_iter().map(|(id, taken, back)| (id, taken - back)).collect();
        for checkout in page {
            let Some(payment_id) = checkout.payment else { continue };
            let left = captured.get(&payment_id.0).copied().unwrap_or(0);
            if left > 0 && found.len() < MOST {
                found.push(StuckMoney {
                    kind: StuckKind::PaidWithoutOrder,
                    payment_id,
                    amount: Money::new(left, checkout.total.currency),
                    checkout_id: Some(checkout.id),
                    order_id: None,
                    since: checkout.created_at,
                    repair: match checkout.state {
                        CheckoutState::Running => "goes on with the checkout".to_owned(),
                        _ => "gives the money back".to_owned(),
                    },
                });
            }
        }
    }
    Ok(found)
}

async fn orders_without_payment(tx: &TenantTx) -> Result<Vec<StuckMoney>, DbError> {
    let (mut found, mut after) = (Vec::new(), Uuid::nil());
    for _ in 0..MOST_PAGES {
        let page = orders::list_paid(tx, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        let payments: Vec<Uuid> = page.iter().filter_map(|order| order.payment).collect();
        let captured = payments::find_captured(tx, &payments).await?;
        let captured: HashMap<Uuid, i64> = captured.into_iter().map(|(id, taken, _)| (id, taken)).collect();
        for order in page {
            let Some(payment) = order.payment else { continue };
            if captured.get(&payment).copied().unwrap_or(0) < order.gross && found.len() < MOST {
                found.push(StuckMoney {
                    kind: StuckKind::OrderWithoutPayment,
                    payment_id: PaymentId(payment),
                    amount: Money::new(order.gross, tx.ctx().tenant.currency),
                    checkout_id: None,
                    order_id: Some(OrderId(order.id)),
                    since: tx.ctx().now(),
                    repair: "asks the provider whether it was paid".to_owned(),
                });
            }
        }
    }
    Ok(found)
}

impl Checkouts {
    /// Repairs what is stuck about a payment: asks the provider, goes on with a checkout that was paid, gives back what
    /// was paid for nothing. May be done at any time and as often as one likes: it never charges and never refunds what
    /// somebody has bought. `None` when the tenant has no such payment.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn repair(&self, ctx: &Ctx, id: PaymentId) -> Result<Option<Repaired>, DbError> {
        let ctx = self.now(ctx);
        let Some(mut payment) = self.0.payments.check(&ctx, id, Source::Reconcile).await? else {
            return Ok(None);
        };
        if !payment.state.is_settled() {
            self.call_off(&ctx, &payment).await?;
            payment = self.0.payments.check(&ctx, id, Source::Reconcile).await?.unwrap_or(payment);
        }
        let checkout = payment.purpose.as_ref().and_then(|purpose| purpose.parse::<CheckoutId>().ok());
        let done = |repaired, detail: String| Ok(Some(Repaired { payment_id: id, repaired, detail }));
        let state = payment.state.as_str();
        match checkout {
            _ if !payment.state.is_settled() => done(false, format!("the provider says nothing: {state}")),
            None => done(true, format!("the payment is {state}")),
            Some(checkout) => {
                let detail = self.follow_up(&ctx, checkout).await?;
                done(true, format!("the payment is {state}; {detail}"))
            }
        }
    }

    /// What nobody can say anything about is called off, so that it cannot be taken later.
    async fn call_off(&self, ctx: &Ctx, payment: &Payment) -> Result<(), DbError> {
        let cancelled = self.0.payments.cancel(ctx, &payment.order(), payment.provider_ref.as_deref()).await;
        let outcome = match cancelled {
            Cancelled::Cancelled => Outcome::Cancelled,
            Cancelled::AlreadySucceeded { provider_ref } => Outcome::Succeeded { provider_ref },
            Cancelled::Unknown => return Ok(()),
        };
        let tx = self.0.db.begin(ctx).await?;
        payments::settle(&tx, &[Settlement { payment: payment.id, outcome, source: Source::Reconcile }])
            .await?;
        tx.commit().await
    }

    async fn follow_up(&self, ctx: &Ctx, id: CheckoutId) -> Result<String, DbError> {
        let tx = self.0.db.begin(ctx).await?;
        let running = claim(&tx, id, self.lease()).await?;
        let known = find_checkout(&tx, id).await?;
        tx.commit().await?;
        let after = match (running, known) {
            (Some(checkout), _) => self.drive(ctx, checkout).await?,
            (None, Some(checkout)) if checkout.state == CheckoutState::Failed => {
                let failure = Failure::new("ORDER_FAILED", "the checkout had ended");
                self.compensate(ctx, &checkout, Step::Charge, failure, None).await?
            }
            (None, Some(checkout)) => checkout,
            (None, None) => return Ok("its checkout is long gone".to_owned()),
        };
        Ok(match after.state {
            CheckoutState::Completed => format!("there is the order {}", after.order),
            CheckoutState::Failed => "its checkout has failed, what was paid goes back".to_owned(),
            CheckoutState::Running => "its checkout goes on".to_owned(),
        })
    }
}
