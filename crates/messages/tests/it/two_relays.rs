use testkit::connect;

use crate::support::{Bus, World, next, over_both_buses, teller, tracer};

over_both_buses! {
    a_notification_from_another_process_wakes_the_leader,
    databases_come_and_go,
}

async fn until_connected(world: &World, sessions: i64) -> anyhow::Result<()> {
    let admin = connect(&world.databases.cluster().admin()).await?;
    let open =
        "select count(*) from pg_stat_activity where datname = $1 and application_name = 'markethall relay'";
    while admin.query_one(open, &[&world.databases.shared]).await?.get::<_, i64>(0) != sessions {}
    Ok(())
}

async fn leader(world: &World) -> anyhow::Result<String> {
    Ok(world.databases.look().await?.query_one("select leader from messages.relay", &[]).await?.get(0))
}

// MSG-2: many relays may run, each message is handled by one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_relays_one_leads_and_the_other_takes_over() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (one, mut heard_one) = teller("t");
    let (two, mut heard_two) = teller("t");
    let first = world.relay_with(vec![one], |config| config.host = "first".to_owned());
    let second = world.relay_with(vec![two], |config| config.host = "second".to_owned());
    first.watch(&world.placement());
    world.publish("a", 1).await?;
    assert_eq!(next(&mut heard_one).await?, 1);
    second.watch(&world.placement());
    until_connected(&world, 2).await?;
    for n in 2..=20 {
        world.publish("a", n).await?;
        assert_eq!(next(&mut heard_one).await?, n);
    }
    assert_eq!(leader(&world).await?, "first");
    first.shutdown().await;
    for n in 21..=40 {
        world.publish("a", n).await?;
        assert_eq!(next(&mut heard_two).await?, n);
    }
    assert_eq!(leader(&world).await?, "second");
    second.shutdown().await;
    assert!(heard_one.try_recv().is_err() && heard_two.try_recv().is_err());
    assert_eq!(world.traces("t", "a").await?, (1..=40).collect::<Vec<_>>());
    world.check().await
}

// MSG-2: a commit in a process whose relay only follows reaches the leader by notification.
async fn a_notification_from_another_process_wakes_the_leader(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let (consumer, mut heard) = teller("t");
    let relay = world.relay(vec![consumer]);
    relay.watch(&world.placement());
    world.publish("a", 1).await?;
    assert_eq!(next(&mut heard).await?, 1);
    // As another process writes it: no bell of this process rings.
    let admin = connect(&world.databases.cluster().admin_of(&world.databases.shared)).await?;
    admin
        .batch_execute(
            "insert into messages.outbox (tenant_id, seq, id, created_at, kind, subject, correlation_id, data)
             select tenant_id, nextval('messages.outbox_seq'), gen_random_uuid(), created_at, kind, subject, '', '{\"n\":2}'
             from messages.outbox;
             notify markethall_messages",
        )
        .await?;
    assert_eq!(next(&mut heard).await?, 2);
    relay.shutdown().await;
    Ok(())
}

async fn databases_come_and_go(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let (consumer, mut heard) = teller("t");
    let relay = world.relay(vec![consumer]);
    let placement = world.placement();
    for n in 1..=3 {
        relay.watch(&placement);
        relay.watch(&placement);
        assert_eq!(relay.watched(), std::slice::from_ref(&placement));
        world.publish("a", n).await?;
        assert_eq!(next(&mut heard).await?, n);
        relay.unwatch(&placement).await;
        assert_eq!(relay.watched(), []);
    }
    until_connected(&world, 0).await
}

#[tokio::test]
async fn consumers_that_cannot_be_told_apart_are_refused() -> anyhow::Result<()> {
    use messages::{Consumer, Relay, RelayConfig, RelayConfigError};
    let world = World::new().await?;
    let check = |consumers: Vec<Consumer>, error: RelayConfigError| {
        let config = RelayConfig::default();
        let made = Relay::new(world.db.clone(), world.lookup.clone(), world.clock.clone(), consumers, config);
        assert_eq!(made.err(), Some(error));
    };
    check(vec![tracer("t"), tracer("t")], RelayConfigError::DuplicateConsumer("t"));
    let none = Consumer::new("none", &[], |_, _, _| Box::pin(async { Ok(()) }));
    check(vec![none], RelayConfigError::BadKinds("none"));
    let twice = Consumer::new("twice", &["A", "A"], |_, _, _| Box::pin(async { Ok(()) }));
    check(vec![twice], RelayConfigError::BadKinds("twice"));
    Ok(())
}
