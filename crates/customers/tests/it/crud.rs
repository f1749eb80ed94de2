//! Customers as the merchant keeps them.

use customers::{ensure_customers, exists};
use http::Method;
use serde_json::{Value, json};
use testkit::Client;

use crate::world::World;

/// A market with the merchant `acme`, and somebody who may do everything with its customers.
async fn market() -> (World, Client) {
    let world = World::open().await;
    let clerk = world.staff("acme").await;
    (world, clerk)
}

fn ann() -> Value {
    json!({ "name": "Ann Example", "reference": "K-1", "email": "ann@example.com", "phone": "+49 30 1", "note": "regular" })
}

async fn references(clerk: &Client, path: &str) -> Vec<Value> {
    let page = clerk.get(path).await.is(200);
    page.json["items"].as_array().unwrap().iter().map(|item| item["reference"].clone()).collect()
}

// SAL-11: sales name customers; the routes of the contract.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_created_read_changed_and_deactivated() {
    let (world, clerk) = market().await;
    let made = clerk.post("/customers", ann()).await.is(201);
    assert_eq!(made.header("location"), format!("/api/v1/customers/{}", made.text("/id")));
    let path = format!("/customers/{}", made.text("/id"));
    assert_eq!(clerk.get(&path).await.is(200).json, made.json);
    let changed = clerk.put(&path, json!({ "name": "Ann Other" })).await.is(200);
    assert_eq!((&changed.json["version"], &changed.json["email"]), (&json!(2), &Value::Null));
    assert_eq!(clerk.put(&path, json!({ "name": "Ann Other" })).await.is(200).json["version"], 2);
    clerk.delete(&path).await.is(204);
    clerk.delete(&path).await.is(204);
    let left = clerk.get(&path).await.is(200);
    assert_eq!((&left.json["active"], &left.json["version"]), (&json!(false), &json!(3)));
    world.holds().await;
}

// HTTP-6, HTTP-7
#[tokio::test(flavor = "multi_thread")]
async fn keys_and_versions_protect_from_doing_it_twice_or_blindly() {
    let (_site, clerk) = market().await;
    let post = || clerk.api(Method::POST, "/customers").key("once").json(&ann()).send();
    let (first, second) = (post().await.is(201), post().await.is(201));
    assert_eq!((second.header("idempotency-replayed"), &second.json), ("true", &first.json));
    let path = format!("/customers/{}", first.text("/id"));
    let put = clerk.api(Method::PUT, &path).header("if-match", "\"7\"").json(&ann());
    put.send().await.is_problem(412, "PRECONDITION_FAILED");
    let delete = clerk.api(Method::DELETE, &path).header("if-match", "\"7\"");
    delete.send().await.is_problem(412, "PRECONDITION_FAILED");
    clerk.api(Method::GET, &path).header("if-none-match", "\"1\"").send().await.is(304);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_names_one_customer() {
    let (_site, clerk) = market().await;
    clerk.post("/customers", ann()).await.is(201);
    clerk.post("/customers", ann()).await.is_problem(409, "CUSTOMER_REFERENCE_EXISTS");
    let other = clerk.post("/customers", json!({ "name": "Bob" })).await.is(201).text("/id").to_owned();
    clerk.put(&format!("/customers/{other}"), ann()).await.is_problem(409, "CUSTOMER_REFERENCE_EXISTS");
}

// HTTP-8
#[tokio::test(flavor = "multi_thread")]
async fn bad_fields_are_named() {
    let (_site, clerk) = market().await;
    for (field, value) in [
        ("name", json!("")),
        ("email", json!("nobody")),
        ("phone", json!("call me")),
        ("reference", json!(" x")),
        ("note", json!("x".repeat(2001))),
        ("shoeSize", json!(42)),
    ] {
        let mut body = json!({ "name": "Ann" });
        body[field] = value;
        let refused = clerk.post("/customers", body).await.is_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused.json["errors"][0]["pointer"], format!("/{field}"));
    }
}

// HTTP-5
#[tokio::test(flavor = "multi_thread")]
async fn customers_are_listed_in_pages_and_found_by_reference() {
    let (_site, clerk) = market().await;
    for n in 0..5 {
        clerk.post("/customers", json!({ "name": "N", "reference": format!("K-{n}") })).await.is(201);
    }
    let first = clerk.get("/customers?limit=3").await.is(200);
    let next = first.text("/nextCursor").to_owned();
    let second = clerk.get(&format!("/customers?limit=3&cursor={next}")).await.is(200);
    assert_eq!(
        first.json["items"].as_array().unwrap().len() + second.json["items"].as_array().unwrap().len(),
        5
    );
    assert_eq!(second.json["nextCursor"], Value::Null);
    assert_eq!(references(&clerk, "/customers?reference=K-3").await, ["K-3"]);
    let id = first.text("/items/0/id").to_owned();
    clerk.delete(&format!("/customers/{id}")).await.is(204);
    assert_eq!(references(&clerk, "/customers?active=false").await, ["K-0"]);
    assert_eq!(references(&clerk, "/customers?reference=K-0&active=true").await, Vec::<Value>::new());
}

// SAL-11: an unknown customer of an import is created, once.
#[tokio::test(flavor = "multi_thread")]
async fn imports_find_or_create_customers_by_reference() {
    let (world, clerk) = market().await;
    let known = clerk.post("/customers", ann()).await.is(201).text("/id").to_owned();
    let ctx = world.app.ctx("bolt").await.unwrap();
    let ensure = async |references: &[&str]| {
        let tx = world.app.parts.db.begin(&ctx).await.unwrap();
        let found = ensure_customers(&tx, references).await.unwrap();
        tx.commit().await.unwrap();
        found
    };
    let (one, two) = tokio::join!(ensure(&["a", "b", "c"]), ensure(&["c", "b", "d", "b"]));
    assert_eq!((one["b"], one["c"], one.len(), two.len()), (two["b"], two["c"], 3, 3));
    assert_eq!(ensure(&["a"]).await["a"], one["a"]);
    let tx = world.app.parts.db.begin_read(&ctx).await.unwrap();
    assert!(exists(&tx, one["a"]).await.unwrap());
    // DPR-6: a neighbour's customer does not exist here.
    assert!(!exists(&tx, known.parse().unwrap()).await.unwrap());
}

// DPR-6
#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_neither_reads_nor_changes_a_customer() {
    let (world, clerk) = market().await;
    let neighbour = world.staff("bolt").await;
    let path = format!("/customers/{}", clerk.post("/customers", ann()).await.is(201).text("/id"));
    neighbour.get(&path).await.is_problem(404, "CUSTOMER_NOT_FOUND");
    neighbour.put(&path, ann()).await.is_problem(404, "CUSTOMER_NOT_FOUND");
    neighbour.delete(&path).await.is_problem(404, "CUSTOMER_NOT_FOUND");
    assert_eq!(references(&neighbour, "/customers?reference=K-1").await, Vec::<Value>::new());
    neighbour.post("/customers", ann()).await.is(201);
    let reader = world.staff_with("acme", &["customers:read"]).await;
    reader.post("/customers", ann()).await.is_problem(403, "PERMISSION_DENIED");
}

// CUS-1
#[tokio::test(flavor = "multi_thread")]
async fn customers_are_found_by_tag_and_by_how_name_or_address_of_mail_begin() {
    let (_world, clerk) = market().await;
    let tagged = json!({ "name": "Ann Éclair", "reference": "A", "email": "Zoe@x.example", "tags": ["vip", "b", "vip"] });
    let made = clerk.post("/customers", tagged).await.is(201);
    assert_eq!(made.json["tags"], json!(["b", "vip"]));
    clerk.post("/customers", json!({ "name": "Bob %_", "reference": "B", "tags": ["b"] })).await.is(201);
    for (query, found) in [
        ("tag=vip", vec!["A"]),
        ("tag=b", vec!["A", "B"]),
        ("tag=B", vec![]),
        ("q=ann", vec!["A"]),
        ("q=ANN%20%C3%A9", vec!["A"]),
        ("q=zoe@", vec!["A"]),
        ("q=bob%20%25", vec!["B"]),
        ("q=%25%25", vec![]),
        ("q=bo&tag=vip", vec![]),
        ("q=bo&reference=B", vec!["B"]),
    ] {
        assert_eq!(references(&clerk, &format!("/customers?{query}")).await, found, "{query}");
    }
    clerk.get("/customers?q=a").await.is_problem(400, "VALIDATION_FAILED");
    // Left out, tags stay; an empty list takes them away.
    let path = format!("/customers/{}", made.text("/id"));
    assert_eq!(clerk.put(&path, json!({ "name": "Ann" })).await.is(200).json["tags"], json!(["b", "vip"]));
    assert_eq!(clerk.put(&path, json!({ "name": "Ann", "tags": [] })).await.is(200).json["tags"], json!([]));
    for tags in [json!([""]), json!([" x"]), json!(["x".repeat(41)]), json!(vec!["x"; 51])] {
        clerk
            .post("/customers", json!({ "name": "N", "tags": tags }))
            .await
            .is_problem(400, "VALIDATION_FAILED");
    }
}
