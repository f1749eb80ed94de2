//! HTTP-8: every input is bounded, strict, and refused with its place and a stable code; nothing is half done.

use crate::world::{Answer, Call, THING, World};

async fn create(world: &World, body: impl Into<axum::body::Body>) -> Answer {
    world.send(Call::post("/api/v1/things").token("acme-*").key("k").json(body)).await
}

#[track_caller]
fn error(answer: Answer, pointer: &str, code: &str) {
    let answer = answer.is(400, "VALIDATION_FAILED");
    let found = &answer.json["errors"][0];
    assert_eq!((found["pointer"].as_str(), found["code"].as_str()), (Some(pointer), Some(code)), "{found}");
}

#[tokio::test]
async fn each_broken_field_is_named_by_pointer_and_code() {
    let world = World::new();
    let cases = [
        (r#"{"displayName":"a","count":1,"colour":"red"}"#, "/colour", "UNKNOWN_FIELD"),
        (r#"{"displayName":"a"}"#, "/count", "MISSING_FIELD"),
        (r#"{"displayName":"a","count":1,"count":2}"#, "/count", "DUPLICATE_FIELD"),
        (r#"{"displayName":"a","count":"1"}"#, "/count", "INVALID_TYPE"),
        (r#"{"displayName":"a","count":1.5}"#, "/count", "INVALID_TYPE"),
        (r#"{"displayName":"a","count":99999999999999999999}"#, "/count", "INVALID_TYPE"),
        (r#"{"displayName":null,"count":1}"#, "/displayName", "INVALID_TYPE"),
        (r#"{"displayName":"","count":1}"#, "/displayName", "TOO_SHORT"),
        (r#"{"displayName":"aaaaaaaaaaaaaaaaaaaaa","count":1}"#, "/displayName", "TOO_LONG"),
        (r#"{"displayName":"a","count":-1}"#, "/count", "TOO_SMALL"),
        (r#"{"displayName":"a","count":1001}"#, "/count", "TOO_LARGE"),
        (
            r#"{"displayName":"a","count":1,"parts":[{"shortName":"ok"},{"shortName":"toolong"}]}"#,
            "/parts/1/shortName",
            "TOO_LONG",
        ),
        (
            r#"{"displayName":"a","count":1,"parts":[{"shortName":"ok","x":1}]}"#,
            "/parts/0/x",
            "UNKNOWN_FIELD",
        ),
        (r#"{"displayName":"a","count":1,"parts":[{}]}"#, "/parts/0/shortName", "MISSING_FIELD"),
        (r#"{"displayName":"a\u0000b","count":1}"#, "/displayName", "NUL_CHARACTER"),
        (r#"{"displayName":"a","count":1,"notes":{"k":"\u0000"}}"#, "/notes/k", "NUL_CHARACTER"),
        ("[]", "", "INVALID_TYPE"),
        (r#"["a",1,[],{}]"#, "", "INVALID_TYPE"),
        (r#"{"displayName":"a","count":1,"parts":[["ok"]]}"#, "/parts/0", "INVALID_TYPE"),
        ("null", "", "INVALID_TYPE"),
    ];
    for (body, pointer, code) in cases {
        error(create(&world, body).await, pointer, code);
    }
    assert_eq!(world.things.count(), 0);
}

#[tokio::test]
async fn several_broken_rules_are_told_at_once() {
    let world = World::new();
    let answer = create(&world, r#"{"displayName":"","count":-1}"#).await.is(400, "VALIDATION_FAILED");
    assert_eq!(answer.json["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_no_json_is_refused_as_such() {
    let world = World::new();
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let bodies: [&[u8]; 8] = [
        b"",
        b"{",
        b"{\"displayName\":\"a\",\"count\":1}x",
        b"{\"displayName\":\"\xff\",\"count\":1}",
        b"{\"displayName\":\"\\ud800\",\"count\":1}",
        b"{\"displayName\":\"a\",\"count\":1e999}",
        b"\0",
        deep.as_bytes(),
    ];
    for body in bodies {
        create(&world, body.to_vec()).await.is(400, "MALFORMED_JSON");
    }
}

#[tokio::test]
async fn only_json_is_taken_for_json() {
    let world = World::new();
    let call = || Call::post("/api/v1/things").token("acme-*").key("k").body(THING);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "json", ""] {
        world.send(call().header("content-type", kind)).await.is(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    world.send(call()).await.is(415, "UNSUPPORTED_MEDIA_TYPE");
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        world.send(call().header("content-type", kind)).await.is(201, "");
    }
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused_declared_or_not() {
    let world = World::new();
    let large = format!(r#"{{"displayName":"{}","count":1}}"#, "x".repeat(1 << 20));
    create(&world, large.clone()).await.is(413, "PAYLOAD_TOO_LARGE");
    let pieces = futures::stream::iter([0, 1].map(|_| Ok::<_, std::io::Error>(vec![b' '; 600_000])));
    create(&world, axum::body::Body::from_stream(pieces)).await.is(413, "PAYLOAD_TOO_LARGE");
    let pieces = THING.as_bytes().chunks(3).map(|piece| Ok::<_, std::io::Error>(piece.to_vec()));
    let pieces = futures::stream::iter(pieces.collect::<Vec<_>>());
    create(&world, axum::body::Body::from_stream(pieces)).await.is(201, "");
}

#[tokio::test]
async fn query_parameters_are_strict() {
    let world = World::new();
    let cases = [
        ("limit=0", "limit", "INVALID_VALUE"),
        ("limit=ten", "limit", "INVALID_TYPE"),
        ("limit=1&limit=2", "limit", "DUPLICATE_FIELD"),
        ("page=2", "page", "UNKNOWN_FIELD"),
        ("colour=aaaaaaaaaaa", "colour", "TOO_LONG"),
        ("colour=a%00", "colour", "NUL_CHARACTER"),
        ("colour=%ff", "colour", "INVALID_VALUE"),
        ("cursor=!", "cursor", "INVALID_VALUE"),
    ];
    for (query, name, code) in cases {
        let answer = world.send(Call::get(&format!("/api/v1/things?{query}")).token("acme-*")).await;
        let answer = answer.is(400, "VALIDATION_FAILED");
        let found = &answer.json["errors"][0];
        assert_eq!(found["parameter"].as_str(), Some(name), "{query}: {found}");
        if query != "limit=ten" {
            assert_eq!(found["code"].as_str(), Some(code), "{query}: {found}");
        }
    }
    world.send(Call::get("/api/v1/things?cursor=abc").token("acme-*")).await.is(404, "NOT_FOUND");
    world.send(Call::get("/api/v1/me?x=1").token("acme-*")).await.is(400, "VALIDATION_FAILED");
}

#[tokio::test]
async fn identifiers_that_cannot_be_do_not_exist() {
    let world = World::new();
    for id in
        ["1", "thg_", "THG_00000000000000000000000001", "thg_%00", "%ff", "thg_8ZZZZZZZZZZZZZZZZZZZZZZZZZ"]
    {
        world.send(Call::get(&format!("/api/v1/things/{id}")).token("acme-*")).await.is(404, "NOT_FOUND");
    }
}

// HTTP-6
#[tokio::test]
async fn a_required_key_must_be_there_and_sound() {
    let world = World::new();
    let call = || Call::post("/api/v1/things").token("acme-*").json(THING);
    world.send(call()).await.is(400, "IDEMPOTENCY_KEY_REQUIRED");
    for key in ["", "a b", &"x".repeat(256)] {
        let answer = world.send(call().key(key)).await.is(400, "VALIDATION_FAILED");
        assert_eq!(answer.json["errors"][0]["header"], "Idempotency-Key");
    }
    world.send(call().key("a").key("b")).await.is(400, "VALIDATION_FAILED");
    world.send(call().key("a")).await.is(201, "");
}

// HTTP-5
#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition_while_things_are_added() {
    let world = World::new();
    for _ in 0..5 {
        world.make_thing().await;
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/things?limit=2".to_owned();
    loop {
        let page = world.send(Call::get(&path).token("acme-*")).await.is(200, "");
        seen.extend(page.json["items"].as_array().unwrap().iter().map(|thing| thing["id"].to_string()));
        let Some(next) = page.json["nextCursor"].as_str() else { break };
        path = format!("/api/v1/things?limit=2&cursor={next}");
        if seen.len() == 2 {
            world.make_thing().await;
        }
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.is_sorted());
}

mod any_input {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn is_taken_or_refused_but_never_breaks_the_server(
            path in "([a-zA-Z0-9_.~:@!$;,+-]|%[0-9a-f]{2}){0,40}", query in "(limit=|cursor=|colour=)?([a-zA-Z0-9_.~:@!$;,+=&?/-]|%[0-9a-fg]{2}){0,60}", body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let world = World::new();
            let address = format!("/api/v1/things/{path}?{query}");
            let list = format!("/api/v1/things?{query}");
            prop_assume!(address.parse::<http::Uri>().is_ok() && list.parse::<http::Uri>().is_ok());
            runtime.block_on(async {
                let read = world.send(Call::get(&address).token("acme-*")).await;
                let listed = world.send(Call::get(&list).token("acme-*")).await;
                let made = create(&world, body).await;
                for answer in [read, listed, made] {
                    assert!(answer.status.as_u16() < 500, "{}", answer.json);
                    assert!(answer.status.is_success() || !answer.code().is_empty());
                }
            });
        }
    }
}
