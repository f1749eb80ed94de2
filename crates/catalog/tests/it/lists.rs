//! Lists of products and the category tree.

use serde_json::json;

use crate::fixture::{Market, skus};

const GOODS: &str = "sku,name,category,price,barcode,active,attributes\n\
    A1,Äpfel,Food/Fruit,2.00,4006381333931,true,\"{\"\"brand\"\":\"\"Acme\"\"}\"\n\
    B1,Bread,Food/Bread,2.50,,true,\"{\"\"brand\"\":\"\"Bolt\"\"}\"\n\
    B2,bread roll,Food/Bread,0.50,,true,\n\
    C1,Candle,Home,4.00,,false,\"{\"\"brand\"\":\"\"Acme\"\",\"\"colour\"\":\"\"red\"\"}\"\n\
    D1,Dice,,0.50,,true,\n";

async fn market() -> Market {
    let market = Market::new().await;
    let (done, report) = market.import(GOODS.as_bytes()).await;
    assert_eq!(done.created, 5, "{report}");
    market
}

// HTTP-5: filters and sorts are whitelisted.
#[tokio::test(flavor = "multi_thread")]
async fn products_come_in_every_order_forwards_and_backwards() {
    let market = market().await;
    for (sort, expected) in [
        ("name", ["A1", "B1", "B2", "C1", "D1"]),
        ("-name", ["D1", "C1", "B2", "B1", "A1"]),
        ("sku", ["A1", "B1", "B2", "C1", "D1"]),
        ("price", ["B2", "D1", "A1", "B1", "C1"]),
        ("-price", ["C1", "B1", "A1", "D1", "B2"]),
    ] {
        assert_eq!(market.skus(&format!("/products?sort={sort}")).await, expected, "{sort}");
        // The same order when the matches are gathered first.
        let gathered = market.skus(&format!("/products?sort={sort}&search=food%20bread")).await;
        let among: Vec<_> = expected.into_iter().filter(|sku| sku.starts_with('B')).collect();
        assert_eq!(gathered, among, "{sort}");
    }
    for bad in
        ["sort=colour", "sort=relevance2", "limit=0", "limit=201", "colour=red", "minPrice=-1", "search=%20"]
    {
        market.clerk.get(&format!("/products?{bad}")).await.is_problem(400, "VALIDATION_FAILED");
    }
    market.clerk.get("/products?sort=relevance").await.is_problem(422, "RELEVANCE_NEEDS_SEARCH");
    market.clerk.get("/products?minPrice=2&maxPrice=1").await.is_problem(422, "PRICE_RANGE_EMPTY");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_a_list_and_work_together() {
    let market = market().await;
    for (filter, expected) in [
        ("category=Food", vec!["A1", "B1", "B2"]),
        ("category=Food/Bread", vec!["B1", "B2"]),
        ("category=Foo", vec![]),
        ("active=false", vec!["C1"]),
        ("active=true", vec!["A1", "B1", "B2", "D1"]),
        ("minPrice=200&maxPrice=250", vec!["A1", "B1"]),
        ("attribute=brand=Acme", vec!["A1", "C1"]),
        ("attribute=brand=Acme;colour=red", vec!["C1"]),
        ("attribute=brand=Acme&active=true", vec!["A1"]),
        ("barcode=4006381333931", vec!["A1"]),
        ("barcode=96385074", vec![]),
        ("category=Food&search=brad", vec!["B1", "B2"]),
    ] {
        assert_eq!(market.skus(&format!("/products?{filter}&sort=name")).await, expected, "{filter}");
    }
}

// HTTP-5: stable under concurrent inserts, never twice, never left out.
#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_while_products_come_and_go() {
    let market = Market::new().await;
    let rows: String = (0..60).map(|n| format!("S{n:03},Soup {},{}.00\n", n % 7, n % 5)).collect();
    market.import(format!("sku,name,price\n{rows}").as_bytes()).await;
    for list in [
        "sort=name",
        "sort=-name",
        "sort=price",
        "sort=-price",
        "sort=updatedAt",
        "sort=-updatedAt",
        "sort=sku",
        "search=soup",
        "search=soup&sort=-name",
        "search=soup&sort=-price",
        "search=soup&sort=-updatedAt",
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = market.clerk.get(&format!("/products?{list}&limit=7{cursor}")).await.is(200);
            seen.extend(skus(&page.json).into_iter().filter(|sku| sku.starts_with('S')));
            let Some(next) = page.json["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
            let name = format!("N{}-{}", list.len() + list.matches('-').count() * 100, seen.len());
            market.import(format!("sku,name,price\n{name},Soup zero,9.00\n").as_bytes()).await;
        }
        let mut sorted = seen.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!((sorted.len(), seen.len()), (60, 60), "{list}");
    }
    let first = market.clerk.get("/products?sort=name&limit=2").await;
    let cursor = first.text("/nextCursor");
    market.clerk.get(&format!("/products?sort=price&cursor={cursor}")).await.is_problem(404, "NOT_FOUND");
    market.clerk.get("/products?cursor=x").await.is_problem(404, "NOT_FOUND");
}

// CAT-3: totals are opt-in and estimated.
#[tokio::test(flavor = "multi_thread")]
async fn the_total_is_told_when_asked_for() {
    let market = market().await;
    assert_eq!(market.clerk.get("/products").await.json.get("total"), None);
    for (filter, total) in
        [("", 5), ("&category=Food", 3), ("&active=true", 4), ("&active=false", 1), ("&search=xyzzy", 0)]
    {
        let page = market.clerk.get(&format!("/products?total=estimate&limit=1{filter}")).await.is(200);
        assert_eq!(page.json["total"], total, "{filter}");
    }
}

// CAT-2
#[tokio::test(flavor = "multi_thread")]
async fn facets_say_how_the_matches_spread() {
    let market = market().await;
    let page = market.clerk.get("/products?facets=true").await.is(200);
    let facets = &page.json["facets"];
    assert_eq!(facets["categories"][0], json!({ "category": "Food", "products": 3 }));
    assert_eq!(
        (&facets["active"], &facets["inactive"], &facets["complete"]),
        (&json!(4), &json!(1), &json!(true))
    );
    assert_eq!(facets["attributes"][0], json!({ "name": "brand", "value": "Acme", "products": 2 }));
    assert_eq!(facets["prices"][0], json!({ "from": 0, "to": 100, "products": 2 }));
    let bread = market.clerk.get("/products?facets=true&search=bread").await.is(200);
    assert_eq!(
        (&bread.json["facets"]["counted"], bread.json["facets"]["prices"].as_array().unwrap().len()),
        (&json!(2), 2)
    );
    let nothing = market.clerk.get("/products?facets=true&search=xyzzy").await.is(200);
    assert_eq!(nothing.json["facets"]["counted"], 0);
}

// CAT-1: the category tree by path.
#[tokio::test(flavor = "multi_thread")]
async fn categories_are_a_tree_with_counts_that_follow_the_products() {
    let market = market().await;
    let tree = market.clerk.get("/categories").await.is(200);
    let food = &tree.json["items"][0];
    assert_eq!((&food["path"], &food["products"], &food["active"]), (&json!("Food"), &json!(3), &json!(3)));
    assert_eq!(
        food["children"][0],
        json!({ "name": "Bread", "path": "Food/Bread", "products": 2, "active": 2, "children": [] })
    );
    let home = &tree.json["items"][1];
    assert_eq!(
        (&home["path"], &home["active"], &tree.json["complete"]),
        (&json!("Home"), &json!(0), &json!(true))
    );
    market.import(b"sku,name,price,category\nB2,bread roll,0.50,Home/Kitchen\n").await;
    let below = market.clerk.get("/categories?parent=Home").await.is(200);
    assert_eq!(below.json["items"][0]["path"], "Home/Kitchen");
    let food = &market.clerk.get("/categories").await.json["items"][0];
    assert_eq!(food["products"], 2);
    market.check().await;
}
