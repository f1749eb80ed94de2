//! What `/health` looks at: the control database, tenant databases, the relay.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use db::Db;
use edge::health::{Check, Finding, TenantCheck};
use kernel::{Ctx, Tenant};
use messages::Relay;
use resilience::{Breakers, State};

use crate::app::App;

/// Messages that are older than this and not delivered are late, as `markethall check` sees it.
const LATE_MS: i64 = 60_000;

/// Every check of the process.
#[must_use]
pub(crate) fn checks(app: &App) -> Vec<Box<dyn Check>> {
    vec![
        Box::new(ControlDatabase(app.db.clone())),
        Box::new(Pools(app.db.clone())),
        Box::new(Messages(app.relay.clone())),
        Box::new(BreakerStates(app.breakers.clone())),
    ]
}

/// The check of one tenant.
#[must_use]
pub(crate) fn tenant_check(app: &App) -> Box<dyn TenantCheck> {
    Box::new(TenantDatabase(app.clone()))
}

struct ControlDatabase(Db);

#[async_trait]
impl Check for ControlDatabase {
    fn name(&self) -> &'static str {
        "controlDatabase"
    }

    async fn check(&self) -> Finding {
        let asked = async {
            let tx = self.0.control().await?;
            tx.query_one("select 1", &[]).await?;
            tx.commit().await
        };
        match asked.await {
            Ok(()) => Finding::up(),
            Err(_) => Finding::down("does not answer"),
        }
    }
}

struct Pools(Db);

#[async_trait]
impl Check for Pools {
    fn name(&self) -> &'static str {
        "connectionPools"
    }

    fn is_critical(&self) -> bool {
        false
    }

    async fn check(&self) -> Finding {
        let full = self.0.pool_status().into_iter().filter(|(_, used, _, most)| used >= most);
        let names: Vec<String> = full.map(|(name, ..)| name).collect();
        if names.is_empty() {
            Finding::up()
        } else {
            Finding::degraded(format!("all connections in use: {}", names.join(", ")))
        }
    }
}

struct BreakerStates(Breakers);

#[async_trait]
impl Check for BreakerStates {
    fn name(&self) -> &'static str {
        "breakers"
    }

    fn is_critical(&self) -> bool {
        false
    }

    async fn check(&self) -> Finding {
        let states = self.0.states();
        let text = |(name, state): &(Arc<str>, State)| format!("{name} {}", state.as_str());
        let detail = states.iter().map(text).collect::<Vec<_>>().join(", ");
        match (states.is_empty(), states.iter().all(|(_, state)| *state == State::Closed)) {
            (true, _) => Finding::up(),
            (false, true) => Finding::up().detail(detail),
            (false, false) => Finding::degraded(detail),
        }
    }
}

struct Messages(Relay);

#[async_trait]
impl Check for Messages {
    fn name(&self) -> &'static str {
        "messages"
    }

    fn is_critical(&self) -> bool {
        false
    }

    async fn check(&self) -> Finding {
        let rows = self.0.status();
        let lost = rows.iter().filter(|row| !row.is_connected()).count();
        if lost > 0 {
            return Finding::degraded(format!("{lost} databases are not being relayed now"));
        }
        if let Some(trouble) = self.0.bus_status().trouble {
            return Finding::degraded(format!("messages wait in their outbox: {trouble}"));
        }
        let backlog: i64 = rows.iter().map(|row| row.unread + row.pending).sum();
        let oldest = rows.iter().map(|row| row.oldest_age_ms).max().unwrap_or_default();
        let dead: i64 = rows.iter().map(|row| row.dead_letters).sum();
        let detail = format!("{backlog} on their way, the oldest for {} s, {dead} given up", oldest / 1000);
        if oldest > LATE_MS { Finding::degraded(detail) } else { Finding::up().detail(detail) }
    }
}

struct TenantDatabase(App);

#[async_trait]
impl TenantCheck for TenantDatabase {
    async fn check(&self, tenant: &Arc<Tenant>) -> BTreeMap<String, Finding> {
        let ctx = Ctx::system(tenant.clone(), "health", self.0.clock.now());
        let asked = async {
            let tx = self.0.db.begin_read(&ctx).await?;
            tx.query_one("select 1", &[]).await?;
            tx.commit().await
        };
        let finding = match asked.await {
            Ok(()) => Finding::up(),
            Err(_) => Finding::down("does not answer"),
        };
        BTreeMap::from([("database".to_owned(), finding)])
    }
}
