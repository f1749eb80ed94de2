//! What is forgotten, and what is too much.

use jiff::SignedDuration;
use serde_json::json;
use webhooks::purge;

use crate::world::World;

// HTTP-14
#[tokio::test]
async fn the_log_is_kept_for_thirty_days_and_deleted_webhooks_leave_nothing() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    world.publish("ThingMade", "old", 1).await;
    world.drain().await;
    world.drain_after(SignedDuration::from_hours(30 * 24).as_secs() - 60).await;
    world.publish("ThingMade", "new", 2).await;
    world.drain().await;
    let clear = async || purge(&world.site.db, &world.ctx()).await.unwrap();
    assert_eq!(clear().await, 0);
    world.site.clock.advance_seconds(120);
    assert_eq!(clear().await, 2, "a delivery and what it sent");
    let log = world.log(&hook).await;
    assert_eq!((log.len(), &log[0]["subject"]), (1, &json!("new")));
    world.check().await;
    world.clerk.delete(&format!("/webhooks/{hook}")).await.is(204);
    assert_eq!(clear().await, 2, "the other delivery and the webhook");
    world.site.clock.advance_seconds(31 * 24 * 3600);
    assert_eq!(clear().await, 1, "what it sent");
    world.check().await;
}

// HTTP-14
#[tokio::test]
async fn what_comes_when_fifty_thousand_wait_is_logged_as_dropped_and_can_be_replayed() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    world.publish("ThingMade", "first", 0).await;
    world.relay.drain().await.unwrap();
    let look = world.site.databases.look().await.unwrap();
    let fill = "insert into webhooks.delivery (
                    tenant_id, id, subscription_id, message_id, kind, subject, state, next_attempt_at, created_at
                )
                select d.tenant_id, gen_random_uuid(), d.subscription_id, d.message_id, d.kind, n::text, d.state,
                    d.next_attempt_at, d.created_at
                from webhooks.delivery as d, generate_series(1, 49999) as n";
    look.execute(fill, &[]).await.unwrap();
    world.publish("ThingMade", "late", 1).await;
    world.relay.drain().await.unwrap();
    let dropped = world.clerk.get(&format!("/webhooks/{hook}/deliveries?state=dropped")).await.is(200);
    assert_eq!(
        (dropped.text("/items/0/subject"), &dropped.json["items"][0]["attempts"]),
        ("late", &json!(0))
    );
    look.execute("delete from webhooks.delivery where state = 'pending'", &[]).await.unwrap();
    let replay = format!("/webhooks/deliveries/{}/replay", dropped.text("/items/0/id"));
    world.clerk.post(&replay, json!({})).await.is(202);
    assert_eq!(world.drain().await[0].json()["subject"], "late");
    world.check().await;
}
