//! PLT-8: what tenants use is counted beside their requests, handed in once, added up, and shown to them and the operator.

use control::usage::add_up;
use http::Method;
use serde_json::{Value, json};
use testkit::Client;
use uuid::Uuid;

use crate::world::{World, eventually};

/// Hands in what was counted and adds it up.
async fn settle(world: &World) {
    world.control.flush_usage().await.unwrap();
    add_up(&world.control, world.clock.now()).await.unwrap();
}

async fn usage(world: &World, query: &str) -> Value {
    world.operator().await.get(&format!("/admin/usage{query}")).await.is(200).json
}

/// A few calls; how many bytes their answers had.
async fn use_it(client: &Client, calls: usize) -> usize {
    let mut sent = 0;
    for _ in 0..calls {
        sent += client.get("/me").await.is(200).body.len();
    }
    sent
}

// PLT-8
#[tokio::test]
async fn calls_and_bytes_are_counted_for_the_tenant_that_caused_them() {
    let world = World::start().await;
    let (acme_id, bolt_id) = (world.tenant("acme").await, world.tenant("bolt").await);
    let acme = world.with(Some(acme_id), &["*"]).await;
    let bolt = world.with(Some(bolt_id), &["usage:read"]).await;
    let mut sent = use_it(&acme, 3).await;
    let body = json!({ "vatRounding": "total" });
    sent += acme.put("/settings", body.clone()).await.is(200).body.len();
    use_it(&bolt, 2).await;
    // What is refused before a handler is no use.
    bolt.put("/settings", body.clone()).await.is(403);
    settle(&world).await;
    let seen = usage(&world, "").await;
    let of = |at: usize, name: &str| seen["items"][at][name].clone();
    assert_eq!((of(0, "tenant"), of(0, "calls")), (json!("acme"), json!(4)));
    assert_eq!((of(0, "sentBytes"), of(0, "receivedBytes")), (json!(sent), json!(body.to_string().len())));
    assert_eq!(
        (of(1, "tenant"), of(1, "calls"), of(1, "receivedBytes")),
        (json!("bolt"), json!(2), json!(0))
    );

    // A tenant sees its own, by hour and by day; the next hour is another one.
    world.clock.advance_seconds(3000);
    use_it(&acme, 1).await;
    world.clock.advance_seconds(600);
    let acme = world.with(Some(acme_id), &["*"]).await;
    use_it(&acme, 1).await;
    settle(&world).await;
    let hours = acme.get("/usage?groupBy=hour&limit=1").await.is(200).json;
    assert_eq!(hours["items"][0]["calls"], 5);
    assert_eq!(hours["items"][0]["from"], "2026-11-21T10:00:00Z");
    let next = hours["nextCursor"].as_str().unwrap();
    let next = acme.get(&format!("/usage?groupBy=hour&limit=1&cursor={next}")).await.is(200).json;
    assert_eq!((&next["items"][0]["calls"], &next["nextCursor"]), (&json!(1), &Value::Null));
    assert_eq!(next["items"][0]["from"], "2026-11-21T11:00:00Z");
    // Looking is use as well.
    settle(&world).await;
    let days = acme.get("/usage").await.is(200).json;
    assert_eq!(days["items"][0]["calls"], 8);
    assert_eq!(days["items"][0]["from"], "2026-11-21T00:00:00Z");
    world.with(None, &["platform:tenants"]).await.get("/admin/usage").await.is(403);
}

// PLT-8, PLT-3: nothing is lost and nothing counts twice.
#[tokio::test]
async fn counting_goes_on_while_the_control_database_is_away_and_everything_arrives_once() {
    let world = World::start().await;
    let id = world.tenant("acme").await;
    let acme = world.with(Some(id), &["*"]).await;
    use_it(&acme, 2).await;
    world.control_database_answers(false).await;
    assert!(world.control.flush_usage().await.is_err());
    use_it(&acme, 3).await;
    assert!(world.control.flush_usage().await.is_err());
    world.control_database_answers(true).await;
    eventually(async || world.control.flush_usage().await.is_ok()).await;
    add_up(&world.control, world.clock.now()).await.unwrap();
    assert_eq!(usage(&world, "").await["items"][0]["calls"], 5);
    // Stopping hands in what is left, and adding up again changes nothing.
    use_it(&acme, 1).await;
    world.control.stop().await;
    add_up(&world.control, world.clock.now()).await.unwrap();
    add_up(&world.control, world.clock.now()).await.unwrap();
    assert_eq!(usage(&world, "").await["items"][0]["calls"], 6);

    // A batch whose answer got lost is handed in again under its name, and counts once.
    let tx = world.db.control().await.unwrap();
    let (batch, hour, one) = (Uuid::now_v7(), world.clock.now(), vec![1_i64]);
    for _ in 0..2 {
        let statement = include_str!("../../src/usage/save_usage.sql");
        tx.execute(
            statement,
            &[&batch, &hour, &vec![id], &vec![hour], &one, &one, &one, &one, &one, &one, &one],
        )
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    settle(&world).await;
    assert_eq!(usage(&world, "").await["items"][0]["calls"], 7);
}

// PLT-8, HTTP-5, HTTP-8
#[tokio::test]
async fn the_report_comes_in_pages_and_as_csv_and_only_of_days_that_can_be() {
    let world = World::start().await;
    for slug in ["acme", "bolt", "cask"] {
        let id = world.tenant(slug).await;
        use_it(&world.with(Some(id), &[]).await, 1).await;
    }
    settle(&world).await;
    let (mut slugs, mut path) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = usage(&world, &path).await;
        let items = page["items"].as_array().unwrap();
        slugs.extend(items.iter().map(|item| item["tenant"].as_str().unwrap().to_owned()));
        let Some(next) = page["nextCursor"].as_str() else { break };
        path = format!("?limit=2&cursor={next}");
    }
    assert_eq!(slugs, ["acme", "bolt", "cask"]);
    assert_eq!(usage(&world, "?tenant=bolt").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(usage(&world, "?from=2026-11-22").await["items"], json!([]));
    assert_eq!(usage(&world, "?to=2026-11-20").await["items"], json!([]));

    let operator = world.operator().await;
    let csv =
        operator.api(Method::GET, "/admin/usage?limit=1").header("accept", "text/csv").send().await.is(200);
    let text = String::from_utf8(csv.body.to_vec()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let header = "tenant,tier,from,to,calls,received_bytes,sent_bytes,worked_ms,messages,stored_rows,stored_bytes,database_ms,moved_rows";
    assert_eq!(lines[0], header);
    assert!(lines.len() == 4 && lines[2].starts_with("bolt,standard,2026-11-01,2026-11-21,1,0,"), "{text}");

    for wrong in
        ["from=2026-11-21&to=2026-11-20", "from=2024-01-01&to=2026-01-01", "from=0000-01-01&to=0000-01-02"]
    {
        let answer = operator.get(&format!("/admin/usage?{wrong}")).await.is(400);
        assert_eq!(answer.json["errors"][0]["parameter"], "to", "{wrong}");
    }
    operator.get("/admin/usage?from=yesterday").await.is(400);
}

// PLT-8: hours are kept for a quarter of a year, days for three years.
#[tokio::test]
async fn old_hours_go_and_their_days_stay() {
    let world = World::start().await;
    let id = world.tenant("acme").await;
    use_it(&world.with(Some(id), &[]).await, 1).await;
    settle(&world).await;
    let later = |days: i64| world.clock.now() + jiff::SignedDuration::from_hours(24 * days);
    control::purge(&world.control, later(100)).await.unwrap();
    let left = "select (select count(*) from control.usage_hour)::text || (select count(*) from control.usage_day)::text";
    assert_eq!(world.ask(left).await, "01");
    // What has no hours any more keeps its days.
    add_up(&world.control, world.clock.now()).await.unwrap();
    assert_eq!(usage(&world, "").await["items"][0]["calls"], 1);
    control::purge(&world.control, later(1200)).await.unwrap();
    assert_eq!(world.ask(left).await, "00");
}
