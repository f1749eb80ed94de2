//! HTTP-13: answers compressed as the client asks for, and HTTP-7 through it.

use std::io::Read as _;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use edge::{EdgeConfig, Op, Reply, Routes};
use futures::{SinkExt as _, StreamExt as _, channel::mpsc};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::world::{Answer, Call, THING, World};

type Pieces = mpsc::Receiver<std::io::Result<Bytes>>;
/// Streams that will be asked for, in this order.
type Waiting = std::sync::Arc<std::sync::Mutex<Vec<Pieces>>>;

fn long_text() -> String {
    let rows = (0..400).map(|row| format!("{{\"sku\":\"SKU-{row}\",\"name\":\"Bread number {row}\"}}"));
    format!("[{}]", rows.collect::<Vec<_>>().join(","))
}

/// A page, a longer one, a picture and an export.
fn routes(waiting: Waiting) -> Routes<()> {
    let page = |length| move || async move { Reply::bytes(StatusCode::OK, text(length), Some("7")) };
    let op = |path, id| Op::get(path, id, "Some bytes").public().returns_raw(200, "application/json").etag();
    Routes::new("Bytes")
        .add(op("/page", "get_page"), page(20_000))
        .add(op("/book", "get_book"), page(300_000))
        .add(op("/note", "get_note"), page(1_000))
        .add(op("/picture", "get_picture"), || async {
            Reply::raw(StatusCode::OK, "image/png", text(20_000)).etag("7")
        })
        .add(op("/export", "get_export"), |State(waiting): State<Waiting>| async move {
            let pieces = waiting.lock().unwrap().remove(0);
            ([("content-type", "text/csv")], Body::from_stream(pieces)).into_response()
        })
        .with_state(waiting)
}

fn text(length: usize) -> Bytes {
    let text = long_text();
    Bytes::from(text.repeat(length.div_ceil(text.len()))).slice(..length)
}

fn world() -> World {
    World::with(EdgeConfig::default(), vec![routes(Waiting::default())])
}

fn decoded(coding: &str, body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        "zstd" => plain = zstd::decode_all(body).unwrap(),
        "br" => drop(brotli::Decompressor::new(body, 4096).read_to_end(&mut plain).unwrap()),
        "gzip" => drop(flate2::read::GzDecoder::new(body).read_to_end(&mut plain).unwrap()),
        _ => plain.extend_from_slice(body),
    }
    plain
}

async fn get(world: &World, path: &str, accepted: &str) -> Answer {
    world.send(Call::get(path).header("accept-encoding", accepted)).await
}

#[tokio::test]
async fn every_coding_gives_back_the_same_answer_in_fewer_bytes() {
    let world = world();
    for (path, length) in [("/api/v1/page", 20_000), ("/api/v1/book", 300_000)] {
        for coding in ["zstd", "br", "gzip"] {
            let answer = get(&world, path, coding).await.is(200, "");
            assert_eq!(
                (answer.header("content-encoding"), answer.header("vary")),
                (coding, "accept-encoding")
            );
            assert!(answer.body.len() < length / 4, "{coding}: {} of {length}", answer.body.len());
            assert_eq!(decoded(coding, &answer.body), text(length), "{path} {coding}");
        }
    }
    let best = get(&world, "/api/v1/page", "gzip;q=0.8, br;q=0.9, deflate, *;q=0").await;
    assert_eq!(best.header("content-encoding"), "br");
}

#[tokio::test]
async fn what_is_small_or_compressed_already_is_left_alone() {
    let world = world();
    for path in ["/api/v1/note", "/api/v1/picture", "/api/v1/open", "/api/v1/nowhere"] {
        let answer = get(&world, path, "gzip, br, zstd").await;
        assert_eq!((answer.header("content-encoding"), answer.header("vary")), ("", ""), "{path}");
    }
    // A cache must not give what was asked for without codings to everybody, nor the other way round.
    let plain = world.send(Call::get("/api/v1/page")).await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"));
    assert_eq!((plain.header("etag"), plain.body.len()), ("\"7\"", 20_000));
    let off = EdgeConfig { compression: false, ..EdgeConfig::default() };
    let world = World::with(off, vec![routes(Waiting::default())]);
    let answer = get(&world, "/api/v1/page", "gzip").await;
    assert_eq!((answer.header("content-encoding"), answer.header("etag")), ("", "\"7\""));
}

// HTTP-7
#[tokio::test]
async fn conditional_requests_stay_right_when_answers_are_compressed() {
    let world = world();
    let first = get(&world, "/api/v1/page", "gzip").await;
    assert_eq!(first.header("etag"), "\"7-gzip\"", "other bytes, another strong tag");
    for (tag, accepted, named) in [
        ("\"7-gzip\"", "gzip", "\"7-gzip\""),
        ("\"7-gzip\"", "br", "\"7-gzip\""),
        ("\"7\"", "gzip", "\"7\""),
        ("W/\"7\"", "gzip", "\"7\""),
        ("\"7\", \"7-br\"", "br", "\"7-br\""),
    ] {
        let call = Call::get("/api/v1/page").header("if-none-match", tag).header("accept-encoding", accepted);
        let again = world.send(call).await;
        assert_eq!((again.status.as_u16(), again.header("etag")), (304, named), "{tag} {accepted}");
        assert_eq!((again.header("vary"), again.body.len()), ("accept-encoding", 0));
    }
    let call =
        Call::get("/api/v1/page").header("if-none-match", "\"6-gzip\"").header("accept-encoding", "gzip");
    world.send(call).await.is(200, "");
    // What was read compressed is changed with the tag that came with it.
    let path = world.make_thing().await.header("location").to_owned();
    let change = |tag: &str| Call::put(&path).token("acme-*").header("if-match", tag).json(THING);
    world.send(change("\"1-zstd\"")).await.is(200, "");
    world.send(change("\"1-zstd\"")).await.is(412, "PRECONDITION_FAILED");
    world.send(change("W/\"2-zstd\"")).await.is(412, "PRECONDITION_FAILED");
}

#[tokio::test]
async fn a_question_for_the_head_alone_hears_what_the_whole_would_have() {
    let world = world();
    let call = |method| Call::new(method, "/api/v1/page").header("accept-encoding", "br");
    let (whole, head) = (world.send(call(Method::GET)).await, world.send(call(Method::HEAD)).await);
    for name in ["content-encoding", "etag", "vary", "content-type"] {
        assert_eq!(head.header(name), whole.header(name), "{name}");
    }
    assert_eq!((head.header("content-length"), head.body.len()), (&*whole.body.len().to_string(), 0));
}

/// An export that the test feeds, and the answer to a call for it.
async fn export(world: &World, waiting: &Waiting) -> (mpsc::Sender<std::io::Result<Bytes>>, Response) {
    let (feed, pieces) = mpsc::channel(4);
    waiting.lock().unwrap().push(pieces);
    let request = http::Request::get("/api/v1/export").header("accept-encoding", "gzip").body(Body::empty());
    (feed, world.router.clone().oneshot(request.unwrap()).await.unwrap())
}

#[tokio::test]
async fn an_export_is_compressed_while_it_is_sent() {
    let waiting = Waiting::default();
    let world = World::with(EdgeConfig::default(), vec![routes(waiting.clone())]);
    let (mut feed, response) = export(&world, &waiting).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let mut body = response.into_body().into_data_stream();
    feed.send(Ok(Bytes::from_static(b"sku,name\n"))).await.unwrap();
    // The first row can be read before the second one is known.
    let mut seen = Vec::new();
    let mut plain = [0; 64];
    let read = loop {
        seen.extend_from_slice(&body.next().await.unwrap().unwrap());
        match flate2::read::GzDecoder::new(&*seen).read(&mut plain) {
            Ok(read) if read > 0 => break read,
            _ => {}
        }
    };
    assert_eq!(&plain[..read], b"sku,name\n");
    feed.send(Ok(text(200_000))).await.unwrap();
    drop(feed);
    while let Some(piece) = body.next().await {
        seen.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(decoded("gzip", &seen), [b"sku,name\n", &*text(200_000)].concat());
}

#[tokio::test]
async fn an_export_that_fails_is_seen_to_be_cut_short() {
    let waiting = Waiting::default();
    let world = World::with(EdgeConfig::default(), vec![routes(waiting.clone())]);
    let (mut feed, response) = export(&world, &waiting).await;
    feed.send(Ok(text(1_000))).await.unwrap();
    feed.send(Err(std::io::Error::other("disk"))).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
}

// HTTP-11
#[tokio::test]
async fn memory_for_compressing_is_bounded_and_comes_back() {
    let waiting = Waiting::default();
    let world = World::with(EdgeConfig::default(), vec![routes(waiting.clone())]);
    let mut open = Vec::new();
    for _ in 0..64 {
        let (feed, response) = export(&world, &waiting).await;
        assert!(response.headers().contains_key("content-encoding"));
        open.push((feed, response));
    }
    let (mut feed, plain) = export(&world, &waiting).await;
    assert!(!plain.headers().contains_key("content-encoding"));
    feed.send(Ok(text(5_000))).await.unwrap();
    drop(feed);
    assert_eq!(plain.into_body().collect().await.unwrap().to_bytes(), text(5_000));
    open.pop();
    let (_feed, response) = export(&world, &waiting).await;
    assert!(response.headers().contains_key("content-encoding"));
}
