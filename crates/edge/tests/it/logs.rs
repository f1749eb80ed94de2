//! DPR-4: the log has no tokens, no bodies, no queries and no names; HTTP-3: it has the correlation id.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use edge::serve::ServeConfig;
use tokio::net::TcpStream;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    server::{OPEN, start, talk},
    world::{Call, World},
};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_log_tells_what_happened_and_gives_nobody_away() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(captured.clone())
        .finish();
    let world = World::new();
    {
        let _guard = tracing::subscriber::set_default(subscriber);
        let body = r#"{"displayName":"CANARY-BODY","count":-1}"#;
        let call = Call::post("/api/v1/things").token("acme-*,CANARY-TOKEN").key("CANARY-KEY");
        world.send(call.header("x-correlation-id", "till-7").json(body)).await.is(400, "VALIDATION_FAILED");
        world.send(Call::get("/api/v1/things?colour=CANARY").token("acme-*,CANARY")).await.is(200, "");
        world.send(Call::get("/api/v1/things/CANARY-PATH").token("CANARY")).await.is(401, "UNAUTHENTICATED");
        let agent = Call::get("/api/v1/open").header("user-agent", "CANARY-AGENT");
        world.send(agent.header("cookie", "CANARY-COOKIE")).await.is(200, "");
    }
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(!log.contains("CANARY"), "{log}");
    let ours: Vec<&str> = log.lines().filter(|line| line.contains("edge::gate")).collect();
    assert_eq!(ours.len(), 4, "one event per request: {log}");
    let first: serde_json::Value = serde_json::from_str(ours[0]).unwrap();
    assert_eq!(first["level"], "INFO");
    let fields = &first["fields"];
    assert_eq!(fields["correlation_id"], "till-7");
    assert_eq!(fields["http.operation"], "create_thing");
    assert_eq!(fields["http.status"], 400);
    assert_eq!(fields["tenant"], "acme");
    assert_eq!(fields["user"], "usr_01J00000000000000000000001");
    assert!(fields["duration_us"].is_u64() && fields["trace_id"].as_str().unwrap().len() == 32, "{first}");
    assert_eq!(fields["code"], "VALIDATION_FAILED");
}

// HTTP-10: behind a proxy that nobody configured all clients share one limit; the operator is told, once.
#[tokio::test]
async fn a_proxy_that_nobody_configured_is_mentioned_once_and_without_addresses() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(captured.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let running = start(ServeConfig::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let forwarded = OPEN.replace("\r\n\r\n", "\r\nx-forwarded-for: 203.0.113.9\r\n\r\n");
    talk(&mut stream, OPEN).await;
    for _ in 0..3 {
        talk(&mut stream, &forwarded).await;
    }
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("edge.trusted_proxies").count(), 1, "{log}");
    assert!(!log.contains("203.0.113.9") && !log.contains("127.0.0.1"), "{log}");
}
