//! The whole program with two merchants, and hooks that remember what they were called for.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use customers::{CustomerId, CustomerMerge, Customers, GuestId, GuestMerge, Hooks};
use db::{DbError, TenantTx};
use edge::Api;
use jiff::SignedDuration;
use kernel::Ctx;
use serde_json::{Value, json};
use testkit::{Answer, App, Client};

/// A password good enough for every account of every test.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// What hooks were called for, and whether the next call fails.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    pub(crate) calls: Mutex<Vec<(String, String)>>,
    pub(crate) fails: Mutex<bool>,
}

impl Remembered {
    fn call(&self, from: String, into: String) -> Result<(), DbError> {
        if std::mem::take(&mut *self.fails.lock().unwrap()) {
            return Err(DbError::Other("the test wants it".to_owned()));
        }
        self.calls.lock().unwrap().push((from, into));
        Ok(())
    }

    pub(crate) fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

struct Hook(Arc<Remembered>);

#[async_trait]
impl GuestMerge for Hook {
    async fn merge(&self, tx: &TenantTx, guest: GuestId, customer: CustomerId) -> Result<(), DbError> {
        tx.query("select 1", &[]).await?;
        self.0.call(guest.to_string(), customer.to_string())
    }
}

#[async_trait]
impl CustomerMerge for Hook {
    async fn merge(&self, tx: &TenantTx, from: CustomerId, into: CustomerId) -> Result<(), DbError> {
        tx.query("select 1", &[]).await?;
        self.0.call(from.to_string(), into.to_string())
    }
}

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) remembered: Arc<Remembered>,
    nobody: Client,
}

/// Somebody signed in.
pub(crate) struct Shopper {
    pub(crate) id: String,
    pub(crate) refresh: String,
    pub(crate) client: Client,
}

impl World {
    pub(crate) async fn open() -> Self {
        let app = App::start().await.unwrap();
        for slug in ["acme", "bolt"] {
            app.add_tenant(slug).await.unwrap();
        }
        let remembered = Arc::new(Remembered::default());
        let hooks = Hooks {
            guests: vec![Arc::new(Hook(remembered.clone()))],
            customers: vec![Arc::new(Hook(remembered.clone()))],
        };
        let customers = Customers::new(app.parts.db.clone(), app.parts.control.clone(), hooks);
        let api =
            Api::new(vec![customers::routes(customers), control::routes(app.parts.control.clone())]).unwrap();
        let nobody = Client::new(api.into_router(&app.parts.edge()));
        Self { app, remembered, nobody }
    }

    /// Somebody without a token who names the merchant.
    pub(crate) fn stranger(&self, slug: &str) -> Client {
        self.nobody.clone().with_tenant(slug)
    }

    /// Somebody of the merchant's staff.
    pub(crate) async fn staff(&self, slug: &str) -> Client {
        self.staff_with(slug, &["customers:read", "customers:write"]).await
    }

    /// Somebody of the merchant's staff who may do less.
    pub(crate) async fn staff_with(&self, slug: &str, permissions: &[&str]) -> Client {
        let tenant = self.app.tenant(slug).await.unwrap().id;
        let token = self.app.token(Some(tenant), permissions).await.unwrap();
        self.stranger(slug).with_token(&token)
    }

    pub(crate) async fn ctx(&self) -> Ctx {
        self.app.ctx("acme").await.unwrap()
    }

    pub(crate) async fn tx(&self) -> TenantTx {
        self.app.parts.db.begin(&self.ctx().await).await.unwrap()
    }

    pub(crate) fn later(&self, time: SignedDuration) {
        self.app.clock.advance_seconds(time.as_secs());
    }

    /// Somebody without an account: who they are, and the token that shows it.
    pub(crate) async fn guest(&self, slug: &str) -> (String, String) {
        let made = self.stranger(slug).api(http::Method::POST, "/customers/guest").send().await.is(200);
        (made.text("/guestId").to_owned(), made.text("/token").to_owned())
    }

    pub(crate) async fn register(&self, slug: &str, email: &str) -> Shopper {
        let body = json!({ "email": email, "password": PASSWORD, "name": "Ann Example" });
        self.shopper(slug, &self.stranger(slug).post("/customers/register", body).await.is(201))
    }

    /// Whoever an answer to a sign-in is about.
    pub(crate) fn shopper(&self, slug: &str, answer: &Answer) -> Shopper {
        Shopper {
            id: answer.text("/customerId").to_owned(),
            refresh: answer.text("/refreshToken").to_owned(),
            client: self.stranger(slug).with_token(answer.text("/token")),
        }
    }

    pub(crate) async fn sign_in(&self, slug: &str, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.stranger(slug).post("/customers/sign-in", body).await
    }

    /// A customer whom the staff has made.
    pub(crate) async fn customer(&self, name: &str) -> String {
        let staff = self.staff("acme").await;
        staff.post("/customers", json!({ "name": name })).await.is(201).text("/id").to_owned()
    }

    pub(crate) async fn holds(&self) {
        assert_eq!(customers::invariants(&self.tx().await).await.unwrap(), []);
    }

    /// The data of the messages of that type, oldest first.
    pub(crate) async fn published(&self, kind: &str) -> Vec<Value> {
        let client = self.app.databases.look().await.unwrap();
        let sql = "select data::text from messages.outbox where kind = $1 order by seq";
        let rows = client.query(sql, &[&kind]).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(row.get(0)).unwrap()).collect()
    }
}

/// An address that is fine.
pub(crate) fn address(street: &str) -> Value {
    json!({ "name": "Ann Example", "lines": [street], "city": "Vienna", "postalCode": "1010", "country": "AT" })
}
