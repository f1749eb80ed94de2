//! What is sent, to whom, and how it is signed.

use serde_json::{Value, json};

use crate::{receiver::Say, world::World};

// HTTP-14
#[tokio::test]
async fn a_message_is_sent_signed_as_standard_webhooks_says_and_logged() {
    let world = World::new().await;
    let (hook, secret) = world.hook(&["ThingMade"]).await;
    world.publish("ThingMade", "thing-1", 7).await;
    world.publish("ThingBroken", "thing-1", 8).await;
    let heard = world.drain().await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    let (request, body) = (&heard[0], heard[0].json());
    assert!(request.is_signed_with(&secret));
    assert!(!request.is_signed_with("whsec_bm90IHRoaXMgb25lIG5vdCB0aGlzIG9uZSBub3Q="));
    assert_eq!(request.header("content-type"), "application/json");
    assert!(request.id().starts_with("msg_"), "{}", request.id());
    let expected = json!({
        "type": "ThingMade", "timestamp": body["timestamp"], "data": { "n": 7 }, "tenant": world.tenant.id,
        "subject": "thing-1", "id": request.id()
    });
    assert_eq!(body, expected);
    let log = world.log(&hook).await;
    assert_eq!(log.len(), 1);
    let entry = |name: &str| log[0][name].clone();
    assert_eq!((entry("state"), entry("attempts")), (json!("delivered"), json!(1)));
    assert_eq!((entry("responseStatus"), entry("responseBody")), (json!(200), json!("thanks")));
    assert_eq!((entry("messageId"), entry("nextAttemptAt")), (json!(request.id()), Value::Null));
    assert!(world.drain_after(3600).await.is_empty(), "sent once");
    world.check().await;
}

// HTTP-14
#[tokio::test]
async fn a_webhook_for_all_types_hears_every_message_and_each_webhook_under_one_id() {
    let world = World::new().await;
    let (_, all) = world.hook(&["*"]).await;
    let (_, broken) = world.hook(&["ThingBroken"]).await;
    world.publish("ThingBroken", "a", 1).await;
    world.publish("NobodyListsThis", "a", 2).await;
    let heard = world.drain().await;
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].id(), heard[1].id());
    for secret in [all, broken] {
        assert_eq!(heard.iter().filter(|request| request.is_signed_with(&secret)).count(), 1);
    }
}

// HTTP-14
#[tokio::test]
async fn after_a_rotation_both_secrets_verify_for_a_day_then_only_the_new_one() {
    let world = World::new().await;
    let (hook, old) = world.hook(&["ThingMade"]).await;
    let path = format!("/webhooks/{hook}/rotate-secret");
    let rotated = world.clerk.post(&path, json!({})).await.is(200);
    let new = rotated.text("/secret").to_owned();
    assert_ne!(new, old);
    world.publish("ThingMade", "a", 1).await;
    let heard = world.drain().await;
    assert!(heard[0].is_signed_with(&new) && heard[0].is_signed_with(&old));
    assert_eq!(heard[0].header("webhook-signature").split(' ').count(), 2);
    world.site.clock.advance_seconds(24 * 3600 + 1);
    world.publish("ThingMade", "a", 2).await;
    let heard = world.drain().await;
    assert_eq!(heard[0].header("webhook-signature").split(' ').count(), 1);
    let (id, at) = (heard[0].id(), heard[0].header("webhook-timestamp").parse().unwrap());
    let signed = standardwebhooks::Webhook::new(&new).unwrap().sign(id, at, &heard[0].body).unwrap();
    assert_eq!(heard[0].header("webhook-signature"), signed);
}

// HTTP-14
#[tokio::test]
async fn first_attempts_keep_the_order_of_a_subject_and_a_failing_one_is_in_nobodys_way() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    for n in 0..12 {
        world.publish("ThingMade", "one", n).await;
    }
    world.receiver.next([Say::Status(500, "")]);
    let told = |heard: &[crate::receiver::Heard]| -> Vec<i64> {
        heard.iter().map(|request| request.json()["data"]["n"].as_i64().unwrap()).collect()
    };
    assert_eq!(told(&world.drain().await), (0..12).collect::<Vec<_>>());
    assert_eq!(told(&world.drain_after(6).await), [0]);
    assert!(world.log(&hook).await.iter().all(|entry| entry["state"] == "delivered"));
    world.check().await;
}

// HTTP-14
#[tokio::test]
async fn a_test_message_is_sent_and_a_delivery_replayed_under_the_same_id() {
    let world = World::new().await;
    let (hook, secret) = world.hook(&["ThingMade"]).await;
    let test = world.clerk.post(&format!("/webhooks/{hook}/test"), json!({})).await.is(202);
    let delivery = test.header("location").strip_prefix("/api/v1").unwrap().to_owned();
    let heard = world.drain().await;
    assert_eq!((heard[0].json()["type"].as_str(), heard.len()), (Some("WebhookTest"), 1));
    assert!(heard[0].is_signed_with(&secret));
    assert_eq!(world.clerk.get(&delivery).await.is(200).text("/state"), "delivered");
    let replay = format!("{delivery}/replay");
    assert_eq!(world.clerk.post(&replay, json!({})).await.is(202).text("/state"), "pending");
    world.clerk.post(&replay, json!({})).await.is_problem(409, "WEBHOOK_DELIVERY_PENDING");
    let again = world.drain().await;
    assert_eq!((again[0].id(), &again[0].body), (heard[0].id(), &heard[0].body));
    assert_eq!(world.clerk.get(&delivery).await.is(200).json["attempts"], 2);
    world.check().await;
}

// HTTP-14
#[tokio::test]
async fn tenants_hear_of_their_own_messages_only() {
    let world = World::new().await;
    let (other, clerk) = world.add_tenant("bolt");
    let (hook, _) = world.hook(&["*"]).await;
    world.publish_as(&other, "ThingMade", "theirs", 1).await;
    assert!(world.drain().await.is_empty());
    let body = json!({ "url": world.receiver.url() });
    let theirs = clerk.post("/webhooks", body.clone()).await.is(201);
    world.publish_as(&other, "ThingMade", "theirs", 2).await;
    let heard = world.drain().await;
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].json()["tenant"], json!(other.id));
    assert!(heard[0].is_signed_with(theirs.text("/secret")));
    let delivery = clerk.get(&format!("/webhooks/{}/deliveries", theirs.text("/id"))).await.is(200);
    let delivery = delivery.text("/items/0/id");
    clerk.get(&format!("/webhooks/{hook}")).await.is_problem(404, "WEBHOOK_NOT_FOUND");
    clerk.put(&format!("/webhooks/{hook}"), body).await.is_problem(404, "WEBHOOK_NOT_FOUND");
    clerk.delete(&format!("/webhooks/{hook}")).await.is_problem(404, "WEBHOOK_NOT_FOUND");
    for route in ["rotate-secret", "test"] {
        clerk
            .post(&format!("/webhooks/{hook}/{route}"), json!({}))
            .await
            .is_problem(404, "WEBHOOK_NOT_FOUND");
    }
    clerk.get(&format!("/webhooks/{hook}/deliveries")).await.is_problem(404, "WEBHOOK_NOT_FOUND");
    let path = format!("/webhooks/deliveries/{delivery}");
    world.clerk.get(&path).await.is_problem(404, "WEBHOOK_DELIVERY_NOT_FOUND");
    let replay = world.clerk.post(&format!("{path}/replay"), json!({})).await;
    replay.is_problem(404, "WEBHOOK_DELIVERY_NOT_FOUND");
    assert_eq!(world.clerk.get("/webhooks").await.is(200).json["items"].as_array().unwrap().len(), 1);
}

// HTTP-14: woken by the commit, without a sweep.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_sender_sends_at_once_when_a_message_is_published() {
    let world = World::new().await;
    world.relay.watch(&world.tenant.placement);
    world.webhooks.start();
    let (hook, _) = world.hook(&["ThingMade"]).await;
    for n in 1..=3 {
        world.publish("ThingMade", "a", n).await;
        let begun = std::time::Instant::now();
        world.receiver.until(usize::try_from(n).unwrap()).await;
        // The first one may have to wait until the relay has looked around.
        assert!(n == 1 || begun.elapsed() < std::time::Duration::from_secs(4), "{:?}", begun.elapsed());
    }
    world.webhooks.shutdown().await;
    world.relay.shutdown().await;
    assert!(world.log(&hook).await.iter().all(|entry| entry["state"] == "delivered"));
}
