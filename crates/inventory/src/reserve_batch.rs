//! Use case: hold units for many callers at once, set-based through the combiner (INV-2). Whoever queued while the last
//! batch was in flight is held for in one transaction, however many want the same shelf.

use std::collections::{HashMap, HashSet};

use db::{Batch, BatchTx, DbError, Stmt};
use edge::idempotency::Claim;
use jiff::Timestamp;
use kernel::{Ctx, TenantId};
use messages::Draft;
use uuid::Uuid;

use crate::{
    change_stock::Shortage,
    events::{low_stock_alerts, stock_reserved},
    hold_stock::{Held, Hold, decode_held, hold_stmt},
    model::{Applied, ShopId},
};

/// A hold that somebody wants, under a key.
#[derive(Debug, Clone)]
pub struct HoldRequest {
    /// The idempotency key; what it protects is the reservation.
    pub claim: Claim,
    /// What to hold.
    pub hold: Hold,
}

/// What became of a wanted hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldAnswer {
    /// Held.
    Held,
    /// The key was used before; nothing new is held.
    Replay,
    /// There is too little of these lines; nothing is held.
    Short(Vec<Shortage>),
}

/// Holds in batches; see [`db::Combiner`].
#[derive(Debug, Clone, Copy, Default)]
pub struct HoldBatch;

type Job = (Ctx, HoldRequest);

/// One tenant's requests and what became of them so far.
struct Group<'a> {
    jobs: &'a [Job],
    claimed: HashSet<Uuid>,
    short: HashMap<Uuid, Vec<Shortage>>,
    held: bool,
    alerts: Vec<Draft>,
}

impl Batch for HoldBatch {
    type Input = HoldRequest;
    type Output = HoldAnswer;

    fn weight(&self, request: &HoldRequest) -> usize {
        request.hold.lines.len()
    }

    async fn run(&self, tx: &BatchTx, jobs: &[Job]) -> Result<Vec<HoldAnswer>, DbError> {
        let groups: Vec<&[Job]> = jobs.chunk_by(|a, b| a.0.tenant_id() == b.0.tenant_id()).collect();
        let claims: Vec<_> = groups.iter().map(|jobs| (jobs[0].0.tenant_id(), vec![claim(jobs)])).collect();
        let claimed = tx.run(&claims).await?;
        let groups = groups.into_iter().zip(&claimed).map(|(jobs, rows)| Group::new(jobs, rows));
        let mut groups = groups.collect::<Result<Vec<_>, _>>()?;
        // The second round is for those who were short in the first: the rows are locked since then.
        for _ in 0..2 {
            let waiting: Vec<&mut Group<'_>> = groups.iter_mut().filter(|group| group.waits()).collect();
            if waiting.is_empty() {
                break;
            }
            let holds: Vec<_> = waiting.iter().map(|group| (group.tenant(), vec![group.hold()])).collect();
            for (group, rows) in waiting.into_iter().zip(tx.run(&holds).await?) {
                group.take(&rows.first().map(|rows| decode_held(rows)).transpose()?.unwrap_or_default());
            }
        }
        if groups.iter().any(Group::waits) {
            return Err(DbError::Other("stock changed under its lock".to_owned()));
        }
        let writes = groups.iter().map(|group| (group.tenant(), group.writes()));
        let writes: Vec<_> = writes.filter(|(_, statements)| !statements.is_empty()).collect();
        if !writes.is_empty() {
            tx.run(&writes).await?;
        }
        Ok(groups.iter().flat_map(|group| group.jobs.iter().map(|job| group.answer(job))).collect())
    }
}

fn claim(jobs: &[Job]) -> Stmt {
    let claims: Vec<Claim> = jobs.iter().map(|(_, request)| request.claim).collect();
    edge::idempotency::claim_stmt(&jobs[0].0, &claims, 201)
}

impl<'a> Group<'a> {
    fn new(jobs: &'a [Job], rows: &[Vec<db::Row>]) -> Result<Self, DbError> {
        let claimed = rows.first().map(|rows| edge::idempotency::decode_claims(rows)).transpose()?;
        let claimed = claimed.unwrap_or_default();
        Ok(Self { jobs, claimed, short: HashMap::new(), held: false, alerts: Vec::new() })
    }

    fn tenant(&self) -> TenantId {
        self.jobs[0].0.tenant_id()
    }

    /// Requests that are still to be held for.
    fn wanted(&self) -> impl Iterator<Item = &'a Job> {
        let first = |(_, request): &&Job| self.claimed.contains(&request.claim.resource);
        self.jobs
            .iter()
            .filter(first)
            .filter(|(_, request)| !self.short.contains_key(&request.claim.resource))
    }

    fn waits(&self) -> bool {
        !self.held && self.wanted().next().is_some()
    }

    fn hold(&self) -> Stmt {
        let holds: Vec<Hold> = self.wanted().map(|(_, request)| request.hold.clone()).collect();
        hold_stmt(&self.jobs[0].0, &holds)
    }

    fn take(&mut self, held: &[Held]) {
        if held.iter().all(|row| row.granted) {
            let changes: Vec<Applied> = held.iter().map(|row| row.applied.clone()).collect();
            (self.held, self.alerts) = (true, low_stock_alerts(&changes));
            return;
        }
        let wanted: Vec<&Job> = self.wanted().collect();
        let holds: Vec<&Hold> = wanted.iter().map(|(_, request)| &request.hold).collect();
        for ((_, request), short) in wanted.iter().zip(share_out(held, &holds)) {
            if !short.is_empty() {
                self.short.insert(request.claim.resource, short);
            }
        }
    }

    fn writes(&self) -> Vec<Stmt> {
        let ctx = &self.jobs[0].0;
        let mut statements = Vec::with_capacity(2);
        let reserved =
            self.wanted().map(|(ctx, request)| stock_reserved(&request.hold).caused_by(&ctx.caller));
        let news: Vec<Draft> = reserved.chain(self.alerts.iter().cloned()).collect();
        if !news.is_empty() {
            statements.push(messages::publish_stmt(ctx, &news));
        }
        let refused =
            self.jobs.iter().filter(|(_, request)| self.short.contains_key(&request.claim.resource));
        let refused: Vec<Uuid> = refused.map(|(_, request)| request.claim.key).collect();
        if !refused.is_empty() {
            statements.push(edge::idempotency::release_stmt(ctx, &refused));
        }
        statements
    }

    fn answer(&self, (_, request): &Job) -> HoldAnswer {
        let resource = &request.claim.resource;
        match self.short.get(resource) {
            Some(short) => HoldAnswer::Short(short.clone()),
            None if self.claimed.contains(resource) => HoldAnswer::Held,
            None => HoldAnswer::Replay,
        }
    }
}

/// Who goes without where a hold for all of `holds` together was refused with `held`: in their order each gets all of its
/// lines or none; of each the lines of which there is too little, none for those that fit.
#[must_use]
pub fn share_out(held: &[Held], holds: &[&Hold]) -> Vec<Vec<Shortage>> {
    let levels = held.iter().map(|row| &row.applied.level);
    let mut left: HashMap<(ShopId, &str), i64> =
        levels.map(|level| ((level.shop, level.sku.as_str()), level.available())).collect();
    holds.iter().map(|hold| take_lines(&mut left, hold)).collect()
}

fn take_lines<'a>(left: &mut HashMap<(ShopId, &'a str), i64>, hold: &'a Hold) -> Vec<Shortage> {
    let mut wanted: HashMap<(ShopId, &str), i64> = HashMap::new();
    for line in &hold.lines {
        *wanted.entry((line.shop, &line.sku)).or_default() += line.quantity.thousandths();
    }
    let short = |(place, line): (usize, &crate::hold_stock::HoldLine)| {
        let key = (line.shop, line.sku.as_str());
        let there = left.get(&key).copied().unwrap_or(0);
        (there < wanted[&key]).then(|| Shortage {
            line: place,
            shop: line.shop,
            sku: line.sku.clone(),
            left: there,
        })
    };
    let short: Vec<Shortage> = hold.lines.iter().enumerate().filter_map(short).collect();
    if short.is_empty() {
        for (key, units) in wanted {
            *left.entry(key).or_default() -= units;
        }
    }
    short
}

/// When a hold that begins now ends.
pub(crate) fn expiry(now: Timestamp, hold_for: std::time::Duration) -> Timestamp {
    now.checked_add(hold_for.min(crate::reserve_stock::LONGEST_HOLD)).unwrap_or(Timestamp::MAX)
}
