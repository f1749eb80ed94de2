//! One of everything that a merchant can have, made through the API.

use serde_json::{Value, json};
use testkit::Client;

use super::{eur, tender, text};

/// A merchant's things by their ids. Every text in them carries `mark`, a word that nobody else uses.
#[derive(Debug, Clone)]
pub struct World {
    pub mark: String,
    pub product: String,
    pub sku: String,
    pub shop: String,
    pub other_shop: String,
    pub register: String,
    pub shift: String,
    pub sale: String,
    pub customer: String,
    pub address: String,
    pub reservation: String,
    pub api_key: String,
    pub staff: String,
    pub role: String,
    pub import: String,
    pub webhook: String,
    pub delivery: String,
    pub payment: String,
    pub checkout: String,
    pub order: String,
    pub web_sale: String,
}

async fn make(client: &Client, path: &str, body: Value) -> String {
    let made = client.post(path, body).await.is(201);
    let id = made.text("/id");
    if id.is_empty() { made.text("/name").to_owned() } else { id.to_owned() }
}

impl World {
    /// Furnishes the merchant that `admin` may do everything for.
    pub async fn make(admin: &Client, mark: &str) -> Self {
        let sku = format!("SKU-{mark}");
        let product = json!({
            "sku": sku, "name": format!("Wine of {mark}"), "price": eur(1200), "category": format!("Drinks/{mark}"),
            "description": format!("Grown by {mark}"), "barcode": "4006381333931"
        });
        let product = make(admin, "/products", product).await;
        let shop =
            json!({ "code": "S01", "name": format!("Shop {mark}"), "address": format!("{mark} Street 1") });
        let shop = make(admin, "/shops", shop).await;
        let other_shop =
            make(admin, "/shops", json!({ "code": "S02", "name": format!("Second {mark}") })).await;
        let code = json!({ "code": "R01", "name": format!("Till {mark}") });
        let register = make(admin, &format!("/shops/{shop}/registers"), code).await;
        let float = json!({ "openingFloat": eur(10_000) });
        let shift = make(admin, &format!("/registers/{register}/shifts"), float).await;
        let customer = json!({
            "reference": format!("REF-{mark}"), "name": format!("Ann {mark}"), "email": format!("ann@{mark}.example"),
            "phone": "+43 1 234567", "note": format!("Likes {mark}")
        });
        let customer = make(admin, "/customers", customer).await;
        let address = Self::add_personal_data(admin, &customer, mark).await;
        let units = json!({ "shopId": shop, "sku": sku, "quantity": "1000" });
        admin
            .put("/inventory/restock", json!({ "lines": [units], "note": format!("From {mark}") }))
            .await
            .is(200);
        let held = json!({
            "lines": [{ "shopId": shop, "sku": sku, "quantity": "1" }], "reference": format!("Cart {mark}")
        });
        let reservation = make(admin, "/inventory/reserve", held).await;
        let (role, api_key, staff) = Self::take_on(admin, mark).await;
        let csv = format!("sku,name,price\nCSV-{mark},Imported {mark},1.00\nBAD-{mark},Bad {mark},x\n");
        let upload = admin.api(http::Method::POST, "/imports/products").body("text/csv", csv);
        let import = upload.send().await.is(202).text("/id").to_owned();
        let (webhook, delivery) = Self::listen(admin, mark).await;
        let charge = json!({
            "provider": "test", "method": "card_confirm", "amount": eur(500), "reference": format!("Deposit {mark}")
        });
        let payment = make(admin, "/payments/charge", charge).await;
        let mut world = Self {
            mark: mark.to_owned(),
            product,
            sku,
            shop,
            other_shop,
            register,
            shift,
            sale: String::new(),
            customer,
            address,
            reservation,
            api_key,
            staff,
            role,
            import,
            webhook,
            delivery,
            payment,
            checkout: String::new(),
            order: String::new(),
            web_sale: String::new(),
        };
        world.sale = text(&world.sell(admin, "1").await, "/id");
        world.shop_on_the_web(admin).await;
        world
    }

    /// A webhook with a delivery that waits.
    async fn listen(admin: &Client, mark: &str) -> (String, String) {
        let hook = |active: bool| {
            let (url, description) = (format!("https://93.184.215.14/{mark}"), format!("ERP of {mark}"));
            json!({ "url": url, "description": description, "active": active })
        };
        let webhook = make(admin, "/webhooks", hook(true)).await;
        let test = admin.post(&format!("/webhooks/{webhook}/test"), json!({})).await.is(202);
        let delivery = test.text("/id").to_owned();
        // Switched off: no test goes on calling somebody outside.
        admin.put(&format!("/webhooks/{webhook}"), hook(false)).await.is(200);
        (webhook, delivery)
    }

    /// A role, an API key and somebody of the staff.
    async fn take_on(admin: &Client, mark: &str) -> (String, String, String) {
        let role = json!({
            "name": format!("role-{}", mark.to_lowercase()), "description": mark, "permissions": ["sales:read"]
        });
        let role = make(admin, "/roles", role).await;
        let key = json!({ "name": format!("Key {mark}"), "permissions": ["sales:read"] });
        let api_key = make(admin, "/api-keys", key).await;
        let staff = json!({
            "email": format!("clerk@{}.example", mark.to_lowercase()), "name": format!("Clerk {mark}"),
            "role": "cashier", "password": "correct horse battery"
        });
        let staff = make(admin, "/staff", staff).await;
        (role, api_key, staff)
    }

    /// What is kept about a customer besides the row; the id of an address.
    async fn add_personal_data(admin: &Client, customer: &str, mark: &str) -> String {
        let of = |path: &str| format!("/customers/{customer}/{path}");
        admin.post(&of("notes"), json!({ "text": format!("Noted by {mark}") })).await.is(201);
        let consent = json!({ "purpose": "profiling", "granted": true, "source": format!("Form of {mark}") });
        admin.post(&of("consents"), consent).await.is(201);
        admin.post(&of("loyalty"), json!({ "points": 7, "note": format!("Given by {mark}") })).await.is(201);
        let place = json!({
            "name": format!("Ann {mark}"), "lines": [format!("{mark} Lane 1")], "city": format!("{mark}ville"),
            "country": "AT"
        });
        make(admin, &of("addresses"), json!({ "label": mark, "address": place })).await
    }

    /// A paid order, and a cart of the customer.
    async fn shop_on_the_web(&mut self, admin: &Client) {
        let lines = json!({ "lines": [{ "sku": self.sku, "quantity": "1" }] });
        admin.put("/carts/me", lines.clone()).await.is(200);
        let pay = json!({
            "cart": "me", "payment": { "provider": "test", "method": "card_approved" }, "note": format!("For {}", self.mark)
        });
        let done = admin.api(http::Method::POST, "/checkout").json(&pay).header("prefer", "wait=30");
        let done = done.send().await.is(201);
        (self.checkout, self.order) = (done.text("/id").to_owned(), done.text("/orderId").to_owned());
        done.text("/saleId").clone_into(&mut self.web_sale);
        let cart = format!("/carts/{}", self.customer);
        admin.put(&cart, lines).await.is(200);
    }

    /// The body of a sale of the product.
    pub fn basket(&self, quantity: &str) -> Value {
        json!({
            "registerId": self.register, "customerId": self.customer,
            "lines": [{ "sku": self.sku, "quantity": quantity }], "tenders": [tender("cash", 100_000_000)]
        })
    }

    /// Sells some of the product.
    pub async fn sell(&self, client: &Client, quantity: &str) -> Value {
        client.post("/sales", self.basket(quantity)).await.is(201).json
    }

    /// Every id and text by which its things could be recognised.
    pub fn traces(&self) -> Vec<&str> {
        vec![
            &self.mark,
            &self.product,
            &self.sku,
            &self.shop,
            &self.other_shop,
            &self.register,
            &self.shift,
            &self.sale,
            &self.customer,
            &self.address,
            &self.reservation,
            &self.api_key,
            &self.staff,
            &self.role,
            &self.import,
            &self.webhook,
            &self.delivery,
            &self.payment,
            &self.checkout,
            &self.order,
            &self.web_sale,
        ]
    }
}
