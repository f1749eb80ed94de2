//! A merchant who sells on the web, and shoppers.

use std::{collections::HashMap, sync::Arc};

use checkout::Faults;
use http::Method;
use serde_json::{Value, json};
use server::config::Config;
use testkit::{Answer, App, Client};

use super::{text, violations};

/// `acme` with a web shop, priced in EUR.
pub struct WebShop {
    /// The program.
    pub app: App,
    /// Somebody of the merchant who may do everything.
    pub staff: Client,
    /// The web shop.
    pub shop: String,
}

impl WebShop {
    /// A web shop with 1,000 of each of `PEN` (2.40) and `INK` (12.00), and 50 of `LAST` (5.00).
    pub async fn open() -> Self {
        Self::open_with(|_| {}, Arc::new(())).await
    }

    /// The same with another configuration, and a checkout that breaks.
    pub async fn open_with(configure: impl FnOnce(&mut Config), faults: Arc<dyn Faults>) -> Self {
        let short = |config: &mut Config| {
            config.payments.call_timeout_ms = 1000;
            configure(config);
        };
        let app = App::start_with_faults(short, faults).await.unwrap();
        app.add_tenant("acme").await.unwrap();
        let staff = app.member("acme", &["*"]).await.unwrap();
        let shop = staff.post("/shops", json!({ "code": "W01", "name": "Web", "kind": "web" })).await.is(201);
        let shop = shop.text("/id").to_owned();
        for (sku, price) in [("PEN", 240), ("INK", 1200), ("LAST", 500)] {
            let body = json!({ "sku": sku, "name": sku, "price": { "amount": price, "currency": "EUR" } });
            staff.post("/products", body).await.is(201);
        }
        let web = Self { app, staff, shop };
        web.restock(&[("PEN", 1000), ("INK", 1000), ("LAST", 50)]).await;
        web
    }

    /// Puts units on the shelf.
    pub async fn restock(&self, units: &[(&str, i64)]) {
        let line = |(sku, units): &(&str, i64)| json!({ "shopId": self.shop, "sku": sku, "quantity": units.to_string() });
        let lines: Vec<Value> = units.iter().map(line).collect();
        self.staff.put("/inventory/restock", json!({ "lines": lines })).await.is(200);
    }

    /// A guest whose cart holds `units` of SKUs.
    pub async fn guest(&self, units: &[(&str, &str)]) -> Client {
        let guest = self.app.guest("acme").await.unwrap();
        fill(&guest, units).await;
        guest
    }

    /// On hand and reserved.
    pub async fn stock(&self, sku: &str) -> (String, String) {
        let found = self.staff.get(&format!("/inventory/sku/{sku}")).await.is(200);
        (found.text("/items/0/onHand").to_owned(), found.text("/items/0/reserved").to_owned())
    }

    /// How many orders, charges, refunds and open holds there are.
    pub async fn counts(&self) -> HashMap<&'static str, i64> {
        let client = self.app.databases.look().await.unwrap();
        let mut counts = HashMap::new();
        for (name, sql) in [
            ("orders", "select count(*) from orders.customer_order where status = 'paid'"),
            ("sales", "select count(*) from sales.sale where kind = 'sale'"),
            ("charges", "select count(*) from payments.test_charge where state = 'charged'"),
            ("back", "select count(*) from payments.test_refund"),
            ("holds", "select count(*) from inventory.reservation where state = 'open'"),
            ("running", "select count(*) from checkout.checkout where state = 'running'"),
            ("carts", "select count(*) from cart.cart where jsonb_array_length(lines) > 0"),
        ] {
            counts.insert(name, client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0));
        }
        counts
    }

    /// Proves the books and ends.
    pub async fn end(self) {
        assert_eq!(violations(&self.app, &["acme"]).await, []);
        self.app.stop().await;
    }
}

/// Puts units of SKUs into the caller's cart.
pub async fn fill(client: &Client, units: &[(&str, &str)]) {
    let line = |(sku, quantity): &(&str, &str)| json!({ "sku": sku, "quantity": quantity });
    let lines: Vec<Value> = units.iter().map(line).collect();
    client.put("/carts/me", json!({ "lines": lines })).await.is(200);
}

/// A checkout of the caller's cart, waited for.
pub async fn check_out(client: &Client, method: &str) -> Answer {
    check_out_with(client, method, &uuid::Uuid::now_v7().to_string()).await
}

/// The same under a key.
pub async fn check_out_with(client: &Client, method: &str, key: &str) -> Answer {
    let body = json!({ "cart": "me", "payment": { "provider": "test", "method": method } });
    let call = client.api(Method::POST, "/checkout").json(&body).key(key).header("prefer", "wait=30");
    call.send().await
}

/// Names and states of the steps.
pub fn steps(checkout: &Value) -> Vec<(String, String)> {
    let steps = checkout["steps"].as_array().unwrap();
    steps.iter().map(|step| (text(step, "/name"), text(step, "/state"))).collect()
}
