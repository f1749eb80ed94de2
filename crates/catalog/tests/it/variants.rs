//! Families of products: options, variants, and what of them is sold.

use axum::http::Method;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::fixture::{Market, product};

fn shirt() -> Value {
    let mut shirt = product("SHIRT", "Shirt", 2_000);
    shirt["options"] =
        json!([{ "name": "Size", "values": ["S", "M"] }, { "name": "Colour", "values": ["red", "blue"] }]);
    shirt
}

fn variant(parent: &str, sku: &str, size: &str, colour: &str) -> Value {
    let mut variant = product(sku, &format!("Shirt {size} {colour}"), 2_100);
    variant["parentId"] = json!(parent);
    variant["optionValues"] = json!({ "Size": size, "Colour": colour });
    variant
}

impl Market {
    async fn make(&self, body: Value) -> String {
        self.clerk.post("/products", body).await.is(201).text("/id").to_owned()
    }

    async fn sells(&self, sku: &str) -> bool {
        let tx = self.begin().await;
        let rows = tx.run(catalog::sellable_stmt(tx.ctx(), &[sku])).await.unwrap();
        catalog::decode_sellable(&rows).unwrap()[0].active
    }
}

// CAT-1: a variant is a SKU.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_shows_its_variants_and_each_is_a_product_of_its_own() {
    let market = Market::new().await;
    let parent = market.make(shirt()).await;
    let path = format!("/products/{parent}");
    let before = market.clerk.get(&path).await.is(200);
    assert_eq!((before.header("etag"), &before.json["variants"]), ("\"1-0\"", &json!([])));
    let mut body = variant(&parent, "SHIRT-S-RED", "S", "red");
    body["barcode"] = json!("4006381333931");
    let made = market.clerk.post("/products", body).await.is(201);
    assert_eq!((made.text("/parentId"), &made.json["options"]), (parent.as_str(), &json!([])));
    let shown = market.clerk.get(&path).await.is(200);
    assert_eq!(shown.header("etag"), "\"1-1\"");
    let expected = json!([{
        "id": made.json["id"], "sku": "SHIRT-S-RED", "optionValues": { "Size": "S", "Colour": "red" },
        "price": { "amount": 2100, "currency": "EUR" }, "barcode": "4006381333931", "active": true,
    }]);
    assert_eq!((&shown.json["variants"], &shown.json["options"]), (&expected, &shirt()["options"]));
    // A change of the variant is a change of what the parent shows, by id and by SKU.
    let dearer = product("SHIRT-S-RED", "Shirt S red", 2_500);
    market.clerk.put(&format!("/products/{}", made.text("/id")), dearer).await.is(200);
    for path in [path.as_str(), "/products/sku/SHIRT"] {
        let shown = market.clerk.get(path).await.is(200);
        assert_eq!(shown.json["variants"][0]["price"]["amount"], 2500, "{path}");
        assert_eq!(shown.json["variants"][0]["optionValues"]["Size"], "S");
        assert_eq!(shown.header("etag"), "\"1-2\"");
    }
    market.check().await;
}

// CAT-1
#[tokio::test(flavor = "multi_thread")]
async fn the_variants_of_a_parent_are_a_list_and_no_others_are_in_it() {
    let market = Market::new().await;
    let parent = market.make(shirt()).await;
    let other = market
        .make(json!({ "sku": "HAT", "name": "Hat", "price": { "amount": 1, "currency": "EUR" },
        "options": [{ "name": "Size", "values": ["S"] }] }))
        .await;
    for (sku, size, colour) in [("V1", "S", "red"), ("V2", "S", "blue"), ("V3", "M", "blue")] {
        market.make(variant(&parent, sku, size, colour)).await;
    }
    assert_eq!(market.skus(&format!("/products?parent={parent}&sort=sku")).await, ["V1", "V2", "V3"]);
    assert_eq!(market.skus(&format!("/products?parent={parent}&search=blue")).await, ["V2", "V3"]);
    assert_eq!(market.skus(&format!("/products?parent={other}")).await, Vec::<String>::new());
    market.clerk.get("/products?parent=prd_x").await.is_problem(400, "VALIDATION_FAILED");
    market.check().await;
}

// CAT-1: families are sold by their variants.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_is_not_sold_and_its_variants_are_while_it_is_active() {
    let market = Market::new().await;
    let parent = market.make(shirt()).await;
    let child = market.make(variant(&parent, "V1", "S", "red")).await;
    assert_eq!((market.sells("SHIRT").await, market.sells("V1").await), (false, true));
    market.clerk.delete(&format!("/products/{parent}")).await.is(204);
    assert!(!market.sells("V1").await);
    market.clerk.put(&format!("/products/{parent}"), shirt()).await.is(200);
    assert!(market.sells("V1").await);
    market.clerk.delete(&format!("/products/{child}")).await.is(204);
    assert!(!market.sells("V1").await);
    market.check().await;
}

// CAT-1: unique combination per parent.
#[tokio::test(flavor = "multi_thread")]
async fn a_combination_of_values_is_there_once_however_many_create_it_at_once() {
    let market = Market::new().await;
    let parent = market.make(shirt()).await;
    let bodies = (0..8).map(|n| variant(&parent, &format!("V{n}"), "S", "red"));
    let answers = join_all(bodies.map(|body| market.clerk.post("/products", body))).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    // Under load one may be told to come again.
    let told = answers
        .iter()
        .filter(|answer| answer.json["code"] == "VARIANT_EXISTS" || answer.status == 503)
        .count();
    assert_eq!((made, told), (1, 7), "{answers:?}");
    let id = market.make(variant(&parent, "OTHER", "M", "red")).await;
    let same = variant(&parent, "OTHER", "S", "red");
    market.clerk.put(&format!("/products/{id}"), same).await.is_problem(409, "VARIANT_EXISTS");
    let moved = variant(&parent, "OTHER", "M", "blue");
    let moved = market.clerk.put(&format!("/products/{id}"), moved).await.is(200);
    assert_eq!(moved.json["optionValues"]["Colour"], "blue");
    market.check().await;
}

// CAT-1, HTTP-8
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_a_family_is_refused() {
    let market = Market::new().await;
    let parent = market.make(shirt()).await;
    let plain = market.make(product("PLAIN", "Plain", 1)).await;
    let child = market.make(variant(&parent, "V1", "S", "red")).await;
    let (_, other) = market.add_merchant("other").await;
    let foreign = other.post("/products", shirt()).await.is(201).text("/id").to_owned();
    for parent in [plain.as_str(), &child, &foreign, "prd_01J00000000000000000000000"] {
        let body = variant(parent, "X", "S", "red");
        market.clerk.post("/products", body).await.is_problem(422, "PARENT_INVALID");
    }
    for values in [json!({}), json!({ "Size": "S" }), json!({ "Size": "XXL", "Colour": "red" })] {
        let mut body = variant(&parent, "X", "S", "red");
        body["optionValues"] = values;
        market.clerk.post("/products", body).await.is_problem(422, "OPTION_VALUES_INVALID");
    }
    let mut both = variant(&parent, "X", "M", "red");
    both["options"] = shirt()["options"].clone();
    market.clerk.post("/products", both).await.is_problem(422, "OPTION_VALUES_INVALID");
    let mut orphan = product("X", "X", 1);
    orphan["optionValues"] = json!({ "Size": "S" });
    market.clerk.post("/products", orphan).await.is_problem(422, "OPTION_VALUES_INVALID");
    let mut doubled = product("X", "X", 1);
    doubled["options"] = json!([{ "name": "Size", "values": ["S"] }, { "name": "Size", "values": ["M"] }]);
    market.clerk.post("/products", doubled).await.is_problem(422, "OPTIONS_INVALID");
    for options in [
        json!([{ "name": " ", "values": ["S"] }]),
        json!([{ "name": "Size", "values": [] }]),
        json!([{ "name": "Size", "values": ["x".repeat(61)] }]),
        json!((0..6).map(|n| json!({ "name": n.to_string(), "values": ["a"] })).collect::<Vec<_>>()),
    ] {
        let mut body = product("X", "X", 1);
        body["options"] = options;
        market.clerk.post("/products", body).await.is_problem(400, "VALIDATION_FAILED");
    }
    let mut elsewhere = product("PLAIN", "Plain", 1);
    elsewhere["parentId"] = json!(parent);
    market.clerk.put(&format!("/products/{plain}"), elsewhere).await.is_problem(409, "PARENT_IMMUTABLE");
    market.check().await;
}

// CAT-1
#[tokio::test(flavor = "multi_thread")]
async fn options_that_variants_use_stay_and_more_values_may_come() {
    let market = Market::new().await;
    let parent = market.make(shirt()).await;
    let path = format!("/products/{parent}");
    market.make(variant(&parent, "V1", "S", "red")).await;
    for options in [
        json!([]),
        json!([{ "name": "Size", "values": ["S", "M"] }]),
        json!([{ "name": "Size", "values": ["M"] }, { "name": "Colour", "values": ["red"] }]),
    ] {
        let mut body = shirt();
        body["options"] = options;
        market.clerk.put(&path, body).await.is_problem(409, "OPTIONS_IN_USE");
    }
    let mut more = shirt();
    more["options"] =
        json!([{ "name": "Colour", "values": ["green", "red"] }, { "name": "Size", "values": ["S", "L"] }]);
    market.clerk.put(&path, more.clone()).await.is(200);
    market.make(variant(&parent, "V2", "L", "green")).await;
    // What a change does not mention stays, and whoever knows the parent may change it.
    let tag = market.clerk.get(&path).await.header("etag").to_owned();
    let renamed = product("SHIRT", "Fine shirt", 2_000);
    let put =
        market.clerk.api(Method::PUT, &path).header("if-match", &tag).json(&renamed).send().await.is(200);
    assert_eq!(put.json["options"], more["options"]);
    let stale = market.clerk.api(Method::PUT, &path).header("if-match", &tag).json(&shirt()).send().await;
    stale.is_problem(412, "PRECONDITION_FAILED");
    market.check().await;
}

// CAT-1, CAT-3: files know nothing of families and change nothing of them.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_changes_a_variant_and_leaves_it_in_its_family() {
    let market = Market::new().await;
    let parent = market.make(shirt()).await;
    market.make(variant(&parent, "V1", "S", "red")).await;
    let before = market.export(&market.ctx()).await;
    assert_eq!(market.import(&before).await.0.unchanged, 2);
    market.import(b"sku,name,price\nV1,Cheap shirt,5.00\n").await;
    let shown = market.clerk.get(&format!("/products/{parent}")).await.is(200);
    assert_eq!(shown.json["variants"][0]["price"]["amount"], 500);
    assert_eq!(market.clerk.get("/products/sku/V1").await.json["optionValues"]["Colour"], "red");
    market.check().await;
}

// CAT-1: bounded.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_has_five_hundred_variants_and_no_more() {
    let market = Market::new().await;
    let names: Vec<String> = (0..100).map(|n| format!("v{n}")).collect();
    let mut body = product("BIG", "Big", 1);
    body["options"] = json!([{ "name": "A", "values": names }, { "name": "B", "values": names }]);
    let parent = market.make(body).await;
    let part = |n: usize| {
        let mut body = product(&format!("P{n}"), &format!("Part {n}"), 1);
        body["parentId"] = json!(parent);
        body["optionValues"] = json!({ "A": names[n % 100], "B": names[n / 100] });
        body
    };
    for start in (0..500).step_by(50) {
        join_all((start..start + 50).map(|n| market.clerk.post("/products", part(n)))).await;
    }
    let shown = market.clerk.get(&format!("/products/{parent}")).await.is(200);
    let made = shown.json["variants"].as_array().unwrap().len();
    for n in made..500 {
        market.make(part(500 + n)).await;
    }
    market.clerk.post("/products", part(1_500)).await.is_problem(409, "TOO_MANY_VARIANTS");
    assert_eq!(
        market.clerk.get(&format!("/products/{parent}")).await.json["variants"].as_array().unwrap().len(),
        500
    );
    market.check().await;
}

// CAT-1
#[tokio::test(flavor = "multi_thread")]
async fn a_variant_that_does_not_fit_its_parent_is_found() {
    let market = Market::new().await;
    let parent = market.make(shirt()).await;
    market.make(variant(&parent, "V1", "S", "red")).await;
    market.check().await;
    let look = market.site.databases.look().await.unwrap();
    look.execute("update catalog.product set option_values = '{\"Size\": \"S\"}' where sku = 'V1'", &[])
        .await
        .unwrap();
    let tx = market.begin().await;
    let found = catalog::invariants(&tx).await.unwrap();
    assert_eq!(
        (found.len(), found[0].invariant, found[0].subject.as_str()),
        (1, "variants_fit_their_parent", "V1")
    );
}
