//! PLT-2: shards at runtime.

use serde_json::json;

use crate::world::{World, shard};

#[tokio::test]
async fn a_configured_cluster_is_added_listed_and_drained_at_runtime() {
    let world = World::start_with(|config| config.shards = vec![shard("east", 1), shard("west", 1)]).await;
    let operator = world.operator().await;
    world.sql("delete from control.shard where name = 'west'").await;
    let west = json!({ "name": "west", "weight": 2, "region": "eu", "purpose": "shared" });
    let added = operator.post("/admin/shards", west.clone()).await.is(201);
    assert_eq!(added.header("location"), "/api/v1/admin/shards/west");
    operator.post("/admin/shards", west).await.is_problem(409, "SHARD_EXISTS");
    operator
        .post("/admin/shards", json!({ "name": "north", "weight": 1 }))
        .await
        .is_problem(422, "SHARD_NOT_CONFIGURED");
    operator
        .post("/admin/shards", json!({ "name": "west", "weight": 0 }))
        .await
        .is_problem(400, "VALIDATION_FAILED");

    let read = operator.get("/admin/shards/west").await.is(200);
    assert_eq!((read.text("/region"), read.text("/purpose")), ("eu", "shared"));
    let drain = json!({ "weight": 2, "draining": true });
    let put = |etag: &str| {
        operator.api(http::Method::PUT, "/admin/shards/west").header("if-match", etag).json(&drain)
    };
    assert_eq!(put(read.header("etag")).send().await.is(200).json["draining"], json!(true));
    put(read.header("etag")).send().await.is_problem(412, "PRECONDITION_FAILED");
    operator.put("/admin/shards/none", drain.clone()).await.is_problem(404, "NOT_FOUND");
    let listed = operator.get("/admin/shards?limit=1").await.is(200);
    assert_eq!(listed.text("/items/0/name"), "east");
    let next = operator.get(&format!("/admin/shards?cursor={}", listed.text("/nextCursor"))).await.is(200);
    assert_eq!(next.text("/items/0/name"), "west");
}

#[tokio::test]
async fn what_was_changed_at_runtime_survives_a_restart() {
    let world = World::start().await;
    let operator = world.operator().await;
    operator.put("/admin/shards/main", json!({ "weight": 7, "draining": true })).await.is(200);
    world.control.prepare().await.unwrap();
    assert_eq!(operator.get("/admin/shards/main").await.is(200).json["weight"], json!(7));
}
