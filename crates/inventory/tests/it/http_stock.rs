//! Shops and stock through the gate.

use inventory::{Inventory, InventoryConfig, ShopId};
use serde_json::{Value, json};
use testkit::{Client, Site, TestDatabases};

use crate::fixture::{BREAD, MILK, create_products, migrations};

/// Somebody who may do everything at a merchant with two shops.
pub(crate) struct Counter {
    pub(crate) site: Site,
    pub(crate) clerk: Client,
    pub(crate) shops: [String; 2],
}

impl Counter {
    pub(crate) async fn open() -> Self {
        let databases = TestDatabases::create(&migrations(), &db::Migrations::control([])).await.unwrap();
        let site = Site::new(databases, |db, _| {
            vec![inventory::routes(Inventory::new(db.clone(), InventoryConfig::default()))]
        })
        .unwrap();
        let tenant = site.add_tenant("acme");
        create_products(&site.db, &site.ctx(&tenant)).await;
        let clerk = site.member("acme", &["shops:*", "inventory:*"]);
        let mut shops = Vec::new();
        for name in ["High Street", "Web"] {
            shops.push(clerk.post("/shops", json!({ "name": name })).await.is(201).text("/id").to_owned());
        }
        let shops = [shops[0].clone(), shops[1].clone()];
        Self { site, clerk, shops }
    }

    pub(crate) fn line(&self, shop: usize, sku: &str, quantity: &str) -> Value {
        json!({ "shopId": self.shops[shop], "sku": sku, "quantity": quantity })
    }

    pub(crate) async fn restock(&self, sku: &str, quantity: &str) {
        let body = json!({ "lines": [self.line(0, sku, quantity)] });
        self.clerk.put("/inventory/restock", body).await.is(200);
    }
}

// INV-1, HTTP-7
#[tokio::test]
async fn shops_are_opened_read_changed_and_listed() {
    let counter = Counter::open().await;
    let clerk = &counter.clerk;
    let body = json!({ "code": "WEB", "name": "Web shop", "kind": "web" });
    let opened = clerk.post("/shops", body.clone()).await.is(201);
    let path = format!("/shops/{}", opened.text("/id"));
    assert_eq!(opened.header("location"), format!("/api/v1{path}"));
    assert_eq!((opened.text("/code"), opened.text("/kind")), ("WEB", "web"));
    clerk.post("/shops", body).await.is_problem(409, "SHOP_CODE_TAKEN");
    let read = clerk.get(&path).await.is(200);
    assert_eq!(read.header("etag"), "\"1\"");
    let change = json!({ "name": "Shop", "kind": "web", "address": "2 Low Street", "active": false });
    let put = |etag: &str| clerk.api(http::Method::PUT, &path).header("if-match", etag).json(&change).send();
    assert_eq!(put("\"1\"").await.is(200).text("/address"), "2 Low Street");
    put("\"1\"").await.is_problem(412, "PRECONDITION_FAILED");
    let listed = clerk.get("/shops?limit=2").await.is(200);
    let codes = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items.iter().map(|shop| shop["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(codes(&listed.json), ["S01", "S02"]);
    let next = clerk.get(&format!("/shops?cursor={}", listed.text("/nextCursor"))).await.is(200);
    assert_eq!((codes(&next.json), next.json["nextCursor"].clone()), (vec!["WEB".to_owned()], Value::Null));
    clerk.get(&format!("/shops/{}", ShopId::new())).await.is_problem(404, "SHOP_NOT_FOUND");
}

// INV-1
#[tokio::test]
async fn stock_is_restocked_adjusted_sent_counted_and_seen_per_shop_and_in_the_book() {
    let counter = Counter::open().await;
    let clerk = &counter.clerk;
    counter.restock(BREAD, "10.5").await;
    let adjustment = json!({ "reason": "damaged", "lines": [counter.line(0, BREAD, "-0.5")], "note": "wet" });
    clerk.post("/inventory/adjustments", adjustment).await.is(200);
    let transfer = json!({
        "fromShopId": counter.shops[0], "toShopId": counter.shops[1],
        "lines": [{ "sku": BREAD, "quantity": "4" }]
    });
    let sent = clerk.post("/inventory/transfers", transfer).await.is(200);
    let count = json!({ "lines": [{ "shopId": counter.shops[1], "sku": BREAD, "onHand": "3" }] });
    clerk.post("/inventory/counts", count).await.is(200);
    let threshold = json!({ "lines": [{ "shopId": counter.shops[1], "sku": BREAD, "threshold": "3" }] });
    let low = clerk.put("/inventory/thresholds", threshold).await.is(200);
    assert_eq!(low.json["levels"][0]["low"], true);
    let stock = clerk.get("/inventory/sku/BREAD").await.is(200);
    let row = |index: usize, name: &str| stock.json["items"][index][name].clone();
    assert_eq!((row(0, "shopCode"), row(0, "available")), (json!("S01"), json!("6")));
    assert_eq!(
        (row(1, "shopName"), row(1, "onHand"), row(1, "threshold")),
        (json!("Web"), json!("3"), json!("3"))
    );
    let book = clerk.get("/inventory/movements?sku=BREAD").await.is(200);
    assert_eq!(book.json["items"].as_array().unwrap().len(), 5);
    let transfers = clerk.get("/inventory/movements?reason=transfer_out&limit=1").await.is(200);
    assert_eq!(transfers.text("/items/0/reference"), sent.text("/id"));
    let at_web = clerk.get(&format!("/inventory/movements?shop={}", counter.shops[1])).await.is(200);
    assert_eq!(at_web.json["items"].as_array().unwrap().len(), 2);
    let early = clerk.get("/inventory/movements?to=2026-11-21T09:59:59Z").await.is(200);
    assert_eq!(early.json["items"], json!([]));
}

// INV-1, HTTP-2
#[tokio::test]
async fn refusals_name_the_line_and_say_how_much_is_left() {
    let counter = Counter::open().await;
    let clerk = &counter.clerk;
    counter.restock(BREAD, "2").await;
    let lines = [counter.line(0, BREAD, "-1"), counter.line(0, BREAD, "-2")];
    let body = json!({ "reason": "lost", "lines": lines });
    let refused = clerk.post("/inventory/adjustments", body).await.is_problem(409, "OUT_OF_STOCK");
    assert_eq!(refused.text("/errors/0/pointer"), "/lines/0/quantity");
    assert_eq!(refused.text("/shortages/1/available"), "2");
    let unknown = json!({ "lines": [counter.line(0, BREAD, "1"), counter.line(0, "NO-SUCH", "1")] });
    let refused = clerk.put("/inventory/restock", unknown).await.is_problem(422, "UNKNOWN_SKU");
    assert_eq!(refused.text("/errors/0/pointer"), "/lines/1/sku");
    let nowhere = json!({
        "fromShopId": counter.shops[0], "toShopId": ShopId::new(), "lines": [{ "sku": "NO-SUCH", "quantity": "1" }]
    });
    let refused = clerk.post("/inventory/transfers", nowhere).await.is_problem(422, "UNKNOWN_SHOP");
    let pointers: Vec<&str> = refused.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|error| error["pointer"].as_str())
        .collect();
    assert_eq!(pointers, ["/toShopId", "/lines/0/sku"]);
    clerk.get("/inventory/sku/NO-SUCH").await.is_problem(404, "NOT_FOUND");
    assert_eq!(clerk.get("/inventory/sku/MILK").await.is(200).json["items"], json!([]));
}

// HTTP-8
#[tokio::test]
async fn bad_input_is_refused_by_pointer_and_changes_nothing() {
    let counter = Counter::open().await;
    let clerk = &counter.clerk;
    let line = |quantity: &str| counter.line(0, BREAD, quantity);
    let many = vec![line("1"); 501];
    let restocks = [
        (json!({ "lines": [] }), "/lines"),
        (json!({ "lines": many }), "/lines"),
        (json!({ "lines": [line("0")] }), "/lines/0/quantity"),
        (json!({ "lines": [line("-1")] }), "/lines/0/quantity"),
        (json!({ "lines": [line("1.2345")] }), "/lines/0/quantity"),
        (json!({ "lines": [line("99999999999")] }), "/lines/0/quantity"),
        (json!({ "lines": [{ "shopId": "shp_x", "sku": BREAD, "quantity": "1" }] }), "/lines/0/shopId"),
        (json!({ "lines": [line("1")], "note": "x".repeat(501) }), "/note"),
    ];
    for (body, pointer) in restocks {
        let refused = clerk.put("/inventory/restock", body).await.is_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused.text("/errors/0/pointer"), pointer);
    }
    for name in ["", "  ", "a\tb", &"x".repeat(201)] {
        clerk.post("/shops", json!({ "name": name })).await.is_problem(400, "VALIDATION_FAILED");
    }
    for query in ["limit=0", "from=yesterday", "reason=because", "shop=1", "sku=", "colour=red"] {
        clerk.get(&format!("/inventory/movements?{query}")).await.is_problem(400, "VALIDATION_FAILED");
    }
    assert_eq!(clerk.get("/inventory/movements").await.is(200).json["items"], json!([]));
}

// IDN-4, PLT-2
#[tokio::test]
async fn each_route_asks_for_its_permission_and_shows_nothing_to_another_tenant() {
    let counter = Counter::open().await;
    counter.restock(MILK, "5").await;
    counter.site.add_tenant("other");
    let reader = counter.site.member("acme", &["inventory:read", "shops:read"]);
    let body = json!({ "lines": [counter.line(0, MILK, "1")] });
    reader.put("/inventory/restock", body.clone()).await.is_problem(403, "PERMISSION_DENIED");
    reader.post("/inventory/reserve", body.clone()).await.is_problem(403, "PERMISSION_DENIED");
    reader.post("/shops", json!({ "name": "Mine" })).await.is_problem(403, "PERMISSION_DENIED");
    reader.get("/inventory/sku/MILK").await.is(200);
    let other = counter.site.member("other", &["*"]);
    other.get("/inventory/sku/MILK").await.is_problem(404, "NOT_FOUND");
    other.get(&format!("/shops/{}", counter.shops[0])).await.is_problem(404, "SHOP_NOT_FOUND");
    other.put("/inventory/restock", body).await.is_problem(422, "UNKNOWN_SHOP");
    assert_eq!(other.get("/inventory/movements").await.is(200).json["items"], json!([]));
}
