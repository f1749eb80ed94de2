use messages::{Draft, EVERY_KIND, publish, request};
use serde_json::json;

use crate::support::{World, next, teller, tracer};

async fn ask(world: &World, kinds: &[&str]) -> anyhow::Result<()> {
    let tx = world.db.begin(&world.ctx).await?;
    request(&tx, "asked", kinds).await?;
    Ok(tx.commit().await?)
}

// MSG-2, HTTP-14: messages of tenants that have asked for nothing cost such a consumer nothing.
#[tokio::test]
async fn a_consumer_on_request_hears_what_its_tenants_have_asked_for_and_nothing_else() -> anyhow::Result<()>
{
    let world = World::new().await?;
    let other = world.databases.tenant("bolt");
    world.add_tenant(&other);
    let relay = world.relay(vec![tracer("always"), tracer("asked").on_request()]);
    world.publish("a", 1).await?;
    relay.drain().await?;
    ask(&world, &["SomethingElse"]).await?;
    world.publish("a", 2).await?;
    relay.drain().await?;
    ask(&world, &["Counted", "SomethingElse"]).await?;
    world.publish("a", 3).await?;
    let theirs = world.db.begin(&world.databases.ctx(&other, world.now())).await?;
    publish(&theirs, &[Draft::new("Counted", "b", &json!({ "n": 4 }))]).await?;
    theirs.commit().await?;
    relay.drain().await?;
    ask(&world, &[EVERY_KIND]).await?;
    world.publish("a", 5).await?;
    relay.drain().await?;
    ask(&world, &[]).await?;
    world.publish("a", 6).await?;
    relay.drain().await?;
    assert_eq!(world.traces("asked", "a").await?, [3, 5]);
    assert_eq!(world.traces("asked", "b").await?, Vec::<i64>::new());
    assert_eq!(world.traces("always", "a").await?, [1, 2, 3, 5, 6]);
    assert_eq!(world.traces("always", "b").await?, [4]);
    assert_eq!(world.number("select count(*) from messages.inbox where consumer = 'asked'").await?, 2);
    world.check().await
}

// MSG-2: its sweep takes an hour, so that only the bell can wake it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_a_tenant_that_has_asked_wakes_the_relay() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (consumer, mut heard) = teller("asked");
    ask(&world, &["Counted"]).await?;
    let relay = world.relay(vec![consumer.on_request()]);
    // Read by the relay when it begins; from then on it knows who has asked.
    world.publish("a", 0).await?;
    relay.watch(&world.placement());
    assert_eq!(next(&mut heard).await?, 0);
    for n in 1..=5 {
        world.publish("a", n).await?;
        assert_eq!(next(&mut heard).await?, n);
    }
    relay.shutdown().await;
    world.check().await
}
