//! Payments as the program holds them: providers by name, every call to them bounded in time.

use std::{
    fmt,
    future::Future,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use db::{CombinerLimits, Db, DbError};
use edge::Registry;
use kernel::Ctx;
use resilience::Retries;
use traces::{Kind, Scope, Span};

use crate::{
    accounts::Accounts,
    config::{PaymentsConfig, ProviderConfig},
    model::{ChargeOrder, Outcome, PaymentId, RefundOrder, RefundOutcome},
    paypal::{PAYPAL, PayPal},
    provider::{Cancelled, Found, Provider},
    settle_payments::Settled,
    stripe::{STRIPE, Stripe},
    test_provider::TestProvider,
    web_call::Site,
};

/// Hears that a payment was settled by a webhook, a confirmation or the reconciliation, after the commit.
///
/// What is settled by [`crate::settle_stmt`] in somebody's own transaction is not told: they know.
#[async_trait]
pub trait SettlementWatcher: Send + Sync {
    /// `payment`, opened for `purpose`, is `settled.state` now. May be told more than once.
    async fn settled(&self, ctx: &Ctx, payment: PaymentId, purpose: &str);
}

struct Inner {
    db: Db,
    config: PaymentsConfig,
    test: Option<TestProvider>,
    providers: Vec<Arc<dyn Provider>>,
    retries: Retries,
    accounts: Accounts,
    tenants: Arc<dyn Registry>,
    watcher: OnceLock<Arc<dyn SettlementWatcher>>,
}

/// The way to providers and to the books of payments. Cheap to clone.
#[derive(Clone)]
pub struct Payments(Arc<Inner>);

/// What [`Payments`] are made from.
pub struct Parts {
    /// The door to data.
    pub db: Db,
    /// Seals the merchants' credentials.
    pub master_key: control::MasterKey,
    /// Merchants by name, for webhooks that name one in their address.
    pub tenants: Arc<dyn Registry>,
}

impl fmt::Debug for Payments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payments").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl Payments {
    /// Payments with the providers that `config` names.
    #[must_use]
    pub fn new(config: PaymentsConfig, parts: Parts) -> Self {
        Self::with_providers(config, parts, Vec::new())
    }

    /// The same with further providers.
    #[must_use]
    pub fn with_providers(config: PaymentsConfig, parts: Parts, further: Vec<Arc<dyn Provider>>) -> Self {
        let Parts { db, master_key, tenants } = parts;
        let accounts = Accounts::new(db.clone(), master_key);
        let test = config.test_provider.then(|| TestProvider::new(db.clone(), CombinerLimits::default()));
        let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
        if let Some(test) = &test {
            providers.push(Arc::new(test.clone()));
        }
        // Addresses are checked with the configuration; one that cannot be used is one provider less.
        let site = |name, provider: &ProviderConfig| {
            Site::new(name, &provider.base_url, config.call_timeout(), db.breakers())
        };
        if let Ok(site) = site(STRIPE, &config.stripe) {
            providers.push(Arc::new(Stripe::new(site, accounts.clone())));
        }
        if let Ok(site) = site(PAYPAL, &config.paypal) {
            providers.push(Arc::new(PayPal::new(site, accounts.clone())));
        }
        providers.extend(further);
        let retries = db.breakers().retries("payments");
        let watcher = OnceLock::new();
        Self(Arc::new(Inner { db, config, test, providers, retries, accounts, tenants, watcher }))
    }

    /// Names who hears of settlements that came by themselves; the first one set stays.
    pub fn watch(&self, watcher: Arc<dyn SettlementWatcher>) {
        if self.0.watcher.set(watcher).is_err() {
            tracing::error!("payments have a watcher already");
        }
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    pub(crate) fn tenants(&self) -> &dyn Registry {
        &*self.0.tenants
    }

    pub(crate) fn test(&self) -> Option<&TestProvider> {
        self.0.test.as_ref()
    }

    pub(crate) fn providers(&self) -> impl Iterator<Item = &dyn Provider> {
        self.0.providers.iter().map(|provider| &**provider)
    }

    /// The provider of that name.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&dyn Provider> {
        self.providers().find(|provider| provider.name() == name)
    }

    /// Asks the provider for the money, outside of any transaction; the payment must have been opened before.
    ///
    /// When the answer does not come in time, or is not clear, the provider is asked once what became of it, so that
    /// a lost answer is usually known at once. May be repeated with the same payment: it is never charged twice.
    pub async fn charge(&self, ctx: &Ctx, order: &ChargeOrder) -> Outcome {
        let Some(provider) = self.provider(&order.provider) else {
            let detail = "This installation has no such provider.".to_owned();
            return Outcome::Declined { code: "unknown_provider".to_owned(), detail };
        };
        let mut scope = asked(ctx, "payments.charge", provider.name());
        let outcome = self.within(provider.charge(&scope, order)).await;
        if matches!(outcome, None | Some(Outcome::Unknown { .. })) {
            scope.span().fail("unknown");
        }
        let detail = match outcome {
            Some(Outcome::Unknown { detail }) => detail,
            Some(outcome) => return outcome,
            None => "The provider did not answer in time.".to_owned(),
        };
        match self.find(ctx, order, None).await {
            Found::Outcome(outcome) => outcome,
            // Not there is no proof: the request may still be on its way.
            Found::NotFound | Found::Unknown => Outcome::Unknown { detail },
        }
    }

    /// What the provider knows about a charge.
    pub async fn find(&self, ctx: &Ctx, order: &ChargeOrder, provider_ref: Option<&str>) -> Found {
        let Some(provider) = self.provider(&order.provider) else { return Found::Unknown };
        let mut scope = asked(ctx, "payments.find", provider.name());
        let is_unknown =
            |found: &Found| matches!(found, Found::Unknown | Found::Outcome(Outcome::Unknown { .. }));
        let finding = self.again_while(is_unknown, || provider.find(&scope, order, provider_ref));
        let found = self.within(finding).await.filter(|found| !is_unknown(found));
        if found.is_none() {
            scope.span().fail("unknown");
        }
        found.unwrap_or(Found::Unknown)
    }

    /// Gives a charge up, if the money has not been taken yet; settle the payment by what it says
    /// (`Outcome::Cancelled`, `Outcome::Succeeded`).
    pub async fn cancel(&self, ctx: &Ctx, order: &ChargeOrder, provider_ref: Option<&str>) -> Cancelled {
        let Some(provider) = self.provider(&order.provider) else { return Cancelled::Unknown };
        let mut scope = asked(ctx, "payments.cancel", provider.name());
        let is_unknown = |cancelled: &Cancelled| *cancelled == Cancelled::Unknown;
        let cancelling = self.again_while(is_unknown, || provider.cancel(&scope, order, provider_ref));
        let answer = self.within(cancelling).await.unwrap_or(Cancelled::Unknown);
        if answer == Cancelled::Unknown {
            scope.span().fail("unknown");
        }
        answer
    }

    pub(crate) async fn refund(&self, ctx: &Ctx, order: &RefundOrder) -> RefundOutcome {
        let answer = match self.provider(&order.provider) {
            Some(provider) => {
                let mut scope = asked(ctx, "payments.refund", provider.name());
                let answer = self.within(provider.refund(&scope, order)).await;
                if matches!(answer, None | Some(RefundOutcome::Unknown { .. })) {
                    scope.span().fail("unknown");
                }
                answer
            }
            None => None,
        };
        answer.unwrap_or_else(|| RefundOutcome::Unknown { detail: "no answer in time".to_owned() })
    }

    /// The answer, unless it does not come in time.
    async fn within<T>(&self, call: impl Future<Output = T> + Send) -> Option<T> {
        tokio::time::timeout(self.0.config.call_timeout(), call).await.ok()
    }

    /// Makes a call of which two do no more than one again while its answer says nothing.
    async fn again_while<T, F: Future<Output = T>>(
        &self,
        is_unknown: impl Fn(&T) -> bool,
        call: impl Fn() -> F,
    ) -> T {
        let ask = || async {
            let answer = call().await;
            if is_unknown(&answer) { Err(answer) } else { Ok(answer) }
        };
        self.0.retries.run(|_| true, ask).await.unwrap_or_else(|unknown| unknown)
    }

    /// Tells the watcher of what changed.
    pub(crate) async fn tell(&self, ctx: &Ctx, settled: &[Settled]) {
        let Some(watcher) = self.0.watcher.get() else { return };
        for payment in settled.iter().filter(|payment| payment.changed) {
            if let Some(purpose) = &payment.purpose {
                watcher.settled(ctx, payment.payment, purpose).await;
            }
        }
    }

    /// Settles in a transaction of its own and tells the watcher.
    pub(crate) async fn settle_and_tell(
        &self,
        ctx: &Ctx,
        settlements: &[crate::Settlement],
    ) -> Result<Vec<Settled>, DbError> {
        if settlements.is_empty() {
            return Ok(Vec::new());
        }
        let tx = self.db().begin(ctx).await?;
        let settled = crate::settle(&tx, settlements).await?;
        tx.commit().await?;
        self.tell(ctx, &settled).await;
        Ok(settled)
    }
}

/// A question to a provider, as part of what it is asked for.
fn asked<'a>(ctx: &'a Ctx, what: &'static str, provider: &'static str) -> Scope<'a> {
    let mut span = Span::child(ctx.caller.trace.as_ref(), Kind::Client, || what.into());
    span.set("markethall.payments.provider", provider);
    Scope::of(ctx, span)
}
