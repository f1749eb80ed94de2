use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use messages::Consumer;
use tokio::sync::{Semaphore, mpsc};

use crate::support::{Bus, World, n_of, next, over_both_buses, teller, trace, tracer};

over_both_buses! {
    a_message_published_while_no_relay_lives_is_delivered_by_the_next,
    a_database_that_was_away_is_served_again_when_it_is_back,
    a_handler_whose_connection_dies_is_tried_again_without_being_counted,
    what_a_dead_process_left_half_done_is_done_once_by_another,
    a_message_read_twice_is_recognised_by_the_inbox,
    exactly_once_in_effect_and_in_order_while_connections_are_killed_at_random,
}

pub(crate) const RELAY: &str = "markethall relay";
const APP: &str = "markethall";

/// A consumer that tells when it has written its effect, then waits for a pass before its transaction may end.
pub(crate) fn gated(name: &'static str) -> (Consumer, mpsc::UnboundedReceiver<i64>, Arc<Semaphore>) {
    let (told, heard) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let passes = gate.clone();
    let consumer = Consumer::new(name, &["Counted"], move |_, tx, message| {
        let (told, passes) = (told.clone(), passes.clone());
        Box::pin(async move {
            trace(tx, name, message).await?;
            let _ = told.send(n_of(message)?);
            if let Ok(pass) = passes.acquire().await {
                pass.forget();
            }
            Ok(())
        })
    });
    (consumer, heard, gate)
}

// MSG-5: killed between the commit of the cause and the reading of the outbox.
async fn a_message_published_while_no_relay_lives_is_delivered_by_the_next(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let (consumer, mut heard) = teller("t");
    let relay = world.relay(vec![consumer]);
    relay.watch(&world.placement());
    world.publish("a", 1).await?;
    assert_eq!(next(&mut heard).await?, 1);
    world.kill_sessions(RELAY).await?;
    world.publish("a", 2).await?;
    assert_eq!(next(&mut heard).await?, 2);
    relay.shutdown().await;
    assert_eq!(world.traces("t", "a").await?, [1, 2]);
    world.check().await
}

// MSG-5: killed after the deliveries were written, while a handler is at work; its connection lives on.
#[tokio::test]
async fn a_handler_broken_off_with_its_leader_has_no_effect_and_is_done_again() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (consumer, mut heard, gate) = gated("t");
    let relay = world.relay(vec![consumer]);
    relay.watch(&world.placement());
    world.publish("a", 1).await?;
    world.publish("a", 2).await?;
    assert_eq!(next(&mut heard).await?, 1);
    assert_eq!(world.kill_sessions(RELAY).await?, 1);
    // The next leader starts over with the first.
    assert_eq!(next(&mut heard).await?, 1);
    gate.add_permits(10);
    assert_eq!(next(&mut heard).await?, 2);
    relay.shutdown().await;
    assert_eq!(world.traces("t", "a").await?, [1, 2]);
    world.check().await
}

// MSG-5: the database is away for a while: nobody can connect, all connections are gone.
async fn a_database_that_was_away_is_served_again_when_it_is_back(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let (consumer, mut heard) = teller("t");
    let relay = world.relay(vec![consumer]);
    relay.watch(&world.placement());
    world.publish("a", 1).await?;
    assert_eq!(next(&mut heard).await?, 1);
    let admin = testkit::connect(&world.databases.cluster().admin()).await?;
    let allow = |yes: bool| format!("alter database {} allow_connections {yes}", world.databases.shared);
    admin.batch_execute(&allow(false)).await?;
    world.kill_sessions(RELAY).await?;
    world.kill_sessions(APP).await?;
    assert!(world.publish("a", 2).await.is_err());
    while relay.status()[0].is_connected() {
        tokio::task::yield_now().await;
    }
    admin.batch_execute(&allow(true)).await?;
    world.publish("a", 3).await?;
    assert_eq!(next(&mut heard).await?, 3);
    relay.shutdown().await;
    assert_eq!(world.traces("t", "a").await?, [1, 3]);
    world.check().await
}

// MSG-5: the handler's connection dies before its commit.
async fn a_handler_whose_connection_dies_is_tried_again_without_being_counted(
    bus: Bus,
) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let (consumer, mut heard, gate) = gated("t");
    let relay = world.relay_with(vec![consumer], |config| config.retry.tries = 1);
    relay.watch(&world.placement());
    world.publish("a", 1).await?;
    assert_eq!(next(&mut heard).await?, 1);
    assert!(world.kill_sessions(APP).await? > 0);
    gate.add_permits(10);
    assert_eq!(next(&mut heard).await?, 1);
    relay.shutdown().await;
    assert_eq!(world.traces("t", "a").await?, [1]);
    assert_eq!(world.number("select count(*) from messages.dead_letter").await?, 0);
    world.check().await
}

// MSG-5: the whole process is gone in the middle of a handler (its tasks are dropped with their runtime).
async fn what_a_dead_process_left_half_done_is_done_once_by_another(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let (consumer, mut heard, _gate) = gated("t");
    let relay = world.relay(vec![consumer]);
    let placement = world.placement();
    world.publish("a", 1).await?;
    world.publish("b", 2).await?;
    let process = tokio::spawn(async move { relay.drain_database(&placement).await });
    next(&mut heard).await?;
    process.abort();
    assert!(process.await.is_err());
    world.relay(vec![tracer("t")]).drain().await?;
    assert_eq!((world.traces("t", "a").await?, world.traces("t", "b").await?), (vec![1], vec![2]));
    world.check().await
}

// MSG-4, MSG-5: handled and committed, but the leader died before it knew, and the message is read again.
async fn a_message_read_twice_is_recognised_by_the_inbox(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let relay = world.relay(vec![tracer("t")]);
    world.publish("a", 1).await?;
    assert_eq!(relay.drain().await?, 1);
    // As after a power cut that took the cursor back (it is written without waiting for the disk).
    let look = world.databases.look().await?;
    look.execute("update messages.relay set seq = 0", &[]).await?;
    relay.drain().await?;
    assert_eq!(world.traces("t", "a").await?, [1]);
    assert_eq!(world.number("select count(*) from messages.delivery").await?, 0);
    world.check().await
}

// MSG-5: everything that can be killed is killed, again and again, under load.
async fn exactly_once_in_effect_and_in_order_while_connections_are_killed_at_random(
    bus: Bus,
) -> anyhow::Result<()> {
    const EACH: i64 = 30;
    let subjects: Vec<String> = (0..10).map(|n| format!("s{n}")).collect();
    let world = World::over(bus).await?;
    let handled = Arc::new(AtomicUsize::new(0));
    let count = handled.clone();
    let consumer = Consumer::new("t", &["Counted"], move |_, tx, message| {
        let count = count.clone();
        Box::pin(async move {
            trace(tx, "t", message).await?;
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
    });
    // Lost connections never count; a handler's own failure would be given up at once.
    let relays = [
        world.relay_with(vec![consumer.clone()], |config| config.retry.tries = 1),
        world.relay_with(vec![consumer], |config| config.retry.tries = 1),
    ];
    relays.iter().for_each(|relay| relay.watch(&world.placement()));
    let mut published = vec![Vec::new(); subjects.len()];
    for n in 0..EACH {
        for (subject, published) in subjects.iter().zip(&mut published) {
            // A publisher's connection may be the one that is killed; then the outcome of its commit is open.
            if world.publish(subject, n).await.is_ok() {
                published.push(n);
            }
        }
        match n % 4 {
            0 => drop(world.kill_sessions(RELAY).await?),
            2 => drop(world.kill_sessions(APP).await?),
            _ => {}
        }
    }
    relays[0].drain().await?;
    for relay in &relays {
        relay.shutdown().await;
    }
    for (subject, published) in subjects.iter().zip(published) {
        let traces = world.traces("t", subject).await?;
        assert!(traces.is_sorted_by(|a, b| a < b), "{subject}: {traces:?}");
        assert!(published.iter().all(|n| traces.contains(n)), "{subject}: {published:?} but {traces:?}");
    }
    let outbox = world.number("select count(*) from messages.outbox").await?;
    assert_eq!(world.number("select count(*) from probe.trace").await?, outbox);
    assert_eq!(world.number("select count(*) from messages.dead_letter").await?, 0);
    assert!(handled.load(Ordering::SeqCst) as i64 >= outbox);
    world.check().await
}
