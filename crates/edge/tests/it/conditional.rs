//! HTTP-7: entity tags on resources, If-Match on changes, If-None-Match on reads.

use crate::world::{Call, THING, World};

#[tokio::test]
async fn a_read_is_repeated_cheaply_with_its_tag() {
    let world = World::new();
    let made = world.make_thing().await.is(201, "");
    let path = made.header("location").to_owned();
    let first = world.send(Call::get(&path).token("acme-*")).await.is(200, "");
    assert_eq!(first.header("etag"), "\"1\"");
    for tag in ["\"1\"", "\"0\", \"1\"", "*", "W/\"1\""] {
        let again = world.send(Call::get(&path).token("acme-*").header("if-none-match", tag)).await;
        assert_eq!(again.status, 304, "{tag}");
        assert!(again.body.is_empty());
        assert_eq!(again.header("etag"), "\"1\"");
    }
    world.send(Call::get(&path).token("acme-*").header("if-none-match", "\"2\"")).await.is(200, "");
    world
        .send(Call::get(&path).token("acme-*").header("if-none-match", "1"))
        .await
        .is(400, "VALIDATION_FAILED");
}

#[tokio::test]
async fn a_change_to_an_old_version_is_refused() {
    let world = World::new();
    let path = world.make_thing().await.header("location").to_owned();
    let change = |tag: &str| Call::put(&path).token("acme-*").header("if-match", tag).json(THING);
    let changed = world.send(change("\"1\"")).await.is(200, "");
    assert_eq!(changed.header("etag"), "\"2\"");
    world.send(change("\"1\"")).await.is(412, "PRECONDITION_FAILED");
    world.send(change("W/\"2\"")).await.is(412, "PRECONDITION_FAILED");
    world.send(change("2")).await.is(400, "VALIDATION_FAILED");
    world.send(change("*")).await.is(200, "");
    world.send(Call::put(&path).token("acme-*").json(THING)).await.is(200, "");
}
