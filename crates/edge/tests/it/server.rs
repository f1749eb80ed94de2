//! HTTP-11: the server loop on real sockets.

use std::{net::SocketAddr, time::Duration};

use edge::serve::{Ended, Listeners, ServeConfig, serve};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

use crate::world::World;

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) ended: JoinHandle<Ended>,
    pub(crate) world: World,
}

pub(crate) async fn start(config: ServeConfig) -> Running {
    start_with(config, World::new()).await
}

pub(crate) async fn start_with(config: ServeConfig, world: World) -> Running {
    let listener = Listeners::bind("127.0.0.1:0".parse().unwrap(), &config).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let (router, edge) = (world.router.clone(), world.edge.clone());
    let ended = tokio::spawn(async move {
        serve(listener, router, &edge, &config, async {
            let _ = stopped.await;
        })
        .await
    });
    Running { address, stop, ended, world }
}

pub(crate) async fn talk(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let got = stream.read(&mut piece).await.unwrap();
        text.extend_from_slice(&piece[..got]);
        let shown = String::from_utf8_lossy(&text);
        if got == 0 || shown.ends_with('}') {
            return shown.into_owned();
        }
    }
}

pub(crate) const OPEN: &str = "GET /api/v1/open HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn connections_are_kept_and_know_their_address() {
    let running = start(ServeConfig::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    for _ in 0..3 {
        let answer = talk(&mut stream, OPEN).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"address\":\"127.0.0.1\""),
            "{answer}"
        );
    }
}

// HTTP-12
#[tokio::test]
async fn a_proxy_that_nobody_configured_cannot_make_its_clients_operators() {
    let running = start(ServeConfig::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let forwarded = OPEN.replace("\r\n\r\n", "\r\nx-forwarded-for: 203.0.113.9\r\n\r\n");
    assert!(talk(&mut stream, &forwarded).await.contains("\"address\":\"127.0.0.1\""));
}

// HTTP-13
#[tokio::test]
async fn http_2_is_spoken_without_tls() {
    let running = start(ServeConfig::default()).await;
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("http://x/api/v1/open").body(Empty::<bytes::Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (http::Version::HTTP_2, 200));
    assert!(!response.into_body().collect().await.unwrap().to_bytes().is_empty());
}

pub(crate) async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn silent_half_and_idle_clients_are_cut_off() {
    let config = ServeConfig { head_timeout_ms: 50, ..ServeConfig::default() };
    let running = start(config).await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    assert!(is_closed(&mut silent).await, "a client that says nothing");
    let mut half = TcpStream::connect(running.address).await.unwrap();
    half.write_all(b"GET /api/v1/open HTTP/1.1\r\nhost:").await.unwrap();
    assert!(is_closed(&mut half).await, "a client that stops in the middle of its head");
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    talk(&mut idle, OPEN).await;
    assert!(is_closed(&mut idle).await, "a client that has gone quiet");
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let config = ServeConfig { write_timeout_ms: 100, max_connections: 1, ..ServeConfig::default() };
    let running = start(config).await;
    let mut greedy = TcpStream::connect(running.address).await.unwrap();
    // Pipelined requests for a large page whose answers nobody reads fill every buffer on the way.
    let request = "GET /api/docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(50);
    greedy.write_all(request.as_bytes()).await.unwrap();
    // There is room for one connection: the next one is served only when the greedy one has been cut off.
    let mut next = TcpStream::connect(running.address).await.unwrap();
    let served = tokio::time::timeout(Duration::from_secs(20), talk(&mut next, OPEN)).await.unwrap();
    assert!(served.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn heads_beyond_the_limit_are_refused() {
    let running = start(ServeConfig::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let long = format!("GET /api/v1/open HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(40_000));
    stream.write_all(long.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // The rest of the head is never read, so the connection may be reset before the answer arrives.
    let ended = stream.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 431") || ended.is_err(), "{answer}");
}

#[tokio::test]
async fn stopping_ends_idle_connections_at_once() {
    let running = start(ServeConfig::default()).await;
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    talk(&mut idle, OPEN).await;
    running.stop.send(()).unwrap();
    assert!(is_closed(&mut idle).await);
    assert_eq!(running.ended.await.unwrap(), Ended { cut_off: 0 });
    assert!(running.world.edge.is_draining());
    assert!(TcpStream::connect(running.address).await.is_err(), "no new connections");
}

#[tokio::test]
async fn stopping_waits_for_requests_in_flight_and_cuts_off_the_rest() {
    let body = r#"{"displayName":"Lamp","count":1}"#;
    let head = format!(
        "POST /api/v1/things HTTP/1.1\r\nhost: x\r\nauthorization: Bearer acme-*\r\nidempotency-key: k\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let running = start(ServeConfig::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    while running.world.edge.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    running.stop.send(()).unwrap();
    while !running.world.edge.is_draining() {
        tokio::task::yield_now().await;
    }
    let answer = talk(&mut stream, body).await;
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    assert_eq!(running.ended.await.unwrap(), Ended { cut_off: 0 });

    let running = start(ServeConfig { grace_ms: 50, ..ServeConfig::default() }).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    while running.world.edge.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    running.stop.send(()).unwrap();
    assert_eq!(running.ended.await.unwrap(), Ended { cut_off: 1 });
    assert!(is_closed(&mut stream).await);
}
