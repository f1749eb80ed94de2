//! Single products: create, read, change, deactivate.

use std::time::Duration;

use axum::http::Method;
use catalog::{CacheKind, Catalog};
use csvio::RejectWriter;
use db::{Invalidations, Source};
use serde_json::{Value, json};

use crate::fixture::{Market, product};

// CAT-1
#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_created_with_all_its_fields_and_read_back_by_id_and_sku() {
    let market = Market::new().await;
    let whole = json!({
        "sku": "BREAD-1", "name": "Dark bread", "description": "Rye, <b>750 g</b>",
        "price": { "amount": 250, "currency": "EUR" }, "taxCategory": "reduced", "category": "Food/Bread",
        "barcode": "4006381333931", "unit": "pcs", "weightGrams": 750,
        "attributes": { "brand": "Acme", "vegan": true, "fat": 1.5 }, "active": true,
    });
    let made = market.clerk.post("/products", whole.clone()).await.is(201);
    assert_eq!(made.header("location"), format!("/api/v1/products/{}", made.text("/id")));
    assert_eq!(made.header("etag"), "\"1\"");
    for (name, value) in whole.as_object().unwrap() {
        assert_eq!(&made.json[name], value, "{name}");
    }
    let by_id = market.clerk.get(&format!("/products/{}", made.text("/id"))).await.is(200);
    let by_sku = market.clerk.get("/products/sku/BREAD-1").await.is(200);
    assert_eq!((&by_id.json, &by_sku.json), (&made.json, &made.json));
    assert_eq!(by_sku.header("etag"), "\"1\"");
    assert_eq!(market.messages().await, [("ProductCreated".to_owned(), made.text("/id").to_owned())]);
    market.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_needs_no_more_than_sku_name_and_price() {
    let market = Market::new().await;
    let made = market.clerk.post("/products", product("A", "Äpfel", 0)).await.is(201);
    assert_eq!(made.json["taxCategory"], "standard");
    assert_eq!((&made.json["unit"], &made.json["barcode"]), (&json!("pcs"), &Value::Null));
    assert_eq!(made.json["active"], true);
}

// CAT-1, MSG-1
#[tokio::test(flavor = "multi_thread")]
async fn a_change_counts_the_version_and_a_change_to_the_same_does_not() {
    let market = Market::new().await;
    let id = market.clerk.post("/products", product("A", "Apple", 100)).await.is(201).text("/id").to_owned();
    let path = format!("/products/{id}");
    let mut wanted = product("A", "Apple", 120);
    let changed = market.clerk.put(&path, wanted.clone()).await.is(200);
    assert_eq!((changed.json["version"].as_i64(), changed.header("etag")), (Some(2), "\"2\""));
    assert_eq!(market.clerk.get(&path).await.json["price"]["amount"], 120);
    assert_eq!(market.clerk.get("/products/sku/A").await.json["version"], 2);
    assert_eq!(market.clerk.put(&path, wanted.clone()).await.is(200).json["version"], 2);
    wanted["active"] = json!(false);
    assert_eq!(market.clerk.put(&path, wanted).await.is(200).json["version"], 3);
    let kinds: Vec<_> = market.messages().await.into_iter().map(|message| message.0).collect();
    assert_eq!(kinds, ["ProductCreated", "ProductUpdated", "ProductDeactivated"]);
    market.check().await;
}

// CAT-1: delete deactivates.
#[tokio::test(flavor = "multi_thread")]
async fn deleting_deactivates_once_and_keeps_the_product() {
    let market = Market::new().await;
    let id = market.clerk.post("/products", product("A", "Apple", 100)).await.is(201).text("/id").to_owned();
    let path = format!("/products/{id}");
    market.clerk.delete(&path).await.is(204);
    market.clerk.delete(&path).await.is(204);
    let left = market.clerk.get(&path).await.is(200);
    assert_eq!((&left.json["active"], &left.json["version"]), (&json!(false), &json!(2)));
    assert_eq!(market.messages().await.len(), 2);
    market.check().await;
}

// HTTP-7
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_another_version_is_refused_and_a_known_version_is_not_sent_again() {
    let market = Market::new().await;
    let id = market.clerk.post("/products", product("A", "Apple", 100)).await.is(201).text("/id").to_owned();
    let path = format!("/products/{id}");
    let put = |tag: &'static str, cents| {
        market
            .clerk
            .api(Method::PUT, &path)
            .header("if-match", tag)
            .json(&product("A", "Apple", cents))
            .send()
    };
    put("\"1\"", 110).await.is(200);
    put("\"1\"", 120).await.is_problem(412, "PRECONDITION_FAILED");
    market
        .clerk
        .api(Method::DELETE, &path)
        .header("if-match", "\"1\"")
        .send()
        .await
        .is_problem(412, "PRECONDITION_FAILED");
    let known = market.clerk.api(Method::GET, &path).header("if-none-match", "\"2\"").send().await.is(304);
    assert!(known.body.is_empty());
}

// HTTP-6
#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_creates_once_and_another_payload_under_it_is_refused() {
    let market = Market::new().await;
    let post = |name: &'static str| {
        market.clerk.api(Method::POST, "/products").key("once").json(&product("A", name, 100)).send()
    };
    let first = post("Apple").await.is(201);
    let second = post("Apple").await.is(201);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!((second.json, second.headers["etag"].clone()), (first.json, first.headers["etag"].clone()));
    post("Pear").await.is_problem(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(market.messages().await.len(), 1);
}

// HTTP-8: bad input gets a stable code, pointers to each field, and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn bad_fields_are_named_and_nothing_is_written() {
    let market = Market::new().await;
    for (field, value, code) in [
        ("name", json!(" "), "INVALID_VALUE"),
        ("name", json!("a\nb"), "INVALID_VALUE"),
        ("sku", json!("ä"), "INVALID_VALUE"),
        ("sku", json!(""), "INVALID_VALUE"),
        ("category", json!("Food//Bread"), "INVALID_VALUE"),
        ("barcode", json!("123"), "INVALID_VALUE"),
        ("taxCategory", json!("Standard"), "INVALID_VALUE"),
        ("unit", json!(""), "INVALID_VALUE"),
        ("weightGrams", json!(-1), "TOO_SMALL"),
        ("attributes", json!({ "a": [1] }), "INVALID_VALUE"),
        ("attributes", json!({ "a b": 1 }), "INVALID_VALUE"),
        ("price", json!({ "amount": -1, "currency": "EUR" }), "INVALID_VALUE"),
        ("colour", json!("red"), "UNKNOWN_FIELD"),
        ("description", json!("x".repeat(4001)), "INVALID_VALUE"),
    ] {
        let mut body = product("A", "Apple", 100);
        body[field] = value;
        let refused = market.clerk.post("/products", body).await.is_problem(400, "VALIDATION_FAILED");
        let error = &refused.json["errors"][0];
        assert!(error["pointer"].as_str().unwrap().starts_with(&format!("/{field}")), "{error}");
        assert_eq!(error["code"], code, "{error}");
    }
    for (field, value, code) in [
        ("price", json!({ "amount": 1, "currency": "USD" }), "CURRENCY_MISMATCH"),
        ("taxCategory", json!("luxury"), "UNKNOWN_TAX_CATEGORY"),
        ("barcode", json!("4006381333930"), "BARCODE_INVALID"),
    ] {
        let mut body = product("A", "Apple", 100);
        body[field] = value;
        market.clerk.post("/products", body).await.is_problem(422, code);
    }
    assert_eq!(market.messages().await, []);
    market.clerk.get("/products/sku/A").await.is_problem(404, "PRODUCT_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sku_is_taken_once_and_never_changes() {
    let market = Market::new().await;
    let id = market.clerk.post("/products", product("A", "Apple", 100)).await.is(201).text("/id").to_owned();
    market.clerk.post("/products", product("A", "Pear", 100)).await.is_problem(409, "SKU_EXISTS");
    let renamed = product("B", "Apple", 100);
    market.clerk.put(&format!("/products/{id}"), renamed).await.is_problem(409, "SKU_IMMUTABLE");
    market.clerk.get("/products/sku/%C3%A4").await.is_problem(404, "PRODUCT_NOT_FOUND");
    market.clerk.get("/products/sku/%00").await.is_problem(404, "NOT_FOUND");
    market.clerk.get("/products/prd_x").await.is_problem(404, "NOT_FOUND");
    market.check().await;
}

// CAT-1: what one process changes, the caches of the others forget.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_made_by_another_process_is_seen_through_the_cache() {
    let market = Market::new().await;
    let invalidations = Invalidations::new();
    market.catalog.listen(&invalidations);
    invalidations.listen(&market.site.db, Source::Tenants(market.site.databases.shared_placement()));
    let elsewhere = Catalog::new(market.site.db.clone(), std::env::temp_dir());
    let import = async |file: &str| {
        let mut rejects = RejectWriter::new(std::io::sink()).unwrap();
        catalog::import_products(&elsewhere, &market.ctx(), file.as_bytes(), &mut rejects, |_| {})
            .await
            .unwrap();
    };
    let price = async || market.clerk.get("/products/sku/A").await.is(200).json["price"]["amount"].as_i64();
    // A few products are named, many are forgotten with all of the tenant's.
    for (file, cents) in [
        ("sku,name,price\nA,Apple,1.00\nB,Bread,2.00\n", 100),
        ("sku,name,price\nA,Apple,1.30\n", 130),
        ("sku,name,price\nA,Apple,1.40\nB,Bread,2.10\nC,C,1\nD,D,1\nE,E,1\n", 140),
    ] {
        import(file).await;
        let seen = async {
            while price().await != Some(cents) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), seen).await.unwrap();
        let hits = market.catalog.cache_counts(CacheKind::Product).hits;
        let cached = async {
            while market.catalog.cache_counts(CacheKind::Product).hits == hits {
                assert_eq!(price().await, Some(cents));
            }
        };
        tokio::time::timeout(Duration::from_secs(20), cached).await.unwrap();
    }
    invalidations.close();
}

// INV and SAL rely on it: one statement for any number of SKUs.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_till_needs_comes_in_one_statement() {
    let market = Market::new().await;
    market.clerk.post("/products", product("A", "Apple", 100)).await.is(201);
    let id = market.clerk.post("/products", product("B", "Bread", 250)).await.is(201).text("/id").to_owned();
    market.clerk.delete(&format!("/products/{id}")).await.is(204);
    let tx = market.begin().await;
    let rows = tx.run(catalog::sellable_stmt(tx.ctx(), &["A", "B", "C"])).await.unwrap();
    let mut found = catalog::decode_sellable(&rows).unwrap();
    found.sort_by(|a, b| a.sku.cmp(&b.sku));
    assert_eq!(
        found.iter().map(|item| (item.sku.as_str(), item.price, item.active)).collect::<Vec<_>>(),
        [("A", 100, true), ("B", 250, false)]
    );
    assert_eq!(found[0].tax_category, catalog::DEFAULT_TAX_CATEGORY);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_changes_of_one_product_at_once_both_happen_or_one_is_told() {
    let market = Market::new().await;
    let id = market.clerk.post("/products", product("A", "Apple", 100)).await.is(201).text("/id").to_owned();
    let path = format!("/products/{id}");
    let calls = (1..=20).map(|cents| market.clerk.put(&path, product("A", "Apple", 100 + cents)));
    let answers = futures::future::join_all(calls).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count() as i64;
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 503)), "{answers:?}");
    assert_eq!(market.clerk.get(&path).await.json["version"].as_i64(), Some(1 + done));
    market.check().await;
}
