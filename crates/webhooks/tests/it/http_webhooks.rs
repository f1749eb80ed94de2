//! The routes.

use http::Method;
use serde_json::{Value, json};
use webhooks::WebhookId;

use crate::world::World;

// HTTP-14
#[tokio::test]
async fn webhooks_are_made_read_changed_listed_and_removed() {
    let world = World::new().await;
    let (clerk, url) = (&world.clerk, world.receiver.url());
    let body = json!({ "url": url, "types": ["ThingMade", "ThingMade"], "description": "ERP" });
    let made = clerk.post("/webhooks", body).await.is(201);
    let path = format!("/webhooks/{}", made.text("/id"));
    assert_eq!((made.header("location"), made.header("etag")), (&*format!("/api/v1{path}"), "\"1\""));
    assert!(made.text("/secret").starts_with("whsec_"));
    assert_eq!(made.json["types"], json!(["ThingMade"]));
    let read = clerk.get(&path).await.is(200);
    assert!(read.json.get("secret").is_none(), "the secret is told once");
    let other = clerk.post("/webhooks", json!({ "url": url })).await.is(201);
    assert_eq!((&other.json["types"], &other.json["active"]), (&json!(["*"]), &json!(true)));
    let change = json!({ "url": url, "types": ["ThingBroken"], "active": false });
    let put = |etag: &str| clerk.api(Method::PUT, &path).header("if-match", etag).json(&change).send();
    assert_eq!(put("\"1\"").await.is(200).json["active"], false);
    put("\"1\"").await.is_problem(412, "PRECONDITION_FAILED");
    let page = clerk.get("/webhooks?limit=1").await.is(200);
    assert_eq!(page.text("/items/0/id"), made.text("/id"));
    let next = clerk.get(&format!("/webhooks?cursor={}", page.text("/nextCursor"))).await.is(200);
    assert_eq!((next.text("/items/0/id"), &next.json["nextCursor"]), (other.text("/id"), &Value::Null));
    let types = clerk.get("/webhooks/types").await.is(200);
    assert_eq!(types.text("/items/0/name"), "ThingMade");
    clerk.delete(&path).await.is(204);
    clerk.delete(&path).await.is_problem(404, "WEBHOOK_NOT_FOUND");
    clerk.get(&path).await.is_problem(404, "WEBHOOK_NOT_FOUND");
    clerk.get(&format!("{path}/deliveries")).await.is_problem(404, "WEBHOOK_NOT_FOUND");
}

// HTTP-14, HTTP-6
#[tokio::test]
async fn a_repeated_request_makes_one_webhook_and_its_stored_answer_holds_no_secret() {
    let world = World::new().await;
    let body = json!({ "url": world.receiver.url() });
    let make = || world.clerk.api(Method::POST, "/webhooks").key("the-same-key").json(&body).send();
    let (first, again) = (make().await.is(201), make().await.is(201));
    assert_eq!(first.text("/id"), again.text("/id"));
    assert!(again.json.get("secret").is_none());
    let look = world.site.databases.look().await.unwrap();
    let secret = first.text("/secret").to_owned();
    let stored = "select (select coalesce(string_agg(i::text, ''), '') from edge.idempotency as i) || s::text \
                  from webhooks.subscription as s";
    let stored: String = look.query_one(stored, &[]).await.unwrap().get(0);
    assert!(!stored.contains(&secret["whsec_".len()..]));
}

// HTTP-14, HTTP-8
#[tokio::test]
async fn bad_input_is_refused_by_pointer() {
    let world = World::new().await;
    let url = world.receiver.url();
    let many: Vec<String> = (0..201).map(|_| "ThingMade".to_owned()).collect();
    let refused = [
        (json!({}), 400, "VALIDATION_FAILED", "/url"),
        (json!({ "url": "" }), 400, "VALIDATION_FAILED", "/url"),
        (
            json!({ "url": "https://a.example/".to_owned() + &"a".repeat(2048) }),
            400,
            "VALIDATION_FAILED",
            "/url",
        ),
        (json!({ "url": url, "types": [] }), 400, "VALIDATION_FAILED", "/types"),
        (json!({ "url": url, "types": many }), 400, "VALIDATION_FAILED", "/types"),
        (json!({ "url": url, "types": [""] }), 400, "VALIDATION_FAILED", "/types/0"),
        (json!({ "url": url, "types": ["ThingMade", "Nonsense"] }), 422, "UNKNOWN_MESSAGE_TYPE", "/types/1"),
        (json!({ "url": url, "types": ["*", "ThingMade"] }), 422, "UNKNOWN_MESSAGE_TYPE", "/types/0"),
        (json!({ "url": url, "description": "d".repeat(501) }), 400, "VALIDATION_FAILED", "/description"),
        (json!({ "url": url, "secret": "whsec_mine" }), 400, "VALIDATION_FAILED", "/secret"),
    ];
    for (body, status, code, pointer) in refused {
        let answer = world.clerk.post("/webhooks", body.clone()).await.is_problem(status, code);
        assert_eq!(answer.text("/errors/0/pointer"), pointer, "{body}");
    }
    let nobody = WebhookId::new();
    let test = world.clerk.post(&format!("/webhooks/{nobody}/test"), json!({})).await;
    test.is_problem(404, "WEBHOOK_NOT_FOUND");
    assert_eq!(world.clerk.get("/webhooks").await.is(200).json["items"], json!([]));
}

// HTTP-14
#[tokio::test]
async fn a_merchant_has_at_most_fifty_webhooks_also_when_made_at_once() {
    let world = World::new().await;
    let body = json!({ "url": world.receiver.url() });
    let made = futures::future::join_all((0..55).map(|_| world.clerk.post("/webhooks", body.clone()))).await;
    assert_eq!(made.iter().filter(|answer| answer.status == 201).count(), 50);
    assert!(made.iter().all(|answer| answer.status == 201 || answer.code() == "WEBHOOK_LIMIT"));
    let one = made.iter().find(|answer| answer.status == 201).unwrap().text("/id").to_owned();
    world.clerk.delete(&format!("/webhooks/{one}")).await.is(204);
    world.clerk.post("/webhooks", body).await.is(201);
}

// HTTP-14
#[tokio::test]
async fn the_log_is_read_by_state_and_page_by_page() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    for n in 0..5 {
        world.publish("ThingMade", "a", n).await;
    }
    world.drain().await;
    world.publish("ThingMade", "a", 5).await;
    world.relay.drain().await.unwrap();
    let log = async |query: &str| world.clerk.get(&format!("/webhooks/{hook}/deliveries{query}")).await;
    let waiting = log("?state=pending").await.is(200);
    assert_eq!(waiting.json["items"].as_array().unwrap().len(), 1);
    let page = log("?limit=4&state=delivered").await.is(200);
    let rest = log(&format!("?state=delivered&cursor={}", page.text("/nextCursor"))).await.is(200);
    assert_eq!(
        page.json["items"].as_array().unwrap().len() + rest.json["items"].as_array().unwrap().len(),
        5
    );
    log("?state=lost").await.is_problem(400, "VALIDATION_FAILED");
}
