//! Checkouts as the program holds them: what begins, goes on and ends them, in this process and after another's death.

use std::{sync::Arc, time::Duration};

use cart::CheckoutId;
use catalog::Catalog;
use db::{Combiner, CombinerLimits, Db, DbError};
use inventory::ShopId;
use kernel::{Clock, Ctx, TenantId};
use moka::sync::Cache;
use payments::Payments;
use sales::Sales;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use traces::Scope;

use crate::{
    begin::{BeginBatch, BeginError, BeginRequest, id},
    counts::Counts,
    faults::{Faults, When},
    finish::FinishBatch,
    model::{Checkout, Step},
};

/// How checkouts are run in this installation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckoutConfig {
    /// For how long units are held, in seconds.
    pub hold_s: u64,
    /// How long a checkout may take in all, in seconds, the payer's part included.
    pub limit_s: u64,
    /// How long a process may be silent before another one goes on with its checkouts, in seconds. More than four times
    /// as long as a payment provider may take to answer.
    pub lease_s: u64,
    /// Checkouts that one process works on at once; more are refused for the moment.
    pub most: usize,
}

impl Default for CheckoutConfig {
    fn default() -> Self {
        Self { hold_s: 900, limit_s: 120, lease_s: 60, most: 1024 }
    }
}

impl CheckoutConfig {
    /// Refuses settings that cannot work beside a payment provider that may take `call_timeout_ms`.
    ///
    /// # Errors
    /// A sentence naming the setting and its bounds.
    pub fn validate(&self, call_timeout_ms: u64) -> Result<(), String> {
        let within = |name: &str, value: u64, least: u64, most: u64| match (least..=most).contains(&value) {
            true => Ok(()),
            false => Err(format!("checkout.{name} must be between {least} and {most}, not {value}")),
        };
        within("hold_s", self.hold_s, self.limit_s.saturating_mul(2), 86_400)?;
        within("limit_s", self.limit_s, 1, 3600)?;
        within("lease_s", self.lease_s, (call_timeout_ms * 4).div_ceil(1000), 600)?;
        within("most", self.most as u64, 1, 100_000)
    }
}

/// What checkouts are made from.
pub struct Parts {
    /// The door to data.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Products and tax rates.
    pub catalog: Catalog,
    /// Registers of the web channel.
    pub sales: Sales,
    /// Providers.
    pub payments: Payments,
    /// How sales, and so checkouts, are batched.
    pub combiner: CombinerLimits,
    /// Where the workflow breaks on purpose: nowhere, but in proofs.
    pub faults: Arc<dyn Faults>,
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) config: CheckoutConfig,
    pub(crate) catalog: Catalog,
    pub(crate) sales: Sales,
    pub(crate) payments: Payments,
    pub(crate) beginner: Combiner<BeginBatch>,
    pub(crate) finisher: Combiner<FinishBatch>,
    pub(crate) faults: Arc<dyn Faults>,
    pub(crate) room: Arc<Semaphore>,
    pub(crate) shops: Cache<TenantId, ShopId>,
    pub(crate) counts: Counts,
    tasks: TaskTracker,
}

/// The way to checkouts. Cheap to clone.
#[derive(Clone)]
pub struct Checkouts(pub(crate) Arc<Inner>);

impl std::fmt::Debug for Checkouts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkouts").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl Checkouts {
    /// Checkouts that hear from `parts.payments` what becomes of money.
    #[must_use]
    pub fn new(config: CheckoutConfig, parts: Parts) -> Self {
        let Parts { db, clock, catalog, sales, payments, combiner, faults } = parts;
        let seconds = Duration::from_secs;
        let begin = BeginBatch {
            faults: faults.clone(),
            hold_for: seconds(config.hold_s),
            lease: seconds(config.lease_s),
            limit: seconds(config.limit_s),
        };
        let finish = FinishBatch { faults: faults.clone() };
        let checkouts = Self(Arc::new(Inner {
            beginner: Combiner::new(db.clone(), begin, combiner),
            finisher: Combiner::new(db.clone(), finish, combiner),
            room: Arc::new(Semaphore::new(config.most)),
            shops: Cache::builder().max_capacity(100_000).time_to_live(seconds(30)).build(),
            counts: Counts::new(),
            tasks: TaskTracker::new(),
            db,
            clock,
            config,
            catalog,
            sales,
            payments: payments.clone(),
            faults,
        }));
        payments.watch(Arc::new(checkouts.clone()));
        checkouts
    }

    pub(crate) fn lease(&self) -> Duration {
        Duration::from_secs(self.0.config.lease_s)
    }

    /// The same request, now.
    pub(crate) fn now(&self, ctx: &Ctx) -> Ctx {
        let mut ctx = ctx.clone();
        ctx.caller.now = self.0.clock.now();
        ctx
    }

    pub(crate) fn fault(&self, checkout: CheckoutId, step: Step, when: When) -> Result<(), DbError> {
        self.0.faults.at(checkout, step, when)
    }

    /// Begins a checkout: cart, stock and payment in one transaction with others that begin at the same time.
    ///
    /// # Errors
    /// [`BeginError`]; nothing was written then, unless the database went away at the commit.
    pub async fn begin(&self, ctx: &Ctx, request: BeginRequest) -> Result<Checkout, BeginError> {
        let mut scope = step(ctx, "checkout.begin", id(&request));
        let begun = self.0.beginner.submit((*scope).clone(), request).await;
        if begun.is_err() {
            scope.span().fail("not_begun");
        }
        drop(scope);
        let checkout = begun??;
        self.0.counts.begun.add(ctx.tenant.tier);
        self.fault(checkout.id, Step::ReserveStock, When::Committed)?;
        Ok(checkout)
    }

    /// Goes on with a checkout in the background, whoever waits for it or not; `room` is given back when it has ended.
    pub(crate) fn go_on(
        &self,
        ctx: Ctx,
        checkout: Checkout,
        room: Option<OwnedSemaphorePermit>,
    ) -> tokio::task::JoinHandle<Result<Checkout, DbError>> {
        let this = self.clone();
        self.0.tasks.spawn(async move {
            let _room = room;
            let id = checkout.id;
            let driven = this.drive(&ctx, checkout).await;
            if let Err(error) = &driven {
                tracing::warn!(checkout.id = %id, error = %error, "a checkout waits to be resumed");
            }
            driven
        })
    }

    /// Waits for what is under way, for a while: what is not done then is resumed by another process.
    pub async fn stop(&self) {
        self.0.tasks.close();
        let _ = tokio::time::timeout(Duration::from_secs(5), self.0.tasks.wait()).await;
    }
}

/// A step of a checkout: what is done in it is shown under it in traces.
pub(crate) fn step<'a>(ctx: &'a Ctx, name: &'static str, checkout: CheckoutId) -> Scope<'a> {
    let mut scope = Scope::begin(ctx, name);
    let span = scope.span();
    if span.is_some() {
        span.set("markethall.checkout.id", checkout.to_string());
    }
    scope
}
