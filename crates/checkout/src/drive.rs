//! Going on with a checkout, from wherever it stands: every step may have been done before, by us or by a process that
//! died, and doing it again has no second effect.

use std::time::Duration;

use async_trait::async_trait;
use cart::CheckoutId;
use db::{DbError, TenantTx};
use inventory::{Hold, HoldLine, ReservationId, ReservationState, find_reservation, hold_stock};
use kernel::Ctx;
use payments::{
    Cancelled, ChargeOrder, Outcome, PaymentId, PaymentState, Settlement, SettlementWatcher, Source,
};

use crate::{
    begin::later,
    checkouts::{Checkouts, step},
    faults::When,
    finish::FinishRequest,
    give_up::{GivenUp, give_up},
    model::{Checkout, CheckoutState, Failure, Phase, Step},
    store::{claim, find_checkout, lock_checkout, save},
};

/// How often a charge is asked for while it is not known what became of it; with the same key.
const CHARGES: usize = 2;
/// How often a segment is tried while other transactions are in its way.
const TRIES: usize = 3;

impl Checkouts {
    /// Does whatever is to be done next, until the checkout has ended or the payer has to do something.
    ///
    /// # Errors
    /// [`DbError`] when the database went away: the checkout stays as it is and is resumed.
    pub(crate) async fn drive(&self, ctx: &Ctx, checkout: Checkout) -> Result<Checkout, DbError> {
        match checkout.phase {
            _ if checkout.state != CheckoutState::Running => Ok(checkout),
            Phase::Done => Ok(checkout),
            Phase::Order => self.finish(ctx, checkout, None).await,
            Phase::Charge | Phase::Confirm => self.collect(ctx, checkout).await,
        }
    }

    /// The segment between the two transactions: the money.
    async fn collect(&self, ctx: &Ctx, checkout: Checkout) -> Result<Checkout, DbError> {
        let Some(payment) = checkout.payment else { return self.finish(ctx, checkout, None).await };
        let order = ChargeOrder {
            payment,
            provider: checkout.provider.clone(),
            method: checkout.method.clone(),
            amount: checkout.total,
        };
        // Only who comes later can find that something has happened already.
        let known = if checkout.attempts > 1 { self.known(ctx, payment).await? } else { None };
        let outcome = match known {
            Some(outcome) => outcome,
            None if self.now(ctx).now() >= checkout.deadline_at => self.abandon(ctx, &order).await,
            None if checkout.phase == Phase::Confirm => return Ok(checkout),
            None => {
                self.fault(checkout.id, Step::Charge, When::Before)?;
                let outcome = self.charge(&step(ctx, "checkout.charge", checkout.id), &order).await;
                self.fault(checkout.id, Step::Charge, When::Committed)?;
                outcome
            }
        };
        let failure = match &outcome {
            Outcome::Succeeded { provider_ref } => {
                let provider_ref = Some(provider_ref.clone());
                return self.finish(ctx, checkout, provider_ref).await;
            }
            Outcome::RequiresAction { .. } => return self.wait(ctx, checkout, payment, outcome).await,
            Outcome::Declined { code, detail } => {
                Failure::new("PAYMENT_DECLINED", format!("{code}: {detail}"))
            }
            Outcome::Cancelled => Failure::new("PAYMENT_ABANDONED", "nobody confirmed the payment in time"),
            Outcome::Unknown { detail } => Failure::new("PAYMENT_TIMEOUT", detail.clone()),
        };
        self.compensate(ctx, &checkout, Step::Charge, failure, Some(outcome)).await
    }

    /// What our books know of the payment, as far as that decides anything.
    async fn known(&self, ctx: &Ctx, payment: PaymentId) -> Result<Option<Outcome>, DbError> {
        let tx = self.0.db.begin_read(ctx).await?;
        let payment = payments::find_payment(&tx, payment).await?;
        tx.commit().await?;
        let Some(payment) = payment else { return Ok(None) };
        Ok(match payment.state {
            PaymentState::Succeeded => {
                Some(Outcome::Succeeded { provider_ref: payment.provider_ref.unwrap_or_default() })
            }
            PaymentState::Failed => Some(Outcome::Declined {
                code: payment.failure_code.unwrap_or_default(),
                detail: payment.failure_detail.unwrap_or_default(),
            }),
            PaymentState::Cancelled => Some(Outcome::Cancelled),
            PaymentState::Pending | PaymentState::RequiresAction | PaymentState::Unknown => None,
        })
    }

    async fn charge(&self, ctx: &Ctx, order: &ChargeOrder) -> Outcome {
        let mut outcome = self.0.payments.charge(ctx, order).await;
        for _ in 1..CHARGES {
            if !matches!(outcome, Outcome::Unknown { .. }) {
                break;
            }
            self.0.counts.retries.increment(1);
            outcome = self.0.payments.charge(ctx, order).await;
        }
        outcome
    }

    /// Time is up: nothing more is to be taken; if it was taken, it was in time.
    async fn abandon(&self, ctx: &Ctx, order: &ChargeOrder) -> Outcome {
        match self.0.payments.cancel(ctx, order, None).await {
            Cancelled::Cancelled => Outcome::Cancelled,
            Cancelled::AlreadySucceeded { provider_ref } => Outcome::Succeeded { provider_ref },
            Cancelled::Unknown => Outcome::Unknown { detail: "the provider does not answer".to_owned() },
        }
    }

    /// The payer has to do something: nobody works on the checkout until they did, or time is up.
    async fn wait(
        &self,
        ctx: &Ctx,
        checkout: Checkout,
        payment: PaymentId,
        outcome: Outcome,
    ) -> Result<Checkout, DbError> {
        let tx = self.0.db.begin(&self.now(ctx)).await?;
        let mut checkout = lock_checkout(&tx, checkout.id).await?.unwrap_or(checkout);
        if checkout.state != CheckoutState::Running {
            return Ok(checkout);
        }
        if let Outcome::RequiresAction { action, .. } = &outcome {
            checkout.action = Some(action.clone());
        }
        checkout.phase = Phase::Confirm;
        payments::settle(&tx, &[Settlement { payment, outcome, source: Source::Checkout }]).await?;
        let until = checkout.deadline_at;
        save(&tx, &checkout, until).await?;
        tx.commit().await?;
        Ok(checkout)
    }

    async fn finish(
        &self,
        ctx: &Ctx,
        checkout: Checkout,
        provider_ref: Option<String>,
    ) -> Result<Checkout, DbError> {
        let scope = step(ctx, "checkout.finish", checkout.id);
        let ctx = self.now(&scope);
        let mut checkout = checkout;
        for _ in 0..TRIES {
            match self.submit(&ctx, &checkout, &provider_ref).await {
                Ok(done) => {
                    self.0.counts.completed.add(ctx.tenant.tier);
                    self.0.sales.count_sale(ctx.tenant.tier);
                    self.fault(done.id, Step::ConfirmStock, When::Committed)?;
                    return Ok(done);
                }
                Err(DbError::Conflict(_)) => self.0.counts.retries.increment(1),
                Err(error @ DbError::Unavailable(_)) => return Err(error),
                Err(error) => match self.finish_alone(&ctx, &checkout, &provider_ref, &error).await? {
                    Alone::Ended(checkout) => return Ok(checkout),
                    Alone::Again(held) => checkout = held,
                },
            }
        }
        Err(DbError::Conflict("a checkout was not finished in time".to_owned()))
    }

    async fn submit(
        &self,
        ctx: &Ctx,
        checkout: &Checkout,
        provider_ref: &Option<String>,
    ) -> Result<Checkout, DbError> {
        let register = self.0.sales.web_register(ctx, checkout.shop).await.map_err(|error| match error {
            sales::SaleError::Db(error) => error,
            other => DbError::Check { constraint: other.to_string() },
        })?;
        let request =
            FinishRequest { checkout: checkout.clone(), register, provider_ref: provider_ref.clone() };
        self.0.finisher.submit(ctx.clone(), request).await
    }

    /// The batch would not take it: looks why. What has ended stays so, a hold that ran out is taken anew if there is
    /// enough, and what cannot be done at all is undone.
    async fn finish_alone(
        &self,
        ctx: &Ctx,
        checkout: &Checkout,
        provider_ref: &Option<String>,
        error: &DbError,
    ) -> Result<Alone, DbError> {
        let paid = provider_ref.clone().map(|provider_ref| Outcome::Succeeded { provider_ref });
        let tx = self.0.db.begin(ctx).await?;
        let locked = lock_checkout(&tx, checkout.id).await?;
        let mut locked = locked.ok_or_else(|| DbError::Other("a checkout is gone".to_owned()))?;
        let failure = match locked.state {
            CheckoutState::Completed => return Ok(Alone::Ended(locked)),
            CheckoutState::Failed => Failure::new("ORDER_FAILED", "the checkout had ended"),
            CheckoutState::Running if is_held(&tx, locked.reservation).await? => {
                tracing::error!(checkout.id = %locked.id, error = %error, "an order cannot be made");
                Failure::new("ORDER_FAILED", "the order could not be made")
            }
            CheckoutState::Running => {
                if hold_again(&tx, &mut locked, self.0.config.hold_s).await? {
                    save(&tx, &locked, later(ctx.now(), self.lease())).await?;
                    tx.commit().await?;
                    return Ok(Alone::Again(locked));
                }
                Failure::new("OUT_OF_STOCK", "the units held were given back meanwhile, and sold")
            }
        };
        let given_up = give_up(&tx, &locked, Step::CreateOrder, failure, paid).await?;
        tx.commit().await?;
        self.count_failed(ctx, &given_up);
        Ok(Alone::Ended(self.send_back(ctx, given_up).await))
    }

    /// Undoes what was done, in one transaction.
    pub(crate) async fn compensate(
        &self,
        ctx: &Ctx,
        checkout: &Checkout,
        failed: Step,
        failure: Failure,
        outcome: Option<Outcome>,
    ) -> Result<Checkout, DbError> {
        let scope = step(ctx, "checkout.compensate", checkout.id);
        let ctx = self.now(&scope);
        for attempt in 1.. {
            self.fault(checkout.id, Step::ReleaseStock, When::Before)?;
            let tx = self.0.db.begin(&ctx).await?;
            match give_up(&tx, checkout, failed, failure.clone(), outcome.clone()).await {
                Err(DbError::Conflict(_)) if attempt < TRIES => self.0.counts.retries.increment(1),
                Err(error) => return Err(error),
                Ok(given_up) => {
                    tx.commit().await?;
                    self.count_failed(&ctx, &given_up);
                    self.fault(checkout.id, Step::ReleaseStock, When::Committed)?;
                    return Ok(self.send_back(&ctx, given_up).await);
                }
            }
        }
        Err(DbError::Conflict("a checkout was not given up in time".to_owned()))
    }

    fn count_failed(&self, ctx: &Ctx, given_up: &GivenUp) {
        if given_up.ended_now {
            self.0.counts.failed.add(ctx.tenant.tier);
        }
    }

    /// Carries out what was promised back; what fails is done by the job of payments.
    async fn send_back(&self, ctx: &Ctx, given_up: GivenUp) -> Checkout {
        if let Some(refund) = given_up.refund
            && let Err(error) = self.0.payments.run_refund(ctx, refund).await
        {
            tracing::warn!(refund.id = %refund, error = %error, "a refund waits for the next run of its job");
        }
        given_up.checkout
    }

    /// What is known of a payment has changed by itself: goes on with its checkout, or sends the money back if the
    /// checkout had failed before.
    async fn heard(&self, ctx: &Ctx, id: CheckoutId) -> Result<(), DbError> {
        let ctx = self.now(ctx);
        let tx = self.0.db.begin(&ctx).await?;
        if let Some(checkout) = claim(&tx, id, self.lease()).await? {
            tx.commit().await?;
            return self.drive(&ctx, checkout).await.map(drop);
        }
        let checkout = find_checkout(&tx, id).await?;
        drop(tx);
        match checkout {
            Some(checkout) if checkout.state == CheckoutState::Failed => {
                let failure = Failure::new("ORDER_FAILED", "the checkout had ended");
                self.compensate(&ctx, &checkout, Step::Charge, failure, None).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// What looking at a checkout alone has come to.
enum Alone {
    /// It has ended.
    Ended(Checkout),
    /// Its units are held again: it may be finished now.
    Again(Checkout),
}

#[async_trait]
impl SettlementWatcher for Checkouts {
    async fn settled(&self, ctx: &Ctx, _payment: PaymentId, purpose: &str) {
        let Ok(id) = purpose.parse::<CheckoutId>() else { return };
        if let Err(error) = self.heard(ctx, id).await {
            tracing::warn!(checkout.id = %id, error = %error, "a checkout waits to be resumed");
        }
    }
}

async fn is_held(tx: &TenantTx, reservation: ReservationId) -> Result<bool, DbError> {
    let found = find_reservation(tx, reservation).await?;
    Ok(found.is_some_and(|reservation| reservation.state == ReservationState::Open))
}

/// Holds the units of a checkout once more, under another reservation.
async fn hold_again(tx: &TenantTx, checkout: &mut Checkout, hold_s: u64) -> Result<bool, DbError> {
    let line = |line: &sales::BookedLine| HoldLine {
        shop: checkout.shop,
        sku: line.sku.clone(),
        quantity: line.quantity,
    };
    let hold = Hold {
        id: ReservationId::new(),
        reference: Some(checkout.id.to_string()),
        expires_at: later(tx.ctx().now(), Duration::from_secs(hold_s)),
        lines: checkout.plan.lines.iter().map(line).collect(),
    };
    let held = hold_stock(tx, &hold).await?;
    if held.iter().any(|row| !row.granted) {
        return Ok(false);
    }
    checkout.reservation = hold.id;
    messages::publish(tx, &[inventory::events::stock_reserved(&hold)]).await?;
    Ok(true)
}
