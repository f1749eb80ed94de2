//! A merchant with a shop, two registers and some products, on databases of its own.

use std::sync::Arc;

use catalog::Catalog;
use db::{CombinerLimits, Migrations};
use inventory::{Inventory, InventoryConfig};
use kernel::{Tenant, TenantSettings, Violation};
use sales::Sales;
use serde_json::{Value, json};
use testkit::{Answer, Client, Site, TestDatabases};

/// SKU, price in cents, tax category, category.
pub const PRODUCTS: [(&str, i64, &str, &str); 5] = [
    ("WINE", 1200, "standard", "Drinks/Wine"),
    ("BREAD", 333, "reduced", "Food/Bread"),
    ("BOOK", 1000, "zero", "Books"),
    ("CHEESE", 2599, "reduced", "Food/Cheese"),
    ("PEN", 7, "standard", "Office"),
];
/// The permissions that the routes of the till ask for, and those around it.
pub const EVERYTHING: &[&str] = &["*"];

pub struct Market {
    pub site: Site,
    pub catalog: Catalog,
    pub tenant: Arc<Tenant>,
    pub clerk: Client,
    pub shop: String,
    pub register: String,
    pub second_register: String,
}

pub fn migrations() -> Migrations {
    Migrations::tenant([
        messages::MIGRATIONS,
        edge::idempotency::MIGRATIONS,
        catalog::MIGRATIONS,
        customers::MIGRATIONS,
        inventory::MIGRATIONS,
        sales::MIGRATIONS,
    ])
}

pub fn eur(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

pub fn tender(method: &str, amount: i64) -> Value {
    json!({ "method": method, "amount": eur(amount) })
}

/// A whole number at a JSON pointer.
#[track_caller]
pub fn number(value: &Value, pointer: &str) -> i64 {
    value
        .pointer(pointer)
        .and_then(Value::as_i64)
        .unwrap_or_else(|| panic!("no number at {pointer} in {value}"))
}

/// A text at a JSON pointer.
#[track_caller]
pub fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer} in {value}")).to_owned()
}

impl Market {
    pub async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// A merchant who trades by other rules.
    pub async fn open_with(adjust: impl FnOnce(&mut TenantSettings)) -> Self {
        let databases = TestDatabases::create(&migrations(), &Migrations::control([])).await.unwrap();
        let mut kept = None;
        let site = Site::new(databases, |db, _| {
            let catalog = Catalog::new(db.clone(), std::env::temp_dir());
            kept = Some(catalog.clone());
            let limits = CombinerLimits::default();
            vec![
                catalog::routes(catalog.clone()),
                inventory::routes(Inventory::new(db.clone(), InventoryConfig::default())),
                sales::routes(Sales::new(db.clone(), catalog, limits)),
            ]
        });
        let site = site.unwrap();
        let mut tenant = site.databases.tenant("acme").as_ref().clone();
        adjust(&mut tenant.settings);
        let tenant = site.put_tenant(tenant);
        let clerk = site.member("acme", EVERYTHING);
        let catalog = kept.unwrap();
        let blank = String::new;
        let mut market =
            Self { site, catalog, tenant, clerk, shop: blank(), register: blank(), second_register: blank() };
        market.furnish().await;
        market
    }

    async fn furnish(&mut self) {
        let tx = self.site.db.begin(&self.site.ctx(&self.tenant)).await.unwrap();
        catalog::seed_tax_rates(&tx).await.unwrap();
        tx.commit().await.unwrap();
        for (sku, price, tax, category) in PRODUCTS {
            self.add_product(sku, price, tax, category).await;
        }
        self.shop = self.add_shop("S01").await;
        self.register = self.add_register(&self.shop, "R01").await;
        self.second_register = self.add_register(&self.shop, "R02").await;
    }

    pub async fn add_product(&self, sku: &str, price: i64, tax: &str, category: &str) -> String {
        let body = json!({
            "sku": sku, "name": format!("The {sku}"), "price": eur(price), "taxCategory": tax, "category": category
        });
        self.clerk.post("/products", body).await.is(201).text("/id").to_owned()
    }

    pub async fn add_shop(&self, code: &str) -> String {
        let body = json!({ "code": code, "name": format!("Shop {code}") });
        self.clerk.post("/shops", body).await.is(201).text("/id").to_owned()
    }

    pub async fn add_register(&self, shop: &str, code: &str) -> String {
        let made = self.clerk.post(&format!("/shops/{shop}/registers"), json!({ "code": code })).await;
        made.is(201).text("/id").to_owned()
    }

    pub async fn add_customer(&self, name: &str) -> String {
        let tx = self.site.db.begin(&self.site.ctx(&self.tenant)).await.unwrap();
        let made = customers::ensure_customers(&tx, &[name]).await.unwrap()[name];
        tx.commit().await.unwrap();
        made.to_string()
    }

    /// Other rules from now on.
    pub fn change_settings(&mut self, adjust: impl FnOnce(&mut TenantSettings)) {
        let mut tenant = self.tenant.as_ref().clone();
        adjust(&mut tenant.settings);
        self.tenant = self.site.put_tenant(tenant);
    }

    pub async fn restock(&self, sku: &str, units: i64) {
        let line = json!({ "shopId": self.shop, "sku": sku, "quantity": units.to_string() });
        self.clerk.put("/inventory/restock", json!({ "lines": [line] })).await.is(200);
    }

    /// Units of a SKU in the shop, as the shelf says.
    pub async fn on_hand(&self, sku: &str) -> String {
        let found = self.clerk.get(&format!("/inventory/sku/{sku}")).await.is(200);
        let of_shop =
            found.json["items"].as_array().unwrap().iter().find(|item| item["shopId"] == self.shop.as_str());
        of_shop.map_or("none".to_owned(), |item| text(item, "/onHand"))
    }

    /// The body of a sale at the first register; lines are (SKU, quantity).
    pub fn basket(&self, lines: &[(&str, &str)], tenders: &[Value]) -> Value {
        let lines: Vec<Value> =
            lines.iter().map(|(sku, quantity)| json!({ "sku": sku, "quantity": quantity })).collect();
        json!({ "registerId": self.register, "lines": lines, "tenders": tenders })
    }

    /// Sells for more cash than is due.
    pub async fn sell(&self, lines: &[(&str, &str)]) -> Value {
        self.sell_for(lines, &[tender("cash", 1_000_000)]).await
    }

    /// Sells for these tenders.
    pub async fn sell_for(&self, lines: &[(&str, &str)], tenders: &[Value]) -> Value {
        self.send(self.basket(lines, tenders)).await.is(201).json
    }

    /// Sends a sale.
    pub async fn send(&self, body: Value) -> Answer {
        self.clerk.post("/sales", body).await
    }

    pub async fn void(&self, sale: &Value) -> Answer {
        self.clerk
            .post(&format!("/sales/{}/void", text(sale, "/id")), json!({ "reason": "wrong item" }))
            .await
    }

    /// Refunds (line, quantity).
    pub async fn refund(&self, sale: &Value, lines: &[(i64, &str)]) -> Answer {
        let lines: Vec<Value> =
            lines.iter().map(|(line, quantity)| json!({ "line": line, "quantity": quantity })).collect();
        self.refund_with(sale, json!({ "reason": "did not like it", "lines": lines })).await
    }

    pub async fn refund_with(&self, sale: &Value, body: Value) -> Answer {
        self.clerk.post(&format!("/sales/{}/refund", text(sale, "/id")), body).await
    }

    /// The sale as it stands now.
    pub async fn look(&self, sale: &Value) -> Value {
        self.clerk.get(&format!("/sales/{}", text(sale, "/id"))).await.is(200).json
    }

    pub async fn open_shift(&self, register: &str, float: i64) -> String {
        let body = json!({ "openingFloat": eur(float) });
        let opened = self.clerk.post(&format!("/registers/{register}/shifts"), body).await.is(201);
        opened.text("/id").to_owned()
    }

    pub async fn close_shift(&self, shift: &str, counted: i64) -> Answer {
        self.clerk.post(&format!("/shifts/{shift}/close"), json!({ "countedCash": eur(counted) })).await
    }

    /// How many rows of a table are this merchant's, seen by the superuser.
    pub async fn count(&self, table: &str) -> i64 {
        let client = self.site.databases.look().await.unwrap();
        let sql = format!("select count(*) from {table} where tenant_id = $1");
        client.query_one(&sql, &[&self.tenant.id]).await.unwrap().get(0)
    }

    /// Everything that a refused request must not change.
    pub async fn footprint(&self) -> Vec<i64> {
        let mut counts = Vec::new();
        for table in [
            "sales.sale",
            "sales.sale_line",
            "sales.shift",
            "sales.cash_movement",
            "inventory.movement",
            "messages.outbox",
            "edge.idempotency",
        ] {
            counts.push(self.count(table).await);
        }
        let client = self.site.databases.look().await.unwrap();
        let sql =
            "select coalesce(sum(last_number), 0)::bigint from sales.receipt_counter where tenant_id = $1";
        counts.push(client.query_one(sql, &[&self.tenant.id]).await.unwrap().get(0));
        counts
    }

    /// What the books say about themselves: nothing, when all is well.
    pub async fn violations(&self) -> Vec<Violation> {
        let tx = self.site.db.begin_read(&self.site.ctx(&self.tenant)).await.unwrap();
        let mut found = sales::invariants(&tx).await.unwrap();
        found.extend(inventory::invariants(&tx).await.unwrap());
        let mut sold = sales::sold_units(&tx).await.unwrap();
        let mut moved = inventory::sold_movements(&tx).await.unwrap();
        sold.sort();
        moved.sort();
        moved.retain(|(_, _, units)| *units != 0);
        assert_eq!(sold, moved, "goods sold and goods moved");
        found
    }
}
