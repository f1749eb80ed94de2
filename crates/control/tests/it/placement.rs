//! PLT-2: where new tenants go.

use std::collections::BTreeMap;

use control::Purpose;
use serde_json::json;

use crate::world::{World, new_tenant, shard};

async fn counts(world: &World) -> BTreeMap<String, i64> {
    let shards = world.operator().await.get("/admin/shards").await.is(200);
    let items = shards.json["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|shard| (shard["name"].as_str().unwrap().to_owned(), shard["tenants"].as_i64().unwrap()))
        .collect()
}

fn expect(pairs: &[(&str, i64)]) -> BTreeMap<String, i64> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

// PLT-2
#[tokio::test]
async fn tenants_spread_over_shards_by_weight() {
    let world = World::start_with(|config| config.shards = vec![shard("east", 1), shard("west", 3)]).await;
    for number in 0..8 {
        world.tenant(&format!("t{number}")).await;
    }
    assert_eq!(counts(&world).await, expect(&[("east", 2), ("west", 6)]));
}

#[tokio::test]
async fn a_draining_shard_keeps_its_tenants_and_takes_no_new_ones() {
    let world = World::start_with(|config| config.shards = vec![shard("east", 1), shard("west", 1)]).await;
    world.tenant("t0").await;
    let operator = world.operator().await;
    operator.put("/admin/shards/east", json!({ "weight": 1, "draining": true })).await.is(200);
    for number in 1..4 {
        world.tenant(&format!("t{number}")).await;
    }
    assert_eq!(counts(&world).await, expect(&[("east", 1), ("west", 3)]));
    operator.put("/admin/shards/west", json!({ "weight": 1, "draining": true })).await.is(200);
    let stopped = operator.post("/admin/tenants", new_tenant("t4")).await.is(202);
    assert_eq!(stopped.text("/status"), "provision_error");
    assert!(stopped.text("/provisioning/lastError").contains("no shard"), "{}", stopped.json);
}

#[tokio::test]
async fn a_region_and_a_named_shard_are_kept_to() {
    let world = World::start_with(|config| {
        let (mut east, mut west) = (shard("east", 1), shard("west", 1000));
        (east.region, west.region) = ("eu".to_owned(), "us".to_owned());
        config.shards = vec![east, west];
    })
    .await;
    let operator = world.operator().await;
    let mut body = new_tenant("a1");
    body["region"] = json!("eu");
    assert_eq!(operator.post("/admin/tenants", body.clone()).await.is(201).text("/placement/shard"), "east");
    body = new_tenant("a2");
    body["shard"] = json!("east");
    assert_eq!(operator.post("/admin/tenants", body.clone()).await.is(201).text("/placement/shard"), "east");
    body = new_tenant("a3");
    body["region"] = json!("asia");
    assert_eq!(operator.post("/admin/tenants", body).await.is(202).text("/status"), "provision_error");
}

#[tokio::test]
async fn an_enterprise_tenant_goes_to_a_shard_kept_for_such() {
    let world = World::start_with(|config| {
        let mut kept = shard("kept", 1);
        kept.purpose = Purpose::Dedicated;
        config.shards = vec![shard("any", 1000), kept];
    })
    .await;
    for slug in ["big", "bigger"] {
        let mut body = new_tenant(slug);
        body["tier"] = json!("enterprise");
        let made = world.operator().await.post("/admin/tenants", body).await.is(201);
        assert_eq!((made.text("/placement/shard"), made.text("/placement/kind")), ("kept", "dedicated"));
    }
    world.tenant("small").await;
    assert_eq!(counts(&world).await, expect(&[("any", 1), ("kept", 2)]));
}

#[tokio::test]
async fn the_placement_may_be_chosen_against_the_tier() {
    let world = World::start().await;
    let operator = world.operator().await;
    let mut body = new_tenant("free-own");
    (body["tier"], body["placement"]) = (json!("free"), json!("dedicated"));
    assert_eq!(operator.post("/admin/tenants", body).await.is(201).text("/placement/kind"), "dedicated");
    let mut body = new_tenant("big-shared");
    (body["tier"], body["placement"]) = (json!("enterprise"), json!("shared"));
    assert_eq!(operator.post("/admin/tenants", body).await.is(201).text("/placement/kind"), "shared");
}
