//! A merchant who takes money, on databases of its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use control::MasterKey;
use db::{Db, Migrations, TenantTx};
use edge::{Registry, RegistryError};
use kernel::{Ctx, Currency, Money, Tenant, TenantId, Timestamp};
use payments::{
    ChargeOrder, NewPayment, Outcome, Parts, Payment, PaymentId, Payments, PaymentsConfig, Settled,
    Settlement, SettlementWatcher, Source,
};
use testkit::TestDatabases;

pub(crate) fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

pub(crate) fn migrations() -> Migrations {
    Migrations::tenant([messages::MIGRATIONS, edge::idempotency::MIGRATIONS, payments::MIGRATIONS])
}

pub(crate) fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

/// Quick to give up on a provider, so that tests of silence do not last.
pub(crate) fn impatient() -> PaymentsConfig {
    PaymentsConfig { call_timeout_ms: 300, ..PaymentsConfig::default() }
}

/// Providers at these addresses; an empty one is not there.
pub(crate) fn providers_at(stripe: &str, paypal: &str) -> PaymentsConfig {
    let mut config = PaymentsConfig { call_timeout_ms: 2000, ..PaymentsConfig::default() };
    stripe.clone_into(&mut config.stripe.base_url);
    paypal.clone_into(&mut config.paypal.base_url);
    config
}

pub(crate) fn master_key() -> MasterKey {
    MasterKey::new(&[7; 32]).unwrap()
}

/// Merchants by name.
#[derive(Default)]
pub(crate) struct Market(pub(crate) Mutex<BTreeMap<String, Arc<Tenant>>>);

#[async_trait]
impl Registry for Market {
    async fn find_tenant(&self, slug: &str) -> Result<Option<Arc<Tenant>>, RegistryError> {
        Ok(self.0.lock().unwrap().get(slug).cloned())
    }

    async fn find_tenant_by_id(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, RegistryError> {
        Ok(self.0.lock().unwrap().values().find(|tenant| tenant.id == id).cloned())
    }

    async fn knows_origin(&self, _: &str) -> Result<bool, RegistryError> {
        Ok(false)
    }
}

/// Writes down what it is told.
#[derive(Default)]
pub(crate) struct Diary(pub(crate) Mutex<Vec<(PaymentId, String)>>);

#[async_trait]
impl SettlementWatcher for Diary {
    async fn settled(&self, _: &Ctx, payment: PaymentId, purpose: &str) {
        self.0.lock().unwrap().push((payment, purpose.to_owned()));
    }
}

pub(crate) struct Fixture {
    pub(crate) databases: Arc<TestDatabases>,
    pub(crate) db: Db,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) payments: Payments,
    pub(crate) diary: Arc<Diary>,
    pub(crate) now: Timestamp,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(impatient()).await
    }

    pub(crate) async fn with(config: PaymentsConfig) -> Self {
        let databases = TestDatabases::create(&migrations(), &Migrations::control([])).await.unwrap();
        let db = databases.db().unwrap();
        let parts = Parts { db: db.clone(), master_key: master_key(), tenants: Arc::new(Market::default()) };
        let payments = Payments::new(config, parts);
        let diary = Arc::new(Diary::default());
        payments.watch(diary.clone());
        let tenant = databases.tenant("acme");
        Self { databases: Arc::new(databases), db, tenant, payments, diary, now: start() }
    }

    fn copy(&self, tenant: Arc<Tenant>, now: Timestamp) -> Self {
        Self {
            databases: self.databases.clone(),
            db: self.db.clone(),
            tenant,
            payments: self.payments.clone(),
            diary: self.diary.clone(),
            now,
        }
    }

    /// Another merchant in the same database.
    pub(crate) fn neighbour(&self, slug: &str) -> Self {
        self.copy(self.databases.tenant(slug), self.now)
    }

    pub(crate) fn later(&self, seconds: i64) -> Self {
        self.copy(self.tenant.clone(), self.now + jiff::SignedDuration::from_secs(seconds))
    }

    pub(crate) fn ctx(&self) -> Ctx {
        self.databases.ctx(&self.tenant, self.now)
    }

    pub(crate) async fn begin(&self) -> TenantTx {
        self.db.begin(&self.ctx()).await.unwrap()
    }

    /// Opens a payment of 10.00 by `method` for the checkout `chk_1`.
    pub(crate) async fn open(&self, method: &str) -> ChargeOrder {
        self.open_with("test", method).await
    }

    pub(crate) async fn open_with(&self, provider: &str, method: &str) -> ChargeOrder {
        let order = ChargeOrder {
            payment: PaymentId::new(),
            provider: provider.to_owned(),
            method: method.to_owned(),
            amount: eur(1000),
        };
        let tx = self.begin().await;
        payments::open_payment(&tx, new_payment(&order)).await.unwrap();
        tx.commit().await.unwrap();
        order
    }

    pub(crate) async fn charge(&self, order: &ChargeOrder) -> Outcome {
        self.payments.charge(&self.ctx(), order).await
    }

    pub(crate) async fn settle(&self, payment: PaymentId, outcome: Outcome) -> Settled {
        let tx = self.begin().await;
        let settlement = Settlement { payment, outcome, source: Source::Checkout };
        let settled = payments::settle(&tx, &[settlement]).await.unwrap().remove(0);
        tx.commit().await.unwrap();
        settled
    }

    /// Opens, charges and settles.
    pub(crate) async fn pay(&self, method: &str) -> Settled {
        let order = self.open(method).await;
        let outcome = self.charge(&order).await;
        self.settle(order.payment, outcome).await
    }

    pub(crate) async fn payment(&self, id: PaymentId) -> Payment {
        let tx = self.begin().await;
        payments::find_payment(&tx, id).await.unwrap().unwrap()
    }

    pub(crate) async fn invariants(&self) -> Vec<kernel::Violation> {
        let tx = self.begin().await;
        payments::invariants(&tx).await.unwrap()
    }

    /// How many messages of that type this merchant has published.
    pub(crate) async fn published(&self, kind: &str) -> i64 {
        let client = self.databases.look().await.unwrap();
        let sql = "select count(*) from messages.outbox where tenant_id = $1 and kind = $2";
        client.query_one(sql, &[&self.tenant.id, &kind]).await.unwrap().get(0)
    }

    /// What the test provider has taken from this merchant's payers, less what it gave back.
    pub(crate) async fn ledger_total(&self) -> i64 {
        let client = self.databases.look().await.unwrap();
        let sql = "select coalesce(sum(amount - refunded), 0)::bigint from payments.test_charge
                   where tenant_id = $1 and state = 'charged'";
        client.query_one(sql, &[&self.tenant.id]).await.unwrap().get(0)
    }

    pub(crate) fn told(&self) -> Vec<(PaymentId, String)> {
        std::mem::take(&mut *self.diary.0.lock().unwrap())
    }
}

pub(crate) fn new_payment(order: &ChargeOrder) -> NewPayment {
    NewPayment {
        id: order.payment,
        provider: order.provider.clone(),
        method: order.method.clone(),
        amount: order.amount,
        purpose: Some("chk_1".to_owned()),
        owner: Some("cus_1".to_owned()),
    }
}
