use messages::{Consumer, ConsumerError, Retention, purge};

use crate::support::{Bus, World, next, over_both_buses, teller, tracer};

over_both_buses! {
    the_purge_deletes_what_is_old_and_delivered_and_nothing_else,
    status_tells_backlog_age_and_dead_letters,
}

const DAY: i64 = 86_400;

async fn the_purge_deletes_what_is_old_and_delivered_and_nothing_else(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let stuck = Consumer::new("stuck", &["Counted"], |_, _, message| {
        let hold = &*message.subject == "stuck";
        Box::pin(async move { if hold { Err(ConsumerError::failed("later")) } else { Ok(()) } })
    });
    let relay = world.relay_with(vec![stuck, tracer("t")], |config| config.retry.tries = 100);
    world.publish("done", 1).await?;
    world.publish("stuck", 2).await?;
    world.publish("done", 3).await?;
    relay.drain().await?;
    world.clock.advance_seconds(8 * DAY);
    let later = world.databases.ctx(&world.tenant, world.now());
    let tx = world.db.begin(&later).await?;
    messages::publish(&tx, &[crate::support::counted("unread", 4)]).await?;
    tx.commit().await?;
    let retention = Retention::default();
    // Behind a message that is still on its way nothing goes: numbers go in order.
    assert_eq!(purge(&world.db, &world.placement(), retention, world.now()).await?, (1, 0));
    assert_eq!(world.number("select count(*) from messages.outbox").await?, 3);
    world.clock.advance_seconds(8 * DAY);
    assert_eq!(purge(&world.db, &world.placement(), retention, world.now()).await?, (0, 5));
    world.check().await
}

async fn status_tells_backlog_age_and_dead_letters(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let (consumer, mut heard) = teller("t");
    let relay = world.relay_with(vec![consumer], |config| config.sweep = std::time::Duration::from_millis(1));
    assert!(relay.status().is_empty());
    relay.watch(&world.placement());
    world.publish("a", 1).await?;
    next(&mut heard).await?;
    // One that nobody can read yet: its number is drawn, an earlier one is still open.
    let early = world.db.begin(&world.ctx).await?;
    early.query("select pg_current_xact_id()::text", &[]).await?;
    world.publish("a", 2).await?;
    world.clock.advance_seconds(30);
    let status = loop {
        let status = relay.status().remove(0);
        if status.at == Some(world.now()) {
            break status;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((status.unread, status.pending, status.dead_letters), (1, 0, 0));
    assert_eq!(status.oldest_age_ms, 30_000);
    early.commit().await?;
    next(&mut heard).await?;
    relay.shutdown().await;
    Ok(())
}

// The checker finds what is wrong.
#[tokio::test]
async fn broken_books_are_found() -> anyhow::Result<()> {
    let world = World::new().await?;
    let relay = world.relay(vec![tracer("t")]);
    world.publish("a", 1).await?;
    relay.drain().await?;
    world.check().await?;
    let look = world.databases.look().await?;
    look.batch_execute(
        "insert into messages.delivery (tenant_id, consumer, subject, seq, message_id, next_attempt_at)
         select tenant_id, 't', subject, seq, id, created_at from messages.outbox;
         insert into messages.delivery (tenant_id, consumer, subject, seq, message_id, next_attempt_at)
         select tenant_id, 'lost', subject, seq + 1, gen_random_uuid(), created_at from messages.outbox;
         insert into messages.dead_letter (tenant_id, id, consumer, message_id, seq, created_at, kind, subject,
             correlation_id, data, attempts, error, failed_at)
         select tenant_id, gen_random_uuid(), 't', id, seq, created_at, kind, subject, '', data, 1, '', created_at
         from messages.outbox;
         update messages.relay set seq = 100",
    )
    .await?;
    let tx = world.db.begin_read(&world.ctx).await?;
    let mut found: Vec<_> = messages::invariants(&tx).await?.iter().map(|it| it.invariant).collect();
    found.sort_unstable();
    assert_eq!(
        found,
        ["dead_letter_was_not_handled", "delivery_has_message", "handled_message_is_not_pending"]
    );
    let found = messages::database_invariants(&world.db, &world.placement(), world.now()).await?;
    assert_eq!(found.iter().map(|it| it.invariant).collect::<Vec<_>>(), ["relay_cursor_is_sane"]);
    Ok(())
}

// Late is what waits although somebody has been leading for a minute; what waits because nobody leads is not.
#[tokio::test]
async fn lateness_is_found_only_while_somebody_leads() -> anyhow::Result<()> {
    let world = World::new().await?;
    let relay = world.relay(vec![]);
    relay.watch(&world.placement());
    let look = world.databases.look().await?;
    while !look.query_one("select leader_since is not null from messages.relay", &[]).await?.get::<_, bool>(0)
    {
    }
    world.publish("a", 1).await?;
    world.clock.advance_seconds(120);
    let placement = world.placement();
    let check = || messages::database_invariants(&world.db, &placement, world.clock.now());
    let found: Vec<_> = check().await?.iter().map(|it| it.invariant).collect();
    assert_eq!(found, ["message_read_within_a_minute"]);
    relay.shutdown().await;
    while !check().await?.is_empty() {}
    Ok(())
}
