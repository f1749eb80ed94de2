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
    events::stock_reserved,
    hold_many::{Holding, hold_many},
    hold_stock::Hold,
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
        hold_many(tx, &mut groups).await?;
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
        Ok(Self { jobs, claimed, short: HashMap::new(), alerts: Vec::new() })
    }

    fn tenant(&self) -> TenantId {
        self.jobs[0].0.tenant_id()
    }

    /// Requests that are still to be held for.
    fn open(&self) -> impl Iterator<Item = &'a Job> {
        let first = |(_, request): &&Job| self.claimed.contains(&request.claim.resource);
        self.jobs
            .iter()
            .filter(first)
            .filter(|(_, request)| !self.short.contains_key(&request.claim.resource))
    }

    fn writes(&self) -> Vec<Stmt> {
        let ctx = &self.jobs[0].0;
        let mut statements = Vec::with_capacity(2);
        let reserved = self.open().map(|(ctx, request)| stock_reserved(&request.hold).caused_by(&ctx.caller));
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

impl Holding for Group<'_> {
    fn ctx(&self) -> &Ctx {
        &self.jobs[0].0
    }

    fn wanted(&self) -> Vec<Hold> {
        self.open().map(|(_, request)| request.hold.clone()).collect()
    }

    fn held(&mut self, alerts: Vec<Draft>) {
        self.alerts = alerts;
    }

    fn refuse(&mut self, short: Vec<Vec<Shortage>>) {
        let open: Vec<&Job> = self.open().collect();
        let refused = open.into_iter().zip(short).filter(|(_, short)| !short.is_empty());
        self.short.extend(refused.map(|((_, request), short)| (request.claim.resource, short)));
    }
}

/// When a hold that begins now ends.
pub(crate) fn expiry(now: Timestamp, hold_for: std::time::Duration) -> Timestamp {
    now.checked_add(hold_for.min(crate::reserve_stock::LONGEST_HOLD)).unwrap_or(Timestamp::MAX)
}
