//! What only NATS can do wrong: be away, lose its store, deliver twice, bring back what is long done.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_nats::{Client, HeaderMap, HeaderName, HeaderValue, Message, jetstream};
use futures::StreamExt as _;
use messages::{BusKind, Consumer, ConsumerError, DeadLetterFilter, Draft, MessageId, NatsConfig, publish};
use serde_json::json;
use testkit::NatsServer;

use crate::{
    crash::{RELAY, gated},
    support::{Bus, World, nats_config, next, teller, trace, tracer},
};

const COPY: &str = "Nats-Msg-Id";

async fn client(world: &World) -> anyhow::Result<Client> {
    let url = world.nats().url();
    Ok(async_nats::connect(url).await?)
}

/// Sends `message` once more as it was, under the name of another copy if there is one.
async fn resend(client: &Client, message: &Message, copy: Option<&str>) -> anyhow::Result<bool> {
    let mut headers: HeaderMap = message.headers.clone().unwrap_or_default();
    if let Some(copy) = copy {
        headers.insert(COPY, copy);
    }
    let sent = jetstream::new(client.clone())
        .publish_with_headers(message.subject.clone(), headers, message.payload.clone())
        .await?;
    Ok(sent.await?.duplicate)
}

/// Waits until everything in the stream has been acknowledged.
async fn until_empty(client: &Client) -> anyhow::Result<()> {
    let mut stream = jetstream::new(client.clone()).get_stream("markethall").await?;
    while stream.info().await?.state.messages > 0 {}
    Ok(())
}

// MSG-2, MSG-3: each message is handled by one of the processes, all of them take part, order is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_the_work_of_one_consumer() -> anyhow::Result<()> {
    let world = World::over(Bus::Nats).await?;
    let (one, mut heard_one) = teller("t");
    let (two, mut heard_two) = teller("t");
    let relays = [world.relay(vec![one]), world.relay(vec![two])];
    relays.iter().for_each(|relay| relay.watch(&world.placement()));
    let subjects: Vec<String> = (0..8).map(|n| format!("s{n}")).collect();
    let (mut handled, mut n) = ([0, 0], 0);
    // Goes on until both have had some.
    while handled.contains(&0) {
        for subject in &subjects {
            world.publish(subject, n).await?;
        }
        n += 1;
        for (handled, heard) in handled.iter_mut().zip([&mut heard_one, &mut heard_two]) {
            while heard.try_recv().is_ok() {
                *handled += 1;
            }
        }
    }
    relays[0].drain().await?;
    for relay in &relays {
        relay.shutdown().await;
    }
    for subject in &subjects {
        assert_eq!(world.traces("t", subject).await?, (0..n).collect::<Vec<_>>());
    }
    world.check().await
}

// MSG-3, MSG-5: the leader dies while a handler is at work elsewhere: that one goes on, nothing is done again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_outlives_its_leader() -> anyhow::Result<()> {
    let world = World::over(Bus::Nats).await?;
    let (consumer, mut heard, gate) = gated("t");
    let relay = world.relay(vec![consumer]);
    relay.watch(&world.placement());
    world.publish("a", 1).await?;
    world.publish("a", 2).await?;
    assert_eq!(next(&mut heard).await?, 1);
    assert_eq!(world.kill_sessions(RELAY).await?, 1);
    gate.add_permits(10);
    assert_eq!(next(&mut heard).await?, 2);
    relay.shutdown().await;
    assert_eq!(world.traces("t", "a").await?, [1, 2]);
    world.check().await
}

// MSG-3: away from the beginning and later: commits go on, the outbox keeps everything, it is told, work goes on after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nats_that_is_away_delays_messages_and_loses_none() -> anyhow::Result<()> {
    let world = World::over(Bus::Nats).await?;
    let (consumer, mut heard) = teller("t");
    let relay = world.relay(vec![consumer]);
    world.nats().kill();
    relay.watch(&world.placement());
    for round in 0..3 {
        let (first, second) = (2 * round, 2 * round + 1);
        world.publish("a", first).await?;
        world.publish("b", second).await?;
        while relay.bus_status().trouble.is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(relay.bus_status().kind, BusKind::Nats);
        assert!(heard.try_recv().is_err());
        world.nats().restart()?;
        let mut told = [next(&mut heard).await?, next(&mut heard).await?];
        told.sort_unstable();
        assert_eq!(told, [first, second]);
        assert_eq!(relay.bus_status().trouble, None);
        world.nats().kill();
    }
    relay.shutdown().await;
    assert_eq!(world.traces("t", "a").await?, [0, 2, 4]);
    world.check().await
}

/// Kills NATS with one message at work, one that waits for its turn there, and one that waits for its subject.
async fn killed_in_the_middle(lost: bool) -> anyhow::Result<()> {
    let world = World::over(Bus::Nats).await?;
    let (consumer, mut heard, gate) = gated("t");
    let relay = world.relay_with(vec![consumer], |config| config.handlers_per_database = 1);
    relay.watch(&world.placement());
    world.publish("a", 1).await?;
    assert_eq!(next(&mut heard).await?, 1);
    world.publish("b", 2).await?;
    world.publish("a", 3).await?;
    world.nats().kill();
    if lost {
        world.nats().lose_store()?;
    }
    gate.add_permits(10);
    world.nats().restart()?;
    let mut told = [next(&mut heard).await?, next(&mut heard).await?];
    told.sort_unstable();
    assert_eq!(told, [2, 3]);
    relay.drain().await?;
    relay.shutdown().await;
    assert_eq!((world.traces("t", "a").await?, world.traces("t", "b").await?), (vec![1, 3], vec![2]));
    world.check().await
}

// MSG-3, MSG-5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nats_that_was_killed_comes_back_with_its_consumers() -> anyhow::Result<()> {
    killed_in_the_middle(false).await
}

// MSG-3, MSG-5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nats_that_has_lost_its_store_gets_everything_again() -> anyhow::Result<()> {
    killed_in_the_middle(true).await
}

// MSG-5: the window between commit and acknowledgement, with a NATS that takes no acknowledgement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_effect_whose_acknowledgement_is_lost_happens_once() -> anyhow::Result<()> {
    let world = World::over(Bus::Nats).await?;
    let (consumer, mut heard, gate) = gated("t");
    let relay = world.relay(vec![consumer]);
    relay.watch(&world.placement());
    world.publish("a", 1).await?;
    assert_eq!(next(&mut heard).await?, 1);
    world.nats().freeze()?;
    gate.add_permits(10);
    while world.traces("t", "a").await?.is_empty() {}
    world.nats().kill();
    world.nats().restart()?;
    world.publish("a", 2).await?;
    assert_eq!(next(&mut heard).await?, 2);
    relay.drain().await?;
    until_empty(&client(&world).await?).await?;
    relay.shutdown().await;
    assert_eq!(world.traces("t", "a").await?, [1, 2]);
    world.check().await
}

// MSG-3: what a process leaves in NATS is handled by the next one, through the same durable consumer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn durable_consumers_outlive_the_processes_that_use_them() -> anyhow::Result<()> {
    let world = World::over(Bus::Nats).await?;
    let consumer = Consumer::new("things.total_s", &["Counted"], |_, tx, message| {
        Box::pin(trace(tx, "things.total_s", message))
    });
    world.publish("a", 1).await?;
    world.relay(vec![consumer.clone()]).drain().await?;
    world.nats().restart()?;
    let stream = jetstream::new(client(&world).await?).get_stream("markethall").await?;
    let names: Vec<String> = stream.consumer_names().map(Result::unwrap).collect().await;
    assert_eq!(names, ["things-total_s"]);
    world.publish("a", 2).await?;
    world.relay(vec![consumer]).drain().await?;
    assert_eq!(world.traces("things.total_s", "a").await?, [1, 2]);
    Ok(())
}

// MSG-3: by the message's id, at NATS; what gets past it is recognised by the table and the inbox.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_message_twice_has_one_effect() -> anyhow::Result<()> {
    let world = World::over(Bus::Nats).await?;
    let client = client(&world).await?;
    let mut sent = client.subscribe("markethall.deliver.*").await?;
    client.flush().await?;
    let (consumer, mut heard) = teller("t");
    let relay = world.relay(vec![consumer]);
    relay.watch(&world.placement());
    world.publish("a", 1).await?;
    assert_eq!(next(&mut heard).await?, 1);
    let message = sent.next().await.unwrap();
    assert!(resend(&client, &message, None).await?, "stored twice");
    assert!(!resend(&client, &message, Some("another-copy")).await?);
    until_empty(&client).await?;
    relay.shutdown().await;
    assert!(heard.try_recv().is_err(), "handled twice");
    assert_eq!(world.traces("t", "a").await?, [1]);
    world.check().await
}

// MSG-4: a copy from before a failure neither jumps the pause nor starts the tries over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_copy_of_a_message_that_is_being_retried_is_ignored() -> anyhow::Result<()> {
    let world = World::over(Bus::Nats).await?;
    let client = client(&world).await?;
    let mut sent = client.subscribe("markethall.deliver.*").await?;
    client.flush().await?;
    let tries = Arc::new(AtomicUsize::new(0));
    let tried = tries.clone();
    let consumer = Consumer::new("t", &["Counted"], move |_, _, _| {
        tried.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err(ConsumerError::failed("not yet")) })
    });
    let relay = world.relay(vec![consumer]);
    world.publish("a", 1).await?;
    relay.drain().await?;
    let message = sent.next().await.unwrap();
    assert!(!resend(&client, &message, Some("old-copy")).await?);
    relay.watch(&world.placement());
    until_empty(&client).await?;
    relay.shutdown().await;
    assert_eq!(tries.load(Ordering::SeqCst), 1);
    assert_eq!(world.number("select attempts::bigint from messages.delivery").await?, 1);
    Ok(())
}

// MSG-3: whatever else is written to the stream is put aside and stops nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_messages_are_put_aside() -> anyhow::Result<()> {
    let world = World::over(Bus::Nats).await?;
    let (consumer, mut heard) = teller("t");
    let relay = world.relay(vec![consumer]);
    relay.watch(&world.placement());
    world.publish("a", 1).await?;
    assert_eq!(next(&mut heard).await?, 1);
    let client = client(&world).await?;
    let jetstream = jetstream::new(client.clone());
    for payload in ["", "{}", "no json"] {
        jetstream.publish("markethall.deliver.t", payload.into()).await?.await?;
    }
    world.publish("a", 2).await?;
    assert_eq!(next(&mut heard).await?, 2);
    until_empty(&client).await?;
    relay.shutdown().await;
    Ok(())
}

// MSG-3: NATS remembers a copy that it does not have any more: another copy is sent when nobody can hold the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_emptied_by_hand_is_filled_again() -> anyhow::Result<()> {
    let world = World::over(Bus::Nats).await?;
    let relay =
        || world.relay_with(vec![tracer("t")], |config| config.handler_timeout = Duration::from_millis(200));
    world.publish("a", 1).await?;
    relay().drain().await?;
    // Read, but not sent.
    world.publish("a", 2).await?;
    world.nats().kill();
    let reading = relay();
    reading.watch(&world.placement());
    while world.number("select count(*) from messages.delivery").await? == 0 {}
    reading.shutdown().await;
    world.nats().restart()?;
    // As its sender names it, and then lost.
    let look = world.databases.look().await?;
    let row = look.query_one("select message_id, xmin::text from messages.delivery", &[]).await?;
    let copy = format!("{}.t.{}", MessageId(row.get(0)), row.get::<_, &str>(1));
    let jetstream = jetstream::new(client(&world).await?);
    let headers = HeaderMap::from_iter([(HeaderName::from_static(COPY), HeaderValue::from(copy))]);
    jetstream.publish_with_headers("markethall.deliver.nobody", headers, "".into()).await?.await?;
    jetstream.get_stream("markethall").await?.purge().await?;
    relay().drain().await?;
    assert_eq!(world.traces("t", "a").await?, [1, 2]);
    world.check().await
}

// MSG-3: a server that takes less than a message needs is an operator's matter, and stops nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_nats_cannot_take_is_a_dead_letter() -> anyhow::Result<()> {
    let mut world = World::over(Bus::Nats).await?;
    world.nats = Some(Mutex::new(NatsServer::start_with("max_payload: 4096")?));
    let draft = Draft::new("Counted", "big", &json!({ "n": 1, "text": "x".repeat(5000) }));
    let tx = world.db.begin(&world.ctx).await?;
    publish(&tx, &[draft]).await?;
    tx.commit().await?;
    world.publish("small", 2).await?;
    let relay = world.relay(vec![tracer("t")]);
    // What a server takes is known once it is connected.
    relay.watch(&world.placement());
    while relay.bus_status().trouble.is_some() {}
    relay.drain().await?;
    relay.shutdown().await;
    assert_eq!(world.traces("t", "small").await?, [2]);
    let filter = DeadLetterFilter { limit: 9, ..DeadLetterFilter::default() };
    let letter = world.dead_letters().list(&filter).await?.items.remove(0);
    assert_eq!((letter.subject.as_str(), letter.attempts), ("big", 1));
    assert!(letter.error.contains("max_payload"), "{}", letter.error);
    world.check().await
}

// MSG-3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_opens_the_door_and_without_it_messages_wait() -> anyhow::Result<()> {
    let mut world = World::over(Bus::Nats).await?;
    let server = NatsServer::start_with("authorization { token: \"let-me-in\" }")?;
    let url = server.url();
    world.nats = Some(Mutex::new(server));
    world.publish("a", 1).await?;
    let stranger = world.relay(vec![tracer("t")]);
    stranger.watch(&world.placement());
    while world.number("select count(*) from messages.delivery").await? == 0 {}
    assert!(stranger.bus_status().trouble.is_some());
    stranger.shutdown().await;
    assert_eq!(world.traces("t", "a").await?, [0; 0]);
    let guest = world.relay_with(vec![tracer("t")], |config| {
        config.nats = Some(NatsConfig { token: Some("let-me-in".into()), ..nats_config(url) });
    });
    guest.drain().await?;
    assert_eq!(guest.bus_status().trouble, None);
    assert_eq!(world.traces("t", "a").await?, [1]);
    Ok(())
}

// MSG-3: what cannot be read is said, and nothing is lost.
#[tokio::test]
async fn a_credentials_file_that_is_not_there_is_told() -> anyhow::Result<()> {
    let world = World::over(Bus::Nats).await?;
    let relay = world.relay_with(vec![tracer("t")], |config| {
        let file = Some("/nowhere/at/all.creds".into());
        config.nats = config.nats.take().map(|nats| NatsConfig { credentials_file: file, ..nats });
    });
    relay.watch(&world.placement());
    while !relay.bus_status().trouble.is_some_and(|it| it.contains("messages.nats.credentials_file")) {
        tokio::task::yield_now().await;
    }
    world.publish("a", 1).await?;
    relay.shutdown().await;
    Ok(())
}

// DPR-5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encrypted_nats_proves_its_name_and_impostors_are_told_nothing() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let put = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).map(|()| path)
    };
    let serve = |name: &str| {
        let made = rcgen::generate_simple_self_signed([name.to_owned()])?;
        let cert = put(&format!("{name}.crt"), made.cert.pem())?;
        let key = put(&format!("{name}.key"), made.signing_key.serialize_pem())?;
        let server = NatsServer::start_with(&format!("tls {{ cert_file: {cert:?}, key_file: {key:?} }}"))?;
        anyhow::Ok((server.url().replace("nats://", "tls://"), server, cert))
    };
    let mut world = World::over(Bus::Nats).await?;
    let (url, server, trusted) = serve("127.0.0.1")?;
    let (impostor, other_server, other) = serve("other.example")?;
    world.publish("a", 1).await?;
    let token = "hunter2";
    for (url, ca_file) in [(&url, None), (&url, Some(other.clone())), (&impostor, Some(other))] {
        let stranger = world.relay_with(vec![tracer("t")], |config| {
            let nats = NatsConfig { ca_file, token: Some(token.into()), ..nats_config(url.clone()) };
            config.nats = Some(nats);
        });
        stranger.watch(&world.placement());
        let trouble = loop {
            match stranger.bus_status().trouble {
                Some(trouble) => break trouble,
                None => tokio::task::yield_now().await,
            }
        };
        assert!(!trouble.contains(token), "{trouble}");
        stranger.shutdown().await;
    }
    assert_eq!(world.traces("t", "a").await?, [0; 0]);
    drop(other_server);
    world.nats = Some(Mutex::new(server));
    let known = world.relay_with(vec![tracer("t")], |config| {
        config.nats = Some(NatsConfig { ca_file: Some(trusted), ..nats_config(url) });
    });
    known.drain().await?;
    assert_eq!(world.traces("t", "a").await?, [1]);
    Ok(())
}
