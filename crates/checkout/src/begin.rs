//! Use case: begin a checkout. The cart is looked at, its units are held and the payment is written down, in one
//! transaction for all that begin at the same time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use cart::{Cart, CheckoutId};
use catalog::{Sellable, TaxTable};
use customers::{Address, Buyer};
use db::{Batch, BatchTx, DbError};
use edge::idempotency::Claim;
use inventory::{ReservationId, Shortage};
use kernel::{Ctx, Money, Timestamp};
use orders::OrderId;
use payments::PaymentId;
use sales::{MOST_AMOUNT, NewLine, PricedSale, Register, SaleError, SaleId, price_lines};

use crate::{
    begin_group::Group,
    faults::{Faults, When},
    flags::WEB_CHECKOUT,
    model::{Checkout, CheckoutState, Phase, Step, StepRecord},
};

/// A checkout that somebody wants to begin, with what was found out before it queued.
pub struct BeginRequest {
    /// The idempotency key; what it protects is the checkout.
    pub claim: Claim,
    /// Whose cart.
    pub owner: Buyer,
    /// The register of the shop's web channel.
    pub register: Arc<Register>,
    /// The tenant's VAT rates.
    pub taxes: Arc<TaxTable>,
    /// Who takes the money.
    pub provider: String,
    /// By what means.
    pub method: String,
    /// Where to.
    pub ship_to: Option<Address>,
    /// A remark for the order.
    pub note: String,
    /// The total that the shopper was shown.
    pub total: Option<Money>,
}

/// A line whose price is another than when it was put into the cart.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceChange {
    /// What.
    pub sku: String,
    /// Then.
    pub before: Money,
    /// Now.
    pub now: Money,
}

/// Why a checkout did not begin; nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The key was used for this checkout already.
    #[error("the idempotency key was used before")]
    Replay,
    /// The operator has switched checkouts off, for this merchant or this buyer.
    #[error("{} is switched off", WEB_CHECKOUT.name)]
    SwitchedOff,
    /// Nothing is in the cart.
    #[error("the cart is empty")]
    CartEmpty,
    /// Another checkout has the cart.
    #[error("{0} is under way with the cart")]
    InCheckout(CheckoutId),
    /// Prices are others than when they were put into the cart.
    #[error("{} prices have changed", .0.len())]
    PriceChanged(Vec<PriceChange>),
    /// The cart cannot be sold as it is.
    #[error(transparent)]
    Sale(#[from] SaleError),
    /// There is too little of something.
    #[error("not enough of {} lines in stock", .0.len())]
    OutOfStock(Vec<Shortage>),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Begins checkouts in batches; see [`db::Combiner`].
pub struct BeginBatch {
    pub(crate) faults: Arc<dyn Faults>,
    /// How long units are held for a checkout.
    pub(crate) hold_for: Duration,
    /// How long a process may be silent before another one takes its checkouts.
    pub(crate) lease: Duration,
    /// How long a checkout may take in all.
    pub(crate) limit: Duration,
}

pub(crate) type Job = (Ctx, BeginRequest);
pub(crate) type Decision = Result<Checkout, BeginError>;

impl Batch for BeginBatch {
    type Input = BeginRequest;
    type Output = Decision;

    async fn run(&self, tx: &BatchTx, jobs: &[Job]) -> Result<Vec<Decision>, DbError> {
        for (_, request) in jobs {
            self.faults.at(id(request), Step::ValidateCart, When::Before)?;
        }
        let groups: Vec<&[Job]> = jobs.chunk_by(|a, b| a.0.tenant_id() == b.0.tenant_id()).collect();
        let looks: Vec<_> = groups.iter().map(|jobs| (jobs[0].0.tenant_id(), Group::look(jobs))).collect();
        let found = tx.run(&looks).await?;
        let groups = groups.into_iter().zip(&found).map(|(jobs, rows)| Group::new(jobs, rows, self.hold_for));
        let mut groups = groups.collect::<Result<Vec<_>, _>>()?;
        self.validate(tx, &mut groups).await?;
        inventory::hold_many(tx, &mut groups).await?;
        self.write(tx, &groups).await?;
        for (_, request) in jobs {
            self.faults.at(id(request), Step::ReserveStock, When::After)?;
        }
        Ok(groups.into_iter().flat_map(Group::into_decisions).collect())
    }
}

impl BeginBatch {
    /// Prices every cart as of now and compares with what the shopper saw.
    async fn validate(&self, tx: &BatchTx, groups: &mut [Group<'_>]) -> Result<(), DbError> {
        let reads: Vec<_> = groups.iter().map(|group| (group.tenant(), vec![group.products()])).collect();
        for (group, rows) in groups.iter_mut().zip(tx.run(&reads).await?) {
            let products = rows.first().map(|rows| catalog::decode_sellable(rows)).transpose()?;
            let products = products.unwrap_or_default();
            let by_sku = products.iter().map(|product| (product.sku.as_str(), product)).collect();
            for (ctx, request) in group.jobs {
                let decision = group.cart(ctx, request).and_then(|cart| {
                    let plan = price(ctx, request, cart, &by_sku)?;
                    Ok(self.checkout(ctx, request, plan))
                });
                group.decide(decision);
            }
        }
        Ok(())
    }

    fn checkout(&self, ctx: &Ctx, request: &BeginRequest, plan: PricedSale) -> Checkout {
        let now = ctx.now();
        let total = Money::new(plan.totals.gross, ctx.tenant.currency);
        let mut steps = vec![
            StepRecord::done(Step::ValidateCart, now, now),
            StepRecord::done(Step::ReserveStock, now, now),
        ];
        if total.amount > 0 {
            steps.push(StepRecord::running(Step::Charge, now));
        }
        Checkout {
            id: id(request),
            owner: request.owner,
            cart: request.owner,
            state: CheckoutState::Running,
            phase: if total.amount > 0 { Phase::Charge } else { Phase::Order },
            shop: request.register.shop_id,
            reservation: ReservationId::new(),
            payment: (total.amount > 0).then(PaymentId::new),
            order: OrderId::new(),
            sale: SaleId::new(),
            provider: request.provider.clone(),
            method: request.method.clone(),
            total,
            plan,
            ship_to: request.ship_to.clone(),
            note: request.note.clone(),
            failure: None,
            action: None,
            steps,
            attempts: 1,
            deadline_at: later(now, self.limit),
            created_at: now,
            updated_at: now,
        }
    }

    /// Writes checkouts, payments and news, takes the carts, and gives back the keys of what was refused.
    async fn write(&self, tx: &BatchTx, groups: &[Group<'_>]) -> Result<(), DbError> {
        let writes = groups.iter().map(|group| (group.tenant(), group.writes(self)));
        let writes: Vec<_> = writes.filter(|(_, statements)| !statements.is_empty()).collect();
        if writes.is_empty() {
            return Ok(());
        }
        tx.run(&writes).await.map(drop)
    }
}

pub(crate) fn id(request: &BeginRequest) -> CheckoutId {
    CheckoutId(request.claim.resource)
}

pub(crate) fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// What the cart comes to now, if it is what the shopper saw.
fn price(
    ctx: &Ctx,
    request: &BeginRequest,
    cart: &Cart,
    products: &HashMap<&str, &Sellable>,
) -> Result<PricedSale, BeginError> {
    let wanted = |line: &cart::Line| NewLine {
        sku: line.sku.clone(),
        quantity: line.quantity(),
        unit_price: None,
        discount: None,
    };
    let lines: Vec<NewLine> = cart.lines.iter().map(wanted).collect();
    let priced = price_lines(&ctx.tenant, &lines, products, &request.taxes, ctx.now())?;
    let money = |amount| Money::new(amount, ctx.tenant.currency);
    let change = |(before, now): (&cart::Line, &sales::BookedLine)| {
        (before.unit_price != now.unit_price).then(|| PriceChange {
            sku: now.sku.clone(),
            before: money(before.unit_price),
            now: money(now.unit_price),
        })
    };
    let changes: Vec<PriceChange> = cart.lines.iter().zip(&priced.lines).filter_map(change).collect();
    if !changes.is_empty() {
        return Err(BeginError::PriceChanged(changes));
    }
    let gross = priced.totals.gross;
    if gross > MOST_AMOUNT {
        let detail = format!("a checkout comes to at most {MOST_AMOUNT} minor units");
        let pointer = "/cart".to_owned();
        return Err(SaleError::Refused { code: sales::problems::AMOUNT_OUT_OF_RANGE, pointer, detail }.into());
    }
    match request.total {
        Some(shown) if shown.currency != ctx.tenant.currency => {
            let detail = format!("the merchant's currency is {}", ctx.tenant.currency);
            let pointer = "/total/currency".to_owned();
            Err(SaleError::Refused { code: catalog::problems::CURRENCY_MISMATCH, pointer, detail }.into())
        }
        Some(shown) if shown.amount != gross => {
            Err(SaleError::TotalMismatch { computed: gross, sent: shown.amount }.into())
        }
        _ => Ok(priced),
    }
}
