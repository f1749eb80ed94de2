use db::{Batch, BatchTx, Combiner, CombinerLimits, DbError};
use kernel::{Ctx, TraceParent};
use messages::{Consumer, Draft, Tally, publish, publish_stmt};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::support::{Bus, World, counted, next, over_both_buses, teller, tracer};

over_both_buses! {
    a_message_commits_with_its_cause_or_not_at_all,
    consumers_get_a_cloud_event_in_the_context_of_its_cause,
    a_batch_of_several_tenants_publishes_for_each_request_and_wakes_the_relay,
}

// MSG-1
async fn a_message_commits_with_its_cause_or_not_at_all(bus: Bus) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let relay = world.relay(vec![tracer("t")]);
    let tx = world.db.begin(&world.ctx).await?;
    publish(&tx, &[counted("a", 1)]).await?;
    drop(tx);
    assert_eq!(relay.drain().await?, 0);

    let tx = world.db.begin(&world.ctx).await?;
    publish(&tx, &[counted("a", 2), counted("a", 3)]).await?;
    tx.commit().await?;
    assert_eq!(relay.drain().await?, 2);
    assert_eq!(world.traces("t", "a").await?, [2, 3]);
    assert_eq!(world.number("select count(*) from messages.outbox").await?, 2);
    world.check().await
}

#[derive(Debug, Default)]
struct Tallied(std::sync::Mutex<Vec<(kernel::TenantId, u64)>>);

impl Tally for Tallied {
    fn published(&self, tenant: kernel::TenantId, _at: kernel::Timestamp, messages: u64) {
        self.0.lock().unwrap().push((tenant, messages));
    }
}

// PLT-8: also those that nobody waits for, each once.
#[tokio::test]
async fn messages_are_told_by_tenant_once_they_have_been_read() -> anyhow::Result<()> {
    let world = World::new().await?;
    let told = std::sync::Arc::new(Tallied::default());
    let tally = told.clone();
    let relay = world.relay_with(vec![tracer("t")], move |config| {
        config.tally = Some(tally);
        config.read_wanted = 2;
    });
    let tx = world.db.begin(&world.ctx).await?;
    let unheard = Draft::new("Unheard", "a", &json!({}));
    publish(&tx, &[counted("a", 1), unheard.clone(), counted("a", 2), counted("b", 3), unheard]).await?;
    tx.commit().await?;
    relay.drain().await?;
    let told = std::mem::take(&mut *told.0.lock().unwrap());
    assert!(told.iter().all(|(tenant, _)| *tenant == world.ctx.tenant_id()), "{told:?}");
    assert_eq!(told.iter().map(|(_, messages)| messages).sum::<u64>(), 5);
    world.check().await
}

// MSG-1: what cannot be published fails its cause instead of getting lost.
#[tokio::test]
async fn a_message_that_the_outbox_refuses_fails_the_transaction() -> anyhow::Result<()> {
    let world = World::new().await?;
    let refused = [
        Draft::new("Counted", "", &json!({})),
        Draft::new("Counted", "s".repeat(201), &json!({})),
        Draft::new("Counted", "a", &json!({ "text": "x".repeat(300_000) })),
        Draft::new("Counted", "a", &std::collections::HashMap::from([(vec![1_u8], 1)])),
    ];
    for draft in refused {
        let tx = world.db.begin(&world.ctx).await?;
        assert!(publish(&tx, std::slice::from_ref(&draft)).await.is_err(), "{draft:?}");
        assert!(tx.commit().await.is_err());
    }
    assert_eq!(world.number("select count(*) from messages.outbox").await?, 0);
    Ok(())
}

// MSG-1
async fn consumers_get_a_cloud_event_in_the_context_of_its_cause(bus: Bus) -> anyhow::Result<()> {
    let mut world = World::over(bus).await?;
    world.ctx.caller.trace =
        Some(TraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()));
    let (told, mut heard) = mpsc::unbounded_channel();
    let consumer = Consumer::new("t", &["Counted"], move |ctx, _, message| {
        let mut event = serde_json::to_value(message.to_cloud_event()).unwrap();
        assert_eq!(event["source"], format!("/tenants/{}", ctx.tenant_id()));
        for (field, prefix) in [("id", "msg_"), ("tenant", "ten_"), ("source", "/tenants/ten_")] {
            assert!(event[field].as_str().is_some_and(|text| text.starts_with(prefix)));
            event[field] = prefix.into();
        }
        let _ = told.send((ctx.clone(), event));
        Box::pin(async { Ok(()) })
    });
    world.publish("thing-1", 7).await?;
    world.relay(vec![consumer]).drain().await?;
    let (ctx, event): (Ctx, Value) = next(&mut heard).await?;
    assert_eq!(ctx.tenant, world.tenant);
    assert_eq!(ctx.caller.correlation_id.as_ref(), "test");
    assert_eq!(ctx.caller.trace, world.ctx.caller.trace);
    let expected = json!({
        "correlationid": "test",
        "data": { "n": 7 },
        "datacontenttype": "application/json",
        "id": "msg_",
        "source": "/tenants/ten_",
        "specversion": "1.0",
        "subject": "thing-1",
        "tenant": "ten_",
        "time": "2026-11-21T10:00:00Z",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "type": "Counted",
    });
    assert_eq!(event, expected);
    Ok(())
}

struct Counting;

impl Batch for Counting {
    type Input = i64;
    type Output = ();

    async fn run(&self, tx: &BatchTx, jobs: &[(Ctx, i64)]) -> Result<Vec<()>, DbError> {
        let mut work = Vec::new();
        for part in jobs.chunk_by(|a, b| a.0.tenant_id() == b.0.tenant_id()) {
            let drafts: Vec<_> =
                part.iter().map(|(ctx, n)| counted("a", *n).caused_by(&ctx.caller)).collect();
            work.push((part[0].0.tenant_id(), vec![publish_stmt(&part[0].0, &drafts)]));
        }
        tx.run(&work).await?;
        Ok(vec![(); jobs.len()])
    }
}

// MSG-1, MSG-2: each message keeps the correlation of its own request; the batch's commit wakes the relay.
async fn a_batch_of_several_tenants_publishes_for_each_request_and_wakes_the_relay(
    bus: Bus,
) -> anyhow::Result<()> {
    let world = World::over(bus).await?;
    let other = world.databases.tenant("other");
    world.add_tenant(&other);
    let (consumer, mut heard) = teller("t");
    let relay = world.relay(vec![consumer]);
    relay.watch(&world.placement());
    let combiner = Combiner::new(world.db.clone(), Counting, CombinerLimits::default());
    let requests = (0..20).map(|n| {
        let tenant = if n % 2 == 0 { &world.tenant } else { &other };
        let mut ctx = world.databases.ctx(tenant, world.now());
        ctx.caller.correlation_id = format!("request-{n}").into();
        combiner.submit(ctx, n)
    });
    for done in futures::future::join_all(requests).await {
        done?;
    }
    let mut numbers = Vec::new();
    while numbers.len() < 20 {
        numbers.push(next(&mut heard).await?);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    relay.shutdown().await;
    let mismatched =
        "select count(*) from messages.outbox where correlation_id <> 'request-' || (data ->> 'n')";
    assert_eq!(world.number(mismatched).await?, 0);
    let tenants = "select count(distinct tenant_id) from messages.outbox";
    assert_eq!(world.number(tenants).await?, 2);
    Ok(())
}

#[tokio::test]
async fn tenants_see_nothing_of_each_others_messages() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.publish("a", 1).await?;
    let app = world.databases.as_app().await?;
    for table in ["outbox", "delivery", "inbox", "dead_letter"] {
        assert!(app.query(&format!("select from messages.{table}"), &[]).await?.is_empty());
    }
    assert!(app.query("select from messages.relay", &[]).await.is_err());
    let owner = world.databases.cluster().owner_of(&world.databases.shared);
    assert_eq!(db::migrate::isolation_findings(&owner).await?, Vec::<String>::new());
    Ok(())
}
