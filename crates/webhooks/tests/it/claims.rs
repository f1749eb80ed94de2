//! Several senders, and senders that die.

use std::collections::HashSet;

use crate::{
    receiver::Say,
    world::{World, open, sender},
};

// HTTP-14
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_senders_at_once_send_everything_once() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    for n in 0..60 {
        world.publish("ThingMade", &format!("thing-{}", n % 20), n).await;
    }
    world.relay.drain().await.unwrap();
    let other = sender(&world.site.db, &world.site.clock, &world.lookup, open());
    let (one, two) = tokio::join!(world.webhooks.drain(), other.drain());
    one.unwrap();
    two.unwrap();
    // What one of them left because the other was at it.
    world.webhooks.drain().await.unwrap();
    let heard = world.receiver.take();
    let ids: HashSet<&str> = heard.iter().map(|request| request.id()).collect();
    assert_eq!((heard.len(), ids.len()), (60, 60));
    for subject in 0..20 {
        let subject = format!("thing-{subject}");
        let of_subject =
            heard.iter().map(|request| request.json()).filter(|body| body["subject"] == *subject);
        let told: Vec<i64> = of_subject.map(|body| body["data"]["n"].as_i64().unwrap()).collect();
        assert!(told.is_sorted(), "{subject}: {told:?}");
    }
    assert!(world.log(&hook).await.iter().all(|entry| entry["attempts"] == 1));
    world.check().await;
}

// HTTP-14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_sender_that_died_had_sent_but_not_recorded_is_sent_again_under_the_same_id() {
    let world = World::new().await;
    let (hook, _) = world.hook(&["ThingMade"]).await;
    world.receiver.next([Say::Nothing]);
    world.publish("ThingMade", "a", 1).await;
    world.relay.drain().await.unwrap();
    let dying = sender(
        &world.site.db,
        &world.site.clock,
        &world.lookup,
        webhooks::WebhooksConfig { timeout_ms: 30_000, ..open() },
    );
    let sending = tokio::spawn(async move { dying.drain().await });
    world.receiver.until(1).await;
    sending.abort();
    assert!(sending.await.unwrap_err().is_cancelled());
    let first = world.receiver.take();
    assert!(world.drain_after(60).await.is_empty(), "it may still be at work");
    let again = world.drain_after(60).await;
    assert_eq!((first[0].id(), again.len()), (again[0].id(), 1));
    assert_eq!(world.log(&hook).await[0]["attempts"], 1, "the other attempt is not known");
    world.check().await;
}
