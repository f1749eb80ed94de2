//! The last segment: the money is there, so the order stands, its sale is in the books, the cart is cleared and the
//! units leave the shelf, in one transaction for all checkouts that have come so far.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use cart::CheckoutId;
use customers::Buyer;
use db::{Batch, BatchTx, DbError, Row, Stmt};
use inventory::{ClosedLine, Ending};
use kernel::{Ctx, TenantId};
use messages::Draft;
use orders::{NewOrder, OrderStatus};
use payments::{Outcome, PaymentState, Settlement, Source};
use sales::{Channel, ChannelSale, Register, TenderMethod};

use crate::{
    faults::{Faults, When},
    model::{Checkout, CheckoutState, Phase, Step, StepRecord, StepState},
    place_order::{stored_lines, sums},
    store::{complete_stmt, decode_owners, lock_running_stmt},
};

/// A checkout whose money was taken.
pub struct FinishRequest {
    /// It.
    pub checkout: Checkout,
    /// The register of the shop's web channel.
    pub register: Arc<Register>,
    /// The provider's name for the charge; none where nothing was due.
    pub provider_ref: Option<String>,
}

/// Finishes checkouts in batches; see [`db::Combiner`].
///
/// One that cannot be finished (somebody else has ended it, its hold is gone) fails the batch, which the combiner then
/// takes apart; alone it is refused with [`NOT_FINISHABLE`] and nothing of it is written.
pub struct FinishBatch {
    pub(crate) faults: Arc<dyn Faults>,
}

/// How a batch says that a checkout cannot be finished by it.
pub(crate) const NOT_FINISHABLE: &str = "checkout_not_finishable";

const LOCAL: [Step; 3] = [Step::CreateOrder, Step::ClearCart, Step::ConfirmStock];

type Job = (Ctx, FinishRequest);

impl Batch for FinishBatch {
    type Input = FinishRequest;
    type Output = Checkout;

    fn weight(&self, request: &FinishRequest) -> usize {
        request.checkout.plan.lines.len()
    }

    async fn run(&self, tx: &BatchTx, jobs: &[Job]) -> Result<Vec<Checkout>, DbError> {
        self.faults_at(jobs, When::Before)?;
        let groups: Vec<&[Job]> = jobs.chunk_by(|a, b| a.0.tenant_id() == b.0.tenant_id()).collect();
        let first: Vec<_> = groups.iter().map(|jobs| (tenant(jobs), settle_stmts(jobs))).collect();
        let settled = tx.run(&first).await?;
        let mut writes = Vec::with_capacity(groups.len());
        let mut leaving = Vec::with_capacity(groups.len());
        let mut finished = Vec::with_capacity(jobs.len());
        for (jobs, rows) in groups.iter().zip(&settled) {
            let (owners, news) = read_back(jobs, rows)?;
            let done: Vec<Checkout> = jobs.iter().map(|job| finish(job, &owners)).collect();
            let goods = goods(&done);
            writes.push((tenant(jobs), write_stmts(jobs, &done, &goods, news)));
            leaving.push(goods);
            finished.extend(done);
        }
        for (goods, rows) in leaving.iter().zip(tx.run(&writes).await?) {
            all_sold(goods, &rows)?;
        }
        self.faults_at(jobs, When::After)?;
        Ok(finished)
    }
}

impl FinishBatch {
    fn faults_at(&self, jobs: &[Job], when: When) -> Result<(), DbError> {
        for (_, request) in jobs {
            LOCAL.iter().try_for_each(|step| self.faults.at(request.checkout.id, *step, when))?;
        }
        Ok(())
    }
}

fn tenant(jobs: &[Job]) -> TenantId {
    jobs[0].0.tenant_id()
}

/// Locks, in the order in which everybody does: checkouts, carts, payments.
fn settle_stmts(jobs: &[Job]) -> Vec<Stmt> {
    let ctx = &jobs[0].0;
    let checkouts = || jobs.iter().map(|(_, request)| &request.checkout);
    let ids: Vec<CheckoutId> = checkouts().map(|checkout| checkout.id).collect();
    let carts: Vec<_> = checkouts().map(|checkout| (checkout.cart, checkout.id)).collect();
    vec![
        lock_running_stmt(ctx, &ids),
        cart::clear_carts_stmt(ctx, &carts),
        payments::settle_stmt(ctx, &settlements(jobs)),
    ]
}

fn settlements(jobs: &[Job]) -> Vec<Settlement> {
    let settlement = |(_, request): &Job| {
        Some(Settlement {
            payment: request.checkout.payment?,
            outcome: Outcome::Succeeded { provider_ref: request.provider_ref.clone().unwrap_or_default() },
            source: Source::Checkout,
        })
    };
    jobs.iter().filter_map(settlement).collect()
}

/// Whether every checkout of the group could be locked and was paid; whose the checkouts are now, and what is to be told of
/// payments.
fn read_back(jobs: &[Job], rows: &[Vec<Row>]) -> Result<(HashMap<CheckoutId, Buyer>, Vec<Draft>), DbError> {
    let [running, _, settled] = rows else {
        return Err(DbError::Other("three answers were expected".to_owned()));
    };
    let owners = decode_owners(running)?;
    let settled = payments::decode_settled(settled)?;
    let paid: HashSet<_> = settled
        .iter()
        .filter(|payment| payment.state == PaymentState::Succeeded)
        .map(|payment| payment.payment)
        .collect();
    let fine = jobs.iter().map(|(_, request)| &request.checkout).all(|checkout| {
        owners.contains_key(&checkout.id) && checkout.payment.is_none_or(|payment| paid.contains(&payment))
    });
    match fine {
        true => Ok((owners, payments::settled_drafts(&settled))),
        false => Err(not_finishable()),
    }
}

fn not_finishable() -> DbError {
    DbError::Check { constraint: NOT_FINISHABLE.to_owned() }
}

/// What leaves the shelves, ordered by reservation.
fn goods(checkouts: &[Checkout]) -> Vec<ClosedLine> {
    let lines = checkouts.iter().flat_map(|checkout| {
        checkout.plan.lines.iter().map(|line| ClosedLine {
            reservation: checkout.reservation,
            shop: checkout.shop,
            sku: line.sku.clone(),
            quantity: line.quantity.thousandths(),
        })
    });
    let mut lines: Vec<ClosedLine> = lines.collect();
    lines.sort_unstable();
    lines.dedup_by(|line, before| {
        let same = (line.reservation, line.shop, &line.sku) == (before.reservation, before.shop, &before.sku);
        before.quantity += if same { line.quantity } else { 0 };
        same
    });
    lines
}

/// Whether exactly the goods left the shelves that the messages speak of: all were still held.
fn all_sold(goods: &[ClosedLine], rows: &[Vec<Row>]) -> Result<(), DbError> {
    let sold = rows.last().map(|rows| inventory::decode_closed(rows)).transpose()?;
    let mut sold = sold.unwrap_or_default();
    sold.sort_unstable();
    if sold == goods { Ok(()) } else { Err(not_finishable()) }
}

/// The checkout as it is once it is finished.
fn finish((ctx, request): &Job, owners: &HashMap<CheckoutId, Buyer>) -> Checkout {
    let (mut checkout, now) = (request.checkout.clone(), ctx.now());
    checkout.owner = owners.get(&checkout.id).copied().unwrap_or(checkout.owner);
    if checkout.payment.is_some() {
        checkout.end_step(Step::Charge, StepState::Done, now, None);
    }
    checkout.steps.extend(LOCAL.map(|step| StepRecord::done(step, now, now)));
    checkout.state = CheckoutState::Completed;
    checkout.phase = Phase::Done;
    checkout.action = None;
    checkout.updated_at = now;
    checkout
}

/// Everybody wants the rows of the stock, so they are locked last; before them those of the order's and the receipt's number.
fn write_stmts(jobs: &[Job], done: &[Checkout], goods: &[ClosedLine], mut news: Vec<Draft>) -> Vec<Stmt> {
    let ctx = &jobs[0].0;
    let orders: Vec<NewOrder> = done.iter().map(order).collect();
    let sales: Vec<ChannelSale> = jobs.iter().zip(done).map(|(job, done)| sale(job, done)).collect();
    for (((ctx, _), order), sale) in jobs.iter().zip(&orders).zip(&sales) {
        news.extend(orders::events::placed(ctx, order));
        news.push(sales::news(ctx, sale));
    }
    news.extend(inventory::events::reservations_closed(goods, Ending::Confirmed));
    let sold: Vec<_> = done.iter().map(|checkout| (checkout.reservation, checkout.sale.0)).collect();
    let done: Vec<&Checkout> = done.iter().collect();
    vec![
        orders::insert_orders_stmt(ctx, &orders),
        sales::book_stmt(ctx, &sales),
        messages::publish_stmt(ctx, &news),
        complete_stmt(ctx, &done),
        inventory::sell_reservations_stmt(ctx, &sold),
    ]
}

/// The order that a checkout makes.
fn order(checkout: &Checkout) -> NewOrder {
    NewOrder {
        id: checkout.order,
        status: OrderStatus::Paid,
        channel: "web",
        owner: checkout.owner,
        shop: checkout.shop,
        checkout: Some(checkout.id.0),
        payment: checkout.payment.map(|payment| payment.0),
        sale: checkout.sale.0,
        sums: sums(&checkout.plan),
        lines: stored_lines(&checkout.plan),
        ship_to: checkout.ship_to.clone(),
        note: checkout.note.clone(),
    }
}

fn sale((ctx, request): &Job, checkout: &Checkout) -> ChannelSale {
    ChannelSale {
        id: checkout.sale,
        channel: Channel::Web,
        register: request.register.clone(),
        customer: checkout.owner.customer(),
        priced: checkout.plan.clone(),
        method: TenderMethod::Card,
        occurred_at: ctx.now(),
    }
}
