//! The checkouts of one tenant that begin in one transaction: what is asked of the database for them together.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use cart::{Cart, CheckoutId};
use customers::Buyer;
use db::{DbError, Row, Stmt};
use inventory::{Hold, HoldLine, Holding, Shortage};
use kernel::{Ctx, TenantId};
use messages::Draft;
use payments::NewPayment;

use crate::{
    begin::{BeginBatch, BeginError, BeginRequest, Decision, Job, later},
    flags::WEB_CHECKOUT,
    model::Checkout,
    store::insert_checkouts_stmt,
};

/// All jobs of one tenant with what became of them so far.
pub(crate) struct Group<'a> {
    pub(crate) jobs: &'a [Job],
    claimed: HashSet<uuid::Uuid>,
    carts: HashMap<Buyer, Cart>,
    /// Carts that an earlier job of this batch has taken.
    taken: HashMap<Buyer, CheckoutId>,
    decided: Vec<Decision>,
    hold_for: Duration,
    alerts: Vec<Draft>,
}

impl<'a> Group<'a> {
    /// Claims the idempotency keys and locks the carts.
    pub(crate) fn look(jobs: &[Job]) -> Vec<Stmt> {
        let ctx = &jobs[0].0;
        let claims: Vec<_> = jobs.iter().map(|(_, request)| request.claim).collect();
        let owners: Vec<Buyer> = jobs.iter().map(|(_, request)| request.owner).collect();
        vec![edge::idempotency::claim_stmt(ctx, &claims, 201), cart::lock_carts_stmt(ctx, &owners)]
    }

    /// Reads the rows of [`Group::look`].
    pub(crate) fn new(jobs: &'a [Job], rows: &[Vec<Row>], hold_for: Duration) -> Result<Self, DbError> {
        let [claims, carts] = rows else {
            return Err(DbError::Other("two answers were expected".to_owned()));
        };
        let carts = cart::decode_carts(carts)?;
        Ok(Self {
            jobs,
            claimed: edge::idempotency::decode_claims(claims)?,
            carts: carts.into_iter().map(|cart| (cart.owner, cart)).collect(),
            taken: HashMap::new(),
            decided: Vec::with_capacity(jobs.len()),
            hold_for,
            alerts: Vec::new(),
        })
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.ctx().tenant_id()
    }

    /// Looks up everything that is in the carts.
    pub(crate) fn products(&self) -> Stmt {
        let lines = self.carts.values().flat_map(|cart| &cart.lines);
        let skus: Vec<&str> = lines.map(|line| line.sku.as_str()).collect();
        catalog::sellable_stmt(self.ctx(), &skus)
    }

    /// The cart that a request wants to buy, if it can be bought.
    pub(crate) fn cart(&self, ctx: &Ctx, request: &BeginRequest) -> Result<&Cart, BeginError> {
        if !self.claimed.contains(&request.claim.resource) {
            return Err(BeginError::Replay);
        }
        // Asked after the key: who repeats a request learns what became of the first one.
        if !ctx.flags().on_for(WEB_CHECKOUT, &request.owner.to_string()) {
            return Err(BeginError::SwitchedOff);
        }
        let cart = self.carts.get(&request.owner).filter(|cart| !cart.lines.is_empty());
        let cart = cart.ok_or(BeginError::CartEmpty)?;
        match cart.checkout.or_else(|| self.taken.get(&request.owner).copied()) {
            Some(other) => Err(BeginError::InCheckout(other)),
            None => Ok(cart),
        }
    }

    /// Notes what becomes of the next job.
    pub(crate) fn decide(&mut self, decision: Decision) {
        if let Ok(checkout) = &decision {
            self.taken.insert(checkout.owner, checkout.id);
        }
        self.decided.push(decision);
    }

    fn begun(&self) -> impl Iterator<Item = &Checkout> {
        self.decided.iter().flatten()
    }

    /// Everything that is written for this tenant.
    pub(crate) fn writes(&self, batch: &BeginBatch) -> Vec<Stmt> {
        let ctx = self.ctx();
        let begun: Vec<&Checkout> = self.begun().collect();
        let mut statements = Vec::with_capacity(5);
        if !begun.is_empty() {
            statements.push(insert_checkouts_stmt(ctx, &begun, batch.lease));
            let payments: Vec<NewPayment> = begun.iter().filter_map(|checkout| payment(checkout)).collect();
            if !payments.is_empty() {
                statements.push(payments::open_payments_stmt(ctx, &payments));
            }
            let carts: Vec<_> = begun.iter().map(|checkout| (checkout.owner, checkout.id)).collect();
            statements.push(cart::take_carts_stmt(ctx, &carts));
            statements.push(messages::publish_stmt(ctx, &self.news()));
        }
        let refused =
            self.jobs.iter().zip(&self.decided).filter_map(|((_, request), decision)| match decision {
                Err(error) if !matches!(error, BeginError::Replay) => Some(request.claim.key),
                _ => None,
            });
        let refused: Vec<_> = refused.collect();
        if !refused.is_empty() {
            statements.push(edge::idempotency::release_stmt(ctx, &refused));
        }
        statements
    }

    fn news(&self) -> Vec<Draft> {
        let jobs = self.jobs.iter().zip(&self.decided).filter(|(_, decision)| decision.is_ok());
        let reserved = jobs
            .zip(self.wanted())
            .map(|(((ctx, _), _), hold)| inventory::events::stock_reserved(&hold).caused_by(&ctx.caller));
        reserved.chain(self.alerts.iter().cloned()).collect()
    }

    /// What became of the jobs, in their order.
    pub(crate) fn into_decisions(self) -> Vec<Decision> {
        self.decided
    }
}

impl Holding for Group<'_> {
    fn ctx(&self) -> &Ctx {
        &self.jobs[0].0
    }

    fn wanted(&self) -> Vec<Hold> {
        let hold = |checkout: &Checkout| Hold {
            id: checkout.reservation,
            reference: Some(checkout.id.to_string()),
            expires_at: later(checkout.created_at, self.hold_for),
            lines: checkout.plan.lines.iter().map(|line| line_of(checkout, line)).collect(),
        };
        self.begun().map(hold).collect()
    }

    fn held(&mut self, alerts: Vec<Draft>) {
        self.alerts = alerts;
    }

    fn refuse(&mut self, short: Vec<Vec<Shortage>>) {
        let begun = self.decided.iter_mut().filter(|decision| decision.is_ok());
        for (decision, short) in begun.zip(short).filter(|(_, short)| !short.is_empty()) {
            *decision = Err(BeginError::OutOfStock(short));
        }
    }
}

fn payment(checkout: &Checkout) -> Option<NewPayment> {
    Some(NewPayment {
        id: checkout.payment?,
        provider: checkout.provider.clone(),
        method: checkout.method.clone(),
        amount: checkout.total,
        purpose: Some(checkout.id.to_string()),
        owner: Some(checkout.owner.to_string()),
    })
}

fn line_of(checkout: &Checkout, line: &sales::BookedLine) -> HoldLine {
    HoldLine { shop: checkout.shop, sku: line.sku.clone(), quantity: line.quantity }
}
