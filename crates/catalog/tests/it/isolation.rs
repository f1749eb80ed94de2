//! Tenants do not see, count, change or find each other's catalog.

use serde_json::json;

use crate::fixture::{Market, product};

// DPR-6
#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_neither_reads_nor_changes_nor_counts_a_product() {
    let market = Market::new().await;
    let (_, neighbour) = market.add_merchant("bolt").await;
    let mut bread = product("BREAD", "Dark bread", 250);
    bread["category"] = json!("Food");
    bread["barcode"] = json!("4006381333931");
    let id = market.clerk.post("/products", bread).await.is(201).text("/id").to_owned();
    let path = format!("/products/{id}");
    // Warm in the cache of the owner.
    market.clerk.get(&path).await.is(200);
    neighbour.get(&path).await.is_problem(404, "PRODUCT_NOT_FOUND");
    neighbour.get("/products/sku/BREAD").await.is_problem(404, "PRODUCT_NOT_FOUND");
    neighbour.put(&path, product("BREAD", "Mine", 1)).await.is_problem(404, "PRODUCT_NOT_FOUND");
    neighbour.delete(&path).await.is_problem(404, "PRODUCT_NOT_FOUND");
    for list in [
        "",
        "search=bread",
        "search=braed",
        "search=BREAD",
        "search=4006381333931",
        "category=Food",
        "barcode=4006381333931",
        "sort=price",
    ] {
        let page = neighbour.get(&format!("/products?{list}&total=estimate&facets=true")).await.is(200);
        assert_eq!((&page.json["items"], &page.json["total"]), (&json!([]), &json!(0)), "{list}");
        assert_eq!(page.json["facets"]["counted"], 0, "{list}");
    }
    assert_eq!(neighbour.get("/categories").await.is(200).json["items"], json!([]));
    // The same SKU is free for the neighbour.
    neighbour.post("/products", product("BREAD", "Other bread", 1)).await.is(201);
    assert_eq!(market.clerk.get(&path).await.json["name"], "Dark bread");
}

// DPR-6: SQL as the application's role.
#[tokio::test(flavor = "multi_thread")]
async fn the_search_functions_find_only_the_tenant_that_is_set() {
    let market = Market::new().await;
    let (neighbour, _) = market.add_merchant("bolt").await;
    market.clerk.post("/products", product("BREAD", "Dark bread", 250)).await.is(201);
    let app = market.site.databases.as_app().await.unwrap();
    let look = market.site.databases.look().await.unwrap();
    let lexemes = look.query_one("select tsvector_to_array(search) from catalog.product", &[]).await.unwrap();
    let lexemes: Vec<String> = lexemes.get(0);
    let wanted = format!("'{}'", lexemes.into_iter().find(|lexeme| lexeme.ends_with("bread")).unwrap());
    let questions = [
        format!(
            "select count(*) from catalog.search_products($${wanted}$$, null, null, null, null, null, null, null, 'name', null, null, null, 9)"
        ),
        format!("select count(*) from catalog.search_hits($${wanted}$$, null, null, null, 9)"),
        "select count(*) from catalog.similar_words('{braed,bread}', 9)".to_owned(),
        "select count(*) from catalog.product".to_owned(),
        "select count(*) from catalog.term".to_owned(),
        "select count(*) from catalog.tax_rate where category = 'none'".to_owned(),
    ];
    for (tenant, sees) in
        [("", false), (&*neighbour.id.0.to_string(), false), (&*market.tenant.id.0.to_string(), true)]
    {
        app.batch_execute("begin").await.unwrap();
        app.query_one("select set_config('app.tenant_id', $1, true)", &[&tenant]).await.unwrap();
        for question in &questions[..5] {
            let count: i64 = app.query_one(question, &[]).await.unwrap().get(0);
            assert_eq!(count > 0, sees, "as {tenant:?}: {question}");
        }
        app.batch_execute("rollback").await.unwrap();
    }
}

// IDN-4
#[tokio::test(flavor = "multi_thread")]
async fn reading_is_not_enough_to_write() {
    let market = Market::new().await;
    let reader = market.site.member("acme", &["catalog:read"]);
    reader.get("/products").await.is(200);
    reader.post("/products", product("A", "Apple", 1)).await.is_problem(403, "PERMISSION_DENIED");
    reader.put("/tax-rates", json!({ "rates": [] })).await.is_problem(403, "PERMISSION_DENIED");
    let upload =
        reader.api(axum::http::Method::POST, "/imports/products").body("text/csv", "sku,name,price\n");
    upload.send().await.is_problem(403, "PERMISSION_DENIED");
    market.site.stranger().with_tenant("acme").get("/products").await.is_problem(401, "UNAUTHENTICATED");
}
