//! Use case: change carts, set-based through the combiner: whoever queued while the last batch was in flight shares a
//! transaction. Every change is made under its cart's lock and takes the price of that moment.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::Arc,
};

use catalog::TaxTable;
use customers::{Buyer, CustomerId};
use db::{Batch, BatchTx, DbError, Row, Stmt};
use edge::{
    Idempotency, IfMatch, Problem, Reply, codes,
    idempotency::{self, Stored},
};
use kernel::{Ctx, TenantId};
use uuid::Uuid;

use crate::{
    change_cart::{Change, ChangeCartError, Products},
    model::Cart,
    problems::{CART_NOT_FOUND, CART_TOO_LARGE},
    shared_carts::{Changed, Stamp},
    show_cart::{by_sku, view},
    store::{
        CartWrite, Written, decode_carts, decode_written, delete_carts_stmt, lifetime, lock_carts_stmt,
        write_carts_stmt,
    },
};

/// A change that somebody wants, with what was found out before it queued.
pub(crate) struct ChangeRequest {
    /// Whose cart.
    pub(crate) owner: Buyer,
    /// What.
    pub(crate) change: Change,
    /// Which version of the cart it is meant for.
    pub(crate) if_match: IfMatch,
    /// The key, if there is one: its answer is stored with the change.
    pub(crate) key: Idempotency,
    /// The tenant's VAT rates.
    pub(crate) taxes: Arc<TaxTable>,
}

/// Changes carts in batches; see [`db::Combiner`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChangeBatch;

/// What became of a request.
pub(crate) struct Outcome {
    /// The answer.
    pub(crate) decision: Decision,
    /// What Redis is to be told of the cart now that it is committed; by the last request for it in the batch.
    pub(crate) changed: Option<Changed>,
}

type Job = (Ctx, ChangeRequest);
type Decision = Result<Reply, Problem>;

impl Batch for ChangeBatch {
    type Input = ChangeRequest;
    type Output = Outcome;

    fn weight(&self, request: &ChangeRequest) -> usize {
        request.change.wanted().len().max(1)
    }

    async fn run(&self, tx: &BatchTx, jobs: &[Job]) -> Result<Vec<Outcome>, DbError> {
        let groups: Vec<&[Job]> = jobs.chunk_by(|a, b| a.0.tenant_id() == b.0.tenant_id()).collect();
        let looks: Vec<_> = groups.iter().map(|jobs| (jobs[0].0.tenant_id(), Group::look(jobs))).collect();
        let found = tx.run(&looks).await?;
        let groups = groups.into_iter().zip(&found).map(|(jobs, rows)| Group::new(jobs, rows));
        let mut groups = groups.collect::<Result<Vec<_>, _>>()?;
        Group::look_up_the_rest(tx, &mut groups).await?;
        let decisions: Vec<Decision> = groups.iter_mut().flat_map(Group::decide).collect();
        let writes = groups.iter().map(|group| (group.tenant(), group.writes()));
        let writes: Vec<_> = writes.filter(|(_, statements)| !statements.is_empty()).collect();
        if !writes.is_empty() {
            let written = tx.run(&writes).await?;
            let writing = groups.iter_mut().filter(|group| group.has_writes());
            writing.zip(&written).try_for_each(|(group, rows)| group.check(rows))?;
        }
        let changes: Vec<Option<Changed>> = groups.iter_mut().flat_map(Group::changes).collect();
        let outcomes = decisions.into_iter().zip(changes);
        Ok(outcomes.map(|(decision, changed)| Outcome { decision, changed }).collect())
    }
}

/// A cart as it was locked, and as it is now.
struct Held {
    /// The version that was stored, 0 for none.
    base: i32,
    cart: Cart,
    touched: bool,
}

/// All jobs of one tenant with what became of them so far.
struct Group<'a> {
    jobs: &'a [Job],
    answered: HashMap<Uuid, Stored>,
    customers: HashSet<CustomerId>,
    carts: HashMap<Buyer, Held>,
    products: Products,
    answers: Vec<Stored>,
    /// The carts that were written, by owner.
    written: HashMap<String, Written>,
}

fn keys(jobs: &[Job]) -> Vec<Uuid> {
    jobs.iter().filter_map(|(_, request)| request.key.key_hash()).collect()
}

fn customers(jobs: &[Job]) -> Vec<CustomerId> {
    jobs.iter().filter_map(|(_, request)| request.owner.customer()).collect()
}

fn wanted(jobs: &[Job]) -> Vec<&str> {
    let wanted = jobs.iter().flat_map(|(_, request)| request.change.wanted());
    wanted.map(|wanted| wanted.sku.as_str()).collect()
}

impl<'a> Group<'a> {
    /// Looks for stored answers, for the customers whose carts staff fills, and for products; locks the carts.
    fn look(jobs: &[Job]) -> Vec<Stmt> {
        let ctx = &jobs[0].0;
        let owners: Vec<Buyer> = jobs.iter().map(|(_, request)| request.owner).collect();
        let mut statements = vec![lock_carts_stmt(ctx, &owners), catalog::sellable_stmt(ctx, &wanted(jobs))];
        if !keys(jobs).is_empty() {
            statements.push(idempotency::find_stmt(ctx, &keys(jobs)));
        }
        if !customers(jobs).is_empty() {
            statements.push(customers::exists_stmt(ctx, &customers(jobs)));
        }
        statements
    }

    /// Reads the rows of [`Group::look`].
    fn new(jobs: &'a [Job], rows: &[Vec<Row>]) -> Result<Self, DbError> {
        let mut rows = rows.iter().map(Vec::as_slice);
        let mut next = || rows.next().unwrap_or_default();
        let carts = decode_carts(next())?;
        let carts =
            carts.into_iter().map(|cart| (cart.owner, Held { base: cart.version, cart, touched: false }));
        let carts = carts.collect();
        let products = by_sku(next())?;
        let answered = if keys(jobs).is_empty() { Vec::new() } else { idempotency::decode(next())? };
        let customers = match customers(jobs).is_empty() {
            true => HashSet::new(),
            false => customers::decode_exists(next())?,
        };
        let answered = answered.into_iter().map(|stored| (stored.key_hash, stored)).collect();
        Ok(Self { jobs, answered, customers, carts, products, answers: Vec::new(), written: HashMap::new() })
    }

    fn ctx(&self) -> &'a Ctx {
        &self.jobs[0].0
    }

    fn tenant(&self) -> TenantId {
        self.ctx().tenant_id()
    }

    /// Looks up what is in carts besides what is wanted, where lines stay.
    async fn look_up_the_rest(tx: &BatchTx, groups: &mut [Group<'_>]) -> Result<(), DbError> {
        let mut lacking = Vec::new();
        let mut reads = Vec::new();
        for group in groups {
            if let Some(rest) = group.rest() {
                reads.push((group.tenant(), vec![rest]));
                lacking.push(group);
            }
        }
        if reads.is_empty() {
            return Ok(());
        }
        for (group, rows) in lacking.into_iter().zip(tx.run(&reads).await?) {
            group.products.extend(by_sku(rows.first().map_or(&[], Vec::as_slice))?);
        }
        Ok(())
    }

    fn rest(&self) -> Option<Stmt> {
        let kept = self.jobs.iter().filter(|(_, request)| request.change.keeps_lines());
        let kept = kept.filter_map(|(_, request)| self.carts.get(&request.owner));
        let skus = kept.flat_map(|held| &held.cart.lines).map(|line| line.sku.as_str());
        let missing: Vec<&str> = skus.filter(|sku| !self.products.contains_key(*sku)).collect();
        (!missing.is_empty()).then(|| catalog::sellable_stmt(self.ctx(), &missing))
    }

    /// What becomes of each job, in their order.
    fn decide(&mut self) -> Vec<Decision> {
        self.jobs.iter().map(|(ctx, request)| self.decide_one(ctx, request)).collect()
    }

    fn decide_one(&mut self, ctx: &Ctx, request: &ChangeRequest) -> Decision {
        if let Some(key) = request.key.key_hash() {
            if let Some(stored) = self.answered.get(&key) {
                stored.check(&request.key)?;
                return Ok(stored.clone().into_reply());
            }
            if self.answers.iter().any(|answer| answer.key_hash == key) {
                return Err(Problem::new(codes::IDEMPOTENCY_IN_PROGRESS).retry_after(1));
            }
        }
        if request.owner.customer().is_some_and(|id| !self.customers.contains(&id)) {
            return Err(Problem::new(CART_NOT_FOUND));
        }
        let reply = self.change(ctx, request)?;
        self.answers.extend(Stored::of(&request.key, &reply));
        Ok(reply)
    }

    fn change(&mut self, ctx: &Ctx, request: &ChangeRequest) -> Decision {
        let held = match self.carts.entry(request.owner) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                entry.insert(Held { base: 0, cart: Cart::empty(request.owner), touched: false })
            }
        };
        request.if_match.check(&held.cart.version.to_string())?;
        if let Some(checkout) = held.cart.checkout {
            return Err(ChangeCartError::InCheckout(checkout).into());
        }
        if request.change == Change::Clear {
            (held.cart, held.touched) = (Cart::empty(request.owner), true);
            return Ok(Reply::no_content());
        }
        let lines = request.change.apply(&held.cart.lines, &self.products)?;
        let touched = lines != held.cart.lines || !request.change.wanted().is_empty();
        let mut cart = Cart { lines, ..held.cart.clone() };
        if touched {
            cart.version += 1;
            cart.times = Some(lifetime(ctx.now()));
        }
        // What cannot be shown is not taken either.
        let view = view(ctx, &request.taxes, &self.products, &cart)
            .map_err(|error| Problem::new(CART_TOO_LARGE).detail(error.to_string()))?;
        held.cart = cart;
        held.touched |= touched;
        Ok(Reply::ok(&view).etag(&view.version.to_string()))
    }

    fn touched(&self) -> impl Iterator<Item = &Held> {
        self.carts.values().filter(|held| held.touched)
    }

    fn has_writes(&self) -> bool {
        self.touched().next().is_some() || !self.answers.is_empty()
    }

    /// Everything that is written for this tenant; [`Group::check`] reads the rows.
    fn writes(&self) -> Vec<Stmt> {
        let kept = self.touched().filter(|held| held.cart.version > 0);
        let kept: Vec<CartWrite<'_>> =
            kept.map(|held| CartWrite { base: held.base, cart: &held.cart }).collect();
        let gone = self.touched().filter(|held| held.cart.version == 0);
        let gone: Vec<Buyer> = gone.map(|held| held.cart.owner).collect();
        let mut statements = Vec::with_capacity(3);
        if !kept.is_empty() {
            statements.push(write_carts_stmt(self.ctx(), &kept));
        }
        if !self.answers.is_empty() {
            statements.push(idempotency::insert_stmt(self.ctx(), &self.answers));
        }
        if !gone.is_empty() {
            statements.push(delete_carts_stmt(self.ctx(), &gone));
        }
        statements
    }

    /// Whether all was written: a cart or a key that somebody else wrote meanwhile is looked at again.
    fn check(&mut self, rows: &[Vec<Row>]) -> Result<(), DbError> {
        let kept = self.touched().filter(|held| held.cart.version > 0).count();
        if let Some(written) = rows.first().filter(|_| kept > 0) {
            self.written = decode_written(written)?;
        }
        let mut rows = rows.iter();
        let mut all =
            |count: usize, what: &str| match count > 0 && rows.next().is_none_or(|rows| rows.len() < count) {
                true => Err(DbError::Unique { constraint: what.to_owned() }),
                false => Ok(()),
            };
        all(kept, "cart_changed_meanwhile")?;
        all(self.answers.len(), "idempotency_key_stored_meanwhile")
    }

    /// For each job, in their order, what became of its cart: once for each cart that was touched.
    fn changes(&mut self) -> Vec<Option<Changed>> {
        let mut changes: Vec<Option<Changed>> =
            self.jobs.iter().rev().map(|(_, request)| self.take_change(request.owner)).collect();
        changes.reverse();
        changes
    }

    fn take_change(&mut self, owner: Buyer) -> Option<Changed> {
        let cart = self.carts.remove(&owner).filter(|held| held.touched)?.cart;
        if cart.version == 0 {
            return Some(Changed::Removed(owner));
        }
        let Written { row_state, times } = self.written.remove(&owner.to_string())?;
        let stamp = Stamp { version: cart.version, row_state };
        Some(Changed::Written(Cart { times: Some(times), ..cart }, stamp))
    }
}
