//! Two merchants, the routes of webhooks, a relay, and a sender that sends when the test says so.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use control::MasterKey;
use db::{Db, Migrations};
use kernel::{Clock, Ctx, Placement, Tenant, TenantId};
use messages::{Draft, LookupError, MessageType, Relay, RelayConfig, TenantLookup, publish};
use serde::Serialize;
use serde_json::{Value, json};
use testkit::{Client, Site, TestDatabases};
use utoipa::ToSchema;
use webhooks::{Parts, Webhooks, WebhooksConfig};

use crate::receiver::{Heard, Receiver};

/// The data of every message in these tests.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Thing {
    n: i64,
}

static TYPES: [MessageType; 3] = [
    MessageType::of::<Thing>("ThingMade", "A thing was made."),
    MessageType::of::<Thing>("ThingBroken", "A thing was broken."),
    webhooks::events::WEBHOOK_DISABLED,
];
static TYPE_NAMES: [&str; 3] = ["ThingMade", "ThingBroken", "WebhookDisabled"];

#[derive(Default)]
pub(crate) struct Lookup(Mutex<HashMap<TenantId, Arc<Tenant>>>);

impl Lookup {
    fn all(&self) -> Vec<Arc<Tenant>> {
        let mut tenants: Vec<_> = self.0.lock().unwrap().values().cloned().collect();
        tenants.sort_by_key(|tenant| tenant.id);
        tenants
    }
}

#[async_trait]
impl TenantLookup for Lookup {
    async fn find_tenant(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, LookupError> {
        Ok(self.0.lock().unwrap().get(&id).cloned())
    }

    async fn list_databases(&self) -> Result<Vec<Placement>, LookupError> {
        let mut placements: Vec<_> = self.all().iter().map(|tenant| tenant.placement.clone()).collect();
        placements.dedup();
        Ok(placements)
    }

    async fn list_tenants(
        &self,
        after: Option<TenantId>,
        limit: usize,
    ) -> Result<Vec<Arc<Tenant>>, LookupError> {
        let behind = |tenant: &Arc<Tenant>| after.is_none_or(|after| tenant.id > after);
        Ok(self.all().into_iter().filter(behind).take(limit).collect())
    }
}

pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) webhooks: Webhooks,
    pub(crate) relay: Relay,
    pub(crate) lookup: Arc<Lookup>,
    pub(crate) receiver: Receiver,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) clerk: Client,
}

/// Calls anybody.
pub(crate) fn open() -> WebhooksConfig {
    WebhooksConfig { allow_private_networks: true, allow_http: true, ..WebhooksConfig::default() }
}

/// Calls anybody, and gives up soon.
pub(crate) fn hasty() -> WebhooksConfig {
    WebhooksConfig { timeout_ms: 1_500, ..open() }
}

pub(crate) fn sender(db: &Db, clock: &Clock, lookup: &Arc<Lookup>, config: WebhooksConfig) -> Webhooks {
    let parts = Parts {
        db: db.clone(),
        lookup: lookup.clone(),
        clock: clock.clone(),
        master_key: MasterKey::new(&[42; 32]).unwrap(),
        types: &TYPES,
        type_names: &TYPE_NAMES,
    };
    Webhooks::new(parts, config).unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(open()).await
    }

    pub(crate) async fn with(config: WebhooksConfig) -> Self {
        let tenant =
            Migrations::tenant([messages::MIGRATIONS, edge::idempotency::MIGRATIONS, webhooks::MIGRATIONS]);
        let databases = TestDatabases::create(&tenant, &Migrations::control([])).await.unwrap();
        let lookup = Arc::new(Lookup::default());
        let mut made = None;
        let site = Site::new(databases, |db, clock| {
            let webhooks = sender(db, clock, &lookup, config);
            made = Some(webhooks.clone());
            vec![webhooks::routes(webhooks)]
        })
        .unwrap();
        let webhooks = made.unwrap();
        // Whoever verifies a signature looks at the clock of the machine.
        site.clock.advance_seconds(Clock::system().now().as_second() - site.clock.now().as_second());
        let consumers = vec![webhooks.consumer()];
        let config = RelayConfig::default();
        let relay = Relay::new(site.db.clone(), lookup.clone(), site.clock.clone(), consumers, config);
        let tenant = site.add_tenant("acme");
        lookup.0.lock().unwrap().insert(tenant.id, tenant.clone());
        let clerk = site.member("acme", &["webhooks:*"]);
        let receiver = Receiver::open().await;
        Self { site, webhooks, relay: relay.unwrap(), lookup, receiver, tenant, clerk }
    }

    pub(crate) fn add_tenant(&self, slug: &str) -> (Arc<Tenant>, Client) {
        let tenant = self.site.add_tenant(slug);
        self.lookup.0.lock().unwrap().insert(tenant.id, tenant.clone());
        (tenant, self.site.member(slug, &["webhooks:*"]))
    }

    pub(crate) fn ctx(&self) -> Ctx {
        self.site.ctx(&self.tenant)
    }

    /// Makes a webhook to the receiver; its id and secret.
    pub(crate) async fn hook(&self, types: &[&str]) -> (String, String) {
        let body = json!({ "url": self.receiver.url(), "types": types });
        let made = self.clerk.post("/webhooks", body).await.is(201);
        (made.text("/id").to_owned(), made.text("/secret").to_owned())
    }

    pub(crate) async fn publish(&self, kind: &'static str, subject: &str, n: i64) {
        self.publish_as(&self.tenant, kind, subject, n).await;
    }

    pub(crate) async fn publish_as(&self, tenant: &Arc<Tenant>, kind: &'static str, subject: &str, n: i64) {
        let tx = self.site.db.begin(&self.site.ctx(tenant)).await.unwrap();
        publish(&tx, &[Draft::new(kind, subject, &Thing { n })]).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Carries messages and sends what is due; what the receiver heard of it.
    pub(crate) async fn drain(&self) -> Vec<Heard> {
        self.relay.drain().await.unwrap();
        self.webhooks.drain().await.unwrap();
        self.receiver.take()
    }

    /// [`World::drain`], so many seconds later.
    pub(crate) async fn drain_after(&self, seconds: i64) -> Vec<Heard> {
        self.site.clock.advance_seconds(seconds);
        self.drain().await
    }

    /// A webhook's log, latest first.
    pub(crate) async fn log(&self, webhook: &str) -> Vec<Value> {
        let page = self.clerk.get(&format!("/webhooks/{webhook}/deliveries?limit=200")).await.is(200);
        page.json["items"].as_array().unwrap().clone()
    }

    /// Seconds until the next attempt of the latest delivery.
    pub(crate) async fn next_in(&self, webhook: &str) -> Option<i64> {
        let latest = self.log(webhook).await.into_iter().next()?;
        let next: jiff::Timestamp = latest["nextAttemptAt"].as_str()?.parse().unwrap();
        Some(next.as_second() - self.site.clock.now().as_second())
    }

    pub(crate) async fn get(&self, webhook: &str) -> Value {
        self.clerk.get(&format!("/webhooks/{webhook}")).await.is(200).json
    }

    pub(crate) async fn check(&self) {
        let tx = self.site.db.begin_read(&self.ctx()).await.unwrap();
        assert_eq!(webhooks::invariants(&tx).await.unwrap(), []);
        assert_eq!(messages::invariants(&tx).await.unwrap(), []);
    }
}
