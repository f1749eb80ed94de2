use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use messages::{Consumer, ConsumerError, DeadLetterFilter, DeadLetterId};

use crate::support::{Bus, World, n_of, over_both_buses, trace, tracer};

over_both_buses! {
    a_message_that_keeps_failing_becomes_a_dead_letter_and_is_replayed,
    poison_is_given_up_at_once_and_replayed_after_the_purge,
    a_replay_by_another_process_wakes_the_leader,
    dead_letters_are_listed_in_pages_by_tenant_and_consumer_and_dropped,
    panicking_handlers_and_unfit_data_are_failures,
    a_handler_that_hangs_is_broken_off,
}

/// A consumer that refuses number 2 in one of several ways while it is told to.
fn refusing(broken: &Arc<AtomicBool>, how: fn() -> ConsumerError) -> Consumer {
    let broken = broken.clone();
    Consumer::new("picky", &["Counted"], move |_, tx, message| {
        let broken = broken.clone();
        Box::pin(async move {
            trace(tx, "picky", message).await?;
            if broken.load(Ordering::SeqCst) && n_of(message)? == 2 { Err(how()) } else { Ok(()) }
        })
    })
}

fn filter() -> DeadLetterFilter {
    DeadLetterFilter { limit: 50, ..DeadLetterFilter::default() }
}

// MSG-4
async fn a_message_that_keeps_failing_becomes_a_dead_letter_and_is_replayed(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let broken = Arc::new(AtomicBool::new(true));
    let relay = world.relay(vec![refusing(&broken, || ConsumerError::failed("no room")), tracer("other")]);
    for n in 1..=3 {
        world.publish("a", n).await?;
    }
    for _ in 0..3 {
        relay.drain().await?;
        world.clock.advance_seconds(60);
    }
    relay.drain().await?;
    // Given up after three tries; what came later went on.
    assert_eq!(world.traces("picky", "a").await?, [1, 3]);
    let letters = world.dead_letters();
    let page = letters.list(&filter()).await?;
    assert!(page.unreachable.is_empty() && !page.has_more);
    let [letter] = page.items.as_slice() else { panic!("{page:?}") };
    assert_eq!((letter.consumer.as_str(), letter.attempts, letter.error.as_str()), ("picky", 3, "no room"));
    assert_eq!(
        (letter.kind.as_str(), letter.subject.as_str(), letter.data.get()),
        ("Counted", "a", r#"{"n":2}"#)
    );
    assert_eq!(letters.find(letter.id).await?.map(|found| found.message_id), Some(letter.message_id));
    world.check().await?;

    // Replayed too early it comes back, as another letter.
    assert!(letters.replay(letter.id, world.now()).await?);
    assert!(!letters.replay(letter.id, world.now()).await?);
    for _ in 0..3 {
        relay.drain().await?;
        world.clock.advance_seconds(60);
    }
    let again = letters.list(&filter()).await?.items;
    assert!(again.len() == 1 && again[0].id > letter.id && again[0].message_id == letter.message_id);

    broken.store(false, Ordering::SeqCst);
    assert!(letters.replay(again[0].id, world.now()).await?);
    relay.drain().await?;
    assert_eq!(world.traces("picky", "a").await?, [1, 3, 2]);
    assert_eq!(world.traces("other", "a").await?, [1, 2, 3]);
    assert!(letters.list(&filter()).await?.items.is_empty());
    world.check().await
}

// MSG-4: what can never work is not tried again; a replay works although the outbox row is long gone.
async fn poison_is_given_up_at_once_and_replayed_after_the_purge(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let broken = Arc::new(AtomicBool::new(true));
    let relay = world.relay(vec![refusing(&broken, || ConsumerError::Poison("makes no sense".to_owned()))]);
    world.publish("a", 2).await?;
    world.publish("a", 3).await?;
    relay.drain().await?;
    assert_eq!(world.traces("picky", "a").await?, [3]);
    let letters = world.dead_letters();
    let letter = letters.list(&filter()).await?.items.remove(0);
    assert_eq!((letter.attempts, letter.error.as_str()), (1, "makes no sense"));

    world.clock.advance_seconds(30 * 86_400);
    let gone =
        messages::purge(&world.db, &world.placement(), messages::Retention::default(), world.now()).await?;
    assert_eq!(gone, (2, 1));
    broken.store(false, Ordering::SeqCst);
    assert!(letters.replay(letter.id, world.now()).await?);
    world.check().await?;
    relay.drain().await?;
    assert_eq!(world.traces("picky", "a").await?, [3, 2]);
    world.check().await
}

// MSG-4
async fn a_replay_by_another_process_wakes_the_leader(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let broken = Arc::new(AtomicBool::new(true));
    let relay = world.relay(vec![refusing(&broken, || ConsumerError::Poison("no".to_owned()))]);
    world.publish("a", 2).await?;
    relay.drain().await?;
    broken.store(false, Ordering::SeqCst);
    relay.watch(&world.placement());
    let letters = world.dead_letters();
    let letter = letters.list(&filter()).await?.items.remove(0);
    assert!(letters.replay(letter.id, world.now()).await?);
    // Ends once the leader has handled it; that one sweeps once an hour only.
    relay.drain().await?;
    relay.shutdown().await;
    assert_eq!(world.traces("picky", "a").await?, [2]);
    Ok(())
}

// MSG-4
async fn dead_letters_are_listed_in_pages_by_tenant_and_consumer_and_dropped(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let refuse = |name| {
        Consumer::new(name, &["Counted"], |_, _, _| {
            Box::pin(async { Err(ConsumerError::Poison("no".to_owned())) })
        })
    };
    let relay = world.relay(vec![refuse("one"), refuse("two")]);
    for n in 0..3 {
        world.publish("a", n).await?;
    }
    relay.drain().await?;
    let letters = world.dead_letters();
    let first = letters.list(&DeadLetterFilter { limit: 4, ..filter() }).await?;
    assert!(first.items.len() == 4 && first.has_more);
    let before = first.items.last().map(|letter| letter.id);
    let second = letters.list(&DeadLetterFilter { limit: 4, before, ..filter() }).await?;
    assert!(second.items.len() == 2 && !second.has_more);
    assert!(first.items.iter().chain(&second.items).is_sorted_by(|a, b| a.id > b.id));
    let two = letters.list(&DeadLetterFilter { consumer: Some("two".to_owned()), ..filter() }).await?;
    assert_eq!(two.items.len(), 3);
    let nobodys = DeadLetterFilter { tenant: Some(kernel::TenantId::new()), ..filter() };
    assert!(letters.list(&nobodys).await?.items.is_empty());
    let own = DeadLetterFilter { tenant: Some(world.tenant.id), ..filter() };
    assert_eq!(letters.list(&own).await?.items.len(), 6);

    assert!(letters.discard(two.items[0].id).await?);
    assert!(!letters.discard(two.items[0].id).await?);
    assert!(!letters.discard(DeadLetterId::new()).await?);
    assert!(letters.find(two.items[0].id).await?.is_none());
    Ok(())
}

// MSG-4: whatever a handler does, its attempt counts as a failure and leaves nothing behind.
async fn panicking_handlers_and_unfit_data_are_failures(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let panics = Consumer::new("panics", &["Counted"], |_, tx, message| {
        Box::pin(async move {
            trace(tx, "panics", message).await?;
            panic!("as planned");
        })
    });
    let unfit = Consumer::new("unfit", &["Counted"], |_, _, message| {
        Box::pin(async move { message.data::<Vec<String>>().map(drop) })
    });
    let relay = world.relay_with(vec![panics, unfit], |config| config.retry.tries = 1);
    world.publish("a", 1).await?;
    relay.drain().await?;
    let mut errors: Vec<_> =
        world.dead_letters().list(&filter()).await?.items.into_iter().map(|it| it.error).collect();
    errors.sort();
    assert_eq!(errors[0].split(':').next(), Some("data of Counted does not fit"));
    assert_eq!(errors[1..], ["the handler panicked"]);
    assert_eq!(world.number("select count(*) from probe.trace").await?, 0);
    Ok(())
}

// MSG-4
async fn a_handler_that_hangs_is_broken_off(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let hangs = Consumer::new("hangs", &["Counted"], |_, tx, message| {
        Box::pin(async move {
            trace(tx, "hangs", message).await?;
            std::future::pending().await
        })
    });
    let relay = world.relay_with(vec![hangs], |config| {
        config.retry.tries = 1;
        config.handler_timeout = Duration::from_millis(50);
    });
    world.publish("a", 1).await?;
    relay.drain().await?;
    let letter = world.dead_letters().list(&filter()).await?.items.remove(0);
    assert_eq!(letter.error, "the handler took too long");
    assert_eq!(world.number("select count(*) from probe.trace").await?, 0);
    Ok(())
}
