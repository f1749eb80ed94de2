use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use messages::{Consumer, ConsumerError, publish};
use testkit::connect;

use crate::support::{Bus, World, counted, n_of, next, over_both_buses, teller, trace, tracer};

over_both_buses! {
    nothing_is_skipped_while_an_earlier_transaction_is_open,
    a_number_that_never_appears_holds_nothing_up,
    messages_of_one_subject_keep_their_order_when_transaction_ids_are_in_another,
    an_open_transaction_in_another_database_delays_nothing,
    order_per_subject_is_kept_through_retries_and_others_go_on,
    a_backlog_larger_than_memory_is_delivered_in_order,
    unwanted_messages_cost_no_delivery,
}

/// Waits until a relay leads the world's database and has looked around for a while.
async fn until_led(world: &World) -> anyhow::Result<()> {
    let look = world.databases.look().await?;
    let mut looks_since = 0;
    while looks_since < 50 {
        let row = look.query_one("select leader_since is not null from messages.relay", &[]).await?;
        looks_since += usize::from(row.get::<_, bool>(0));
    }
    Ok(())
}

// MSG-2: the number is drawn before the commit, so that a later number may be visible earlier.
async fn nothing_is_skipped_while_an_earlier_transaction_is_open(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let (consumer, mut heard) = teller("t");
    let relay = world.relay(vec![consumer]);
    let early = world.db.begin(&world.ctx).await?;
    publish(&early, &[counted("a", 1)]).await?;
    world.publish("a", 2).await?;
    world.publish("b", 3).await?;
    relay.watch(&world.placement());
    until_led(&world).await?;
    assert!(heard.try_recv().is_err(), "delivered past a number that may still appear");
    early.commit().await?;
    let mut told = [next(&mut heard).await?, next(&mut heard).await?, next(&mut heard).await?];
    told.sort_unstable();
    assert_eq!(told, [1, 2, 3]);
    relay.shutdown().await;
    assert_eq!(world.traces("t", "a").await?, [1, 2]);
    world.check().await
}

// MSG-2: an open transaction that rolls back leaves a hole, not a wait.
async fn a_number_that_never_appears_holds_nothing_up(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let relay = world.relay(vec![tracer("t")]);
    let early = world.db.begin(&world.ctx).await?;
    publish(&early, &[counted("a", 1)]).await?;
    world.publish("a", 2).await?;
    drop(early);
    assert_eq!(relay.drain().await?, 1);
    assert_eq!(world.traces("t", "a").await?, [2]);
    Ok(())
}

// MSG-2: with ids ordered against the changes, a cursor over transaction ids would deliver 2 before 1.
async fn messages_of_one_subject_keep_their_order_when_transaction_ids_are_in_another(
    bus: Bus,
) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let (consumer, mut heard) = teller("t");
    let relay = world.relay(vec![consumer]);
    let take_id = "select pg_current_xact_id()::text";
    let oldest = world.db.begin(&world.ctx).await?;
    oldest.query(take_id, &[]).await?;
    let between = world.db.begin(&world.ctx).await?;
    between.query(take_id, &[]).await?;
    world.publish("a", 1).await?;
    publish(&oldest, &[counted("a", 2)]).await?;
    oldest.commit().await?;
    relay.watch(&world.placement());
    until_led(&world).await?;
    assert!(heard.try_recv().is_err());
    between.commit().await?;
    assert_eq!([next(&mut heard).await?, next(&mut heard).await?], [1, 2]);
    relay.shutdown().await;
    Ok(())
}

// The fence of the relay rests on this.
#[tokio::test]
async fn a_publisher_has_its_transaction_id_before_it_draws_numbers() -> anyhow::Result<()> {
    let world = World::new().await?;
    let look = world.databases.look().await?;
    look.batch_execute(
        "create function id_is_there() returns trigger language plpgsql as $$
         begin
             if pg_current_xact_id_if_assigned() is null then raise 'no transaction id yet'; end if;
             return new;
         end $$;
         create trigger id_is_there before insert on messages.outbox
         for each row execute function id_is_there();",
    )
    .await?;
    // The sequence itself takes an id every 32 numbers only.
    for n in 0..40 {
        world.publish("a", n).await?;
    }
    Ok(())
}

async fn an_open_transaction_in_another_database_delays_nothing(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let elsewhere = connect(&world.databases.cluster().admin_of(&world.databases.control)).await?;
    elsewhere.batch_execute("begin; select pg_current_xact_id()").await?;
    world.publish("a", 1).await?;
    let relay = world.relay(vec![tracer("t")]);
    assert_eq!(relay.drain().await?, 1);
    // Only then does it end.
    elsewhere.batch_execute("commit").await?;
    assert_eq!(world.traces("t", "a").await?, [1]);
    Ok(())
}

// MSG-2, MSG-4: a failing message holds up its own subject and consumer, nothing else.
async fn order_per_subject_is_kept_through_retries_and_others_go_on(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let broken = Arc::new(AtomicBool::new(true));
    let fails = broken.clone();
    let picky = Consumer::new("picky", &["Counted"], move |_, tx, message| {
        let fails = fails.clone();
        Box::pin(async move {
            trace(tx, "picky", message).await?;
            if fails.load(Ordering::SeqCst) && n_of(message)? == 2 {
                return Err(ConsumerError::failed("not yet"));
            }
            Ok(())
        })
    });
    let relay = world.relay(vec![picky, tracer("other")]);
    for n in 1..=4 {
        world.publish("a", n).await?;
        world.publish("b", 10 + n).await?;
    }
    relay.drain().await?;
    assert_eq!(world.traces("picky", "a").await?, [1]);
    assert_eq!(world.traces("picky", "b").await?, [11, 12, 13, 14]);
    assert_eq!(world.traces("other", "a").await?, [1, 2, 3, 4]);
    // What comes meanwhile queues up behind it.
    world.publish("a", 5).await?;
    relay.drain().await?;
    assert_eq!(world.traces("picky", "a").await?, [1]);
    // Not before its time.
    world.clock.advance_seconds(4);
    assert_eq!(relay.drain().await?, 0);
    broken.store(false, Ordering::SeqCst);
    world.clock.advance_seconds(6);
    assert_eq!(relay.drain().await?, 4);
    assert_eq!(world.traces("picky", "a").await?, [1, 2, 3, 4, 5]);
    assert_eq!(world.number("select count(*) from messages.delivery").await?, 0);
    world.check().await
}

// MSG-2: more than memory holds, read in parts, still in order and each once.
async fn a_backlog_larger_than_memory_is_delivered_in_order(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let tx = world.db.begin(&world.ctx).await?;
    let drafts: Vec<_> = (0..1000).map(|n| counted(if n < 600 { "long" } else { "short" }, n)).collect();
    publish(&tx, &drafts).await?;
    tx.commit().await?;
    let relay = world.relay_with(vec![tracer("t")], |config| {
        config.read_rows = 300;
        config.read_wanted = 70;
        config.queued_max = 100;
    });
    assert_eq!(relay.drain().await?, 1000);
    assert_eq!(world.traces("t", "long").await?, (0..600).collect::<Vec<_>>());
    assert_eq!(world.traces("t", "short").await?, (600..1000).collect::<Vec<_>>());
    world.check().await
}

// MSG-2: messages that nobody waits for are read past, whole batches of them.
async fn unwanted_messages_cost_no_delivery(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let tx = world.db.begin(&world.ctx).await?;
    let nobodys: Vec<_> = (0..500).map(|n| messages::Draft::new("Ignored", n, &n)).collect();
    publish(&tx, &nobodys).await?;
    publish(&tx, &[counted("a", 1)]).await?;
    tx.commit().await?;
    let relay = world.relay_with(vec![tracer("t")], |config| config.read_rows = 90);
    assert_eq!(relay.drain().await?, 1);
    let read: i64 = world.number("select seq from messages.relay").await?;
    assert_eq!(read, world.number("select max(seq) from messages.outbox").await?);
    assert_eq!(world.number("select count(*) from messages.inbox").await?, 1);
    Ok(())
}
