//! Receivers that do not answer as they should.

use serde_json::{Value, json};

use crate::{
    receiver::Say,
    world::{World, hasty},
};

// HTTP-14
#[tokio::test]
async fn failures_are_retried_with_growing_pauses_under_the_same_id_until_it_arrives() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    world.receiver.next([Say::Status(500, "broken"), Say::Status(404, ""), Say::Status(302, "")]);
    world.publish("ThingMade", "a", 1).await;
    let first = world.drain().await;
    let log = world.log(&hook).await;
    assert_eq!((&log[0]["state"], &log[0]["responseBody"]), (&json!("pending"), &json!("broken")));
    assert_eq!(log[0]["error"], "the receiver answered with status 500");
    assert!(!world.get(&hook).await["failingSince"].is_null());
    let mut pauses = Vec::new();
    let mut heard = Vec::new();
    while let Some(pause) = world.next_in(&hook).await {
        pauses.push(pause);
        assert!(world.drain_after(pause - 1).await.is_empty(), "too early");
        heard.extend(world.drain_after(2).await);
    }
    let planned = [5, 300, 1800];
    assert_eq!(pauses.len(), planned.len());
    for (pause, planned) in pauses.iter().zip(planned) {
        assert!((planned..=planned + planned / 10).contains(pause), "{pauses:?}");
    }
    assert!(heard.iter().all(|request| request.id() == first[0].id() && request.body == first[0].body));
    let log = world.log(&hook).await;
    assert_eq!((&log[0]["state"], &log[0]["attempts"]), (&json!("delivered"), &json!(4)));
    assert!(world.get(&hook).await["failingSince"].is_null(), "a success ends the failing");
    world.check().await;
}

// HTTP-14
#[tokio::test]
async fn a_message_whose_answer_was_lost_is_sent_again_under_the_same_id() {
    let world = World::with(hasty()).await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    world.receiver.next([Say::Nothing]);
    world.publish("ThingMade", "a", 1).await;
    let lost = world.drain().await;
    assert_eq!(world.log(&hook).await[0]["error"], "no answer came in time");
    let again = world.drain_after(6).await;
    assert_eq!((lost.len(), again.len()), (1, 1));
    assert_eq!(lost[0].id(), again[0].id());
    assert!(again[0].header("webhook-timestamp") > lost[0].header("webhook-timestamp"));
}

// HTTP-14
#[tokio::test]
async fn after_three_days_without_success_a_webhook_is_off_and_says_so_and_begins_anew_when_switched_on() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    let watcher = crate::receiver::Receiver::open().await;
    let body = json!({ "url": watcher.url(), "types": ["WebhookDisabled"] });
    world.clerk.post("/webhooks", body).await.is(201);
    world.receiver.usually(Say::Status(503, ""));
    world.publish("ThingMade", "a", 1).await;
    let mut attempts = world.drain().await.len();
    while let Some(pause) = world.next_in(&hook).await {
        assert_eq!(world.get(&hook).await["active"], true);
        attempts += world.drain_after(pause + 1).await.len();
    }
    assert_eq!(attempts, 10);
    let off = world.get(&hook).await;
    assert_eq!((&off["active"], &off["disabledReason"]), (&json!(false), &json!("failing")));
    assert_eq!(world.log(&hook).await[0]["state"], "failed");
    world.publish("ThingMade", "a", 2).await;
    assert!(world.drain().await.is_empty(), "off means off");
    let told = watcher.take();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].json()["data"]["webhookId"], hook.as_str());
    let test = world.clerk.post(&format!("/webhooks/{hook}/test"), json!({})).await;
    test.is_problem(409, "WEBHOOK_OFF");

    world.receiver.usually(Say::Status(204, ""));
    let body = json!({ "url": world.receiver.url(), "types": ["ThingMade"] });
    let on = world.clerk.put(&format!("/webhooks/{hook}"), body).await.is(200);
    assert_eq!((&on.json["active"], &on.json["disabledAt"]), (&json!(true), &Value::Null));
    world.publish("ThingMade", "a", 3).await;
    let heard = world.drain().await;
    assert_eq!((heard.len(), &heard[0].json()["data"]["n"]), (1, &json!(3)));
    let failed = world.log(&hook).await.into_iter().find(|entry| entry["state"] == "failed").unwrap();
    let replay = format!("/webhooks/deliveries/{}/replay", failed["id"].as_str().unwrap());
    world.clerk.post(&replay, json!({})).await.is(202);
    assert_eq!(world.drain().await[0].json()["data"]["n"], 1);
    world.check().await;
}

// HTTP-14
#[tokio::test]
async fn what_waits_while_a_webhook_is_off_is_sent_when_it_is_on_again() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    world.publish("ThingMade", "a", 1).await;
    world.relay.drain().await.unwrap();
    let put = async |active: bool| {
        let body = json!({ "url": world.receiver.url(), "types": ["ThingMade"], "active": active });
        world.clerk.put(&format!("/webhooks/{hook}"), body).await.is(200);
    };
    put(false).await;
    assert!(world.drain_after(10).await.is_empty());
    put(true).await;
    assert_eq!(world.drain().await.len(), 1);
}

// HTTP-14
#[tokio::test]
async fn a_receiver_that_is_gone_switches_its_webhook_off_at_once() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    world.receiver.next([Say::Status(410, "")]);
    world.publish("ThingMade", "a", 1).await;
    world.drain().await;
    let off = world.get(&hook).await;
    assert_eq!((&off["active"], &off["disabledReason"]), (&json!(false), &json!("gone")));
    assert_eq!(world.log(&hook).await[0]["state"], "failed");
    assert!(world.drain_after(90_000).await.is_empty());
}

// HTTP-14
#[tokio::test]
async fn a_busy_receiver_is_given_the_time_it_asks_for_with_all_its_messages() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    world.receiver.next([Say::Header(429, "retry-after", "120".to_owned())]);
    world.publish("ThingMade", "a", 1).await;
    assert_eq!(world.drain().await.len(), 1);
    assert_eq!(world.next_in(&hook).await, Some(120));
    world.publish("ThingMade", "b", 2).await;
    assert!(world.drain_after(119).await.is_empty(), "not before it asked to be called");
    assert_eq!(world.drain_after(2).await.len(), 2);
    world.receiver.next([Say::Header(503, "retry-after", "9999999".to_owned())]);
    world.publish("ThingMade", "a", 3).await;
    world.drain().await;
    assert_eq!(world.next_in(&hook).await, Some(24 * 3600), "within a day");
}

// HTTP-14: a receiver that is down is left alone for a minute after five failures in a row.
#[tokio::test]
async fn a_receiver_that_is_down_is_not_called_for_every_message() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    world.receiver.usually(Say::Status(500, ""));
    for n in 0..40 {
        world.publish("ThingMade", &format!("thing-{n}"), n).await;
    }
    let calls = world.drain().await.len();
    assert!((5..=8).contains(&calls), "{calls}");
    assert!(world.drain_after(59).await.is_empty());
    world.receiver.usually(Say::Status(200, ""));
    assert_eq!(world.drain_after(2).await.len(), 40);
    assert!(world.log(&hook).await.iter().all(|entry| entry["state"] == "delivered"));
}

// HTTP-14
#[tokio::test]
async fn redirects_are_not_followed() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    let elsewhere = crate::receiver::Receiver::open().await;
    world.receiver.next([Say::Header(307, "location", elsewhere.url())]);
    world.publish("ThingMade", "a", 1).await;
    assert_eq!(world.drain().await.len(), 1);
    assert!(elsewhere.take().is_empty());
    assert_eq!(world.log(&hook).await[0]["responseStatus"], 307);
}

// HTTP-14
#[tokio::test]
async fn endless_answers_are_cut_and_answers_that_break_off_still_count() {
    let world = World::with(hasty()).await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    world.receiver.next([Say::Endless]);
    world.publish("ThingMade", "a", 1).await;
    world.drain().await;
    let log = world.log(&hook).await;
    assert_eq!(log[0]["state"], "delivered");
    assert_eq!(log[0]["responseBody"].as_str().unwrap().len(), 1024);
    world.receiver.next([Say::Half]);
    world.publish("ThingMade", "a", 2).await;
    world.drain().await;
    let log = world.log(&hook).await;
    assert_eq!((&log[0]["state"], &log[0]["responseBody"]), (&json!("delivered"), &json!("half")));
}
