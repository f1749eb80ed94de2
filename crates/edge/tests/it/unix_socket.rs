//! HTTP-13: the Unix socket, served beside the address.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use edge::{
    EdgeConfig, Op, Reply, Routes,
    serve::{Ended, Listeners, ServeConfig},
};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use crate::{
    server::{OPEN, start, start_with, talk},
    world::{PLATFORM_THINGS, World},
};

async fn get(path: &Path, target: &str) -> (u16, String) {
    let stream = UnixStream::connect(path).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    // An address that anybody can write into a header is not believed.
    let request = http::Request::get(target).header("host", "x").header("x-forwarded-for", "127.0.0.1");
    let answer = sender.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

fn at(path: &Path) -> ServeConfig {
    ServeConfig { unix_socket: Some(path.to_owned()), ..ServeConfig::default() }
}

#[tokio::test]
async fn the_same_is_served_over_a_unix_socket_by_a_client_without_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("http.sock");
    let op =
        Op::get("/watched", "get_watched", "For the operator's network").operator_network(PLATFORM_THINGS);
    let watched = Routes::new("Watched").add(op.returns::<String>(200), || async { Reply::ok("seen") });
    let world = World::with(EdgeConfig::default(), vec![watched.with_state(())]);
    let running = start_with(at(&path), world).await;
    let (status, body) = get(&path, "/api/v1/open").await;
    assert_eq!((status, body.contains("\"address\":null")), (200, true), "{body}");
    // HTTP-12: who has no address is not in the operator's network.
    assert_eq!(get(&path, "/api/v1/watched").await.0, 401);
    let mut beside = tokio::net::TcpStream::connect(running.address).await.unwrap();
    assert!(talk(&mut beside, OPEN).await.starts_with("HTTP/1.1 200 OK"));
    drop(beside);
    running.stop.send(()).unwrap();
    assert_eq!(running.ended.await.unwrap(), Ended { cut_off: 0 });
    assert!(!path.exists(), "the socket goes with its server");
}

#[tokio::test]
async fn the_socket_has_its_mode_and_nothing_is_left_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("http.sock");
    for (mode, bits) in [("660", 0o660), ("0600", 0o600), ("666", 0o666)] {
        let config = ServeConfig { unix_socket_mode: mode.to_owned(), ..at(&path) };
        let listeners = Listeners::bind("127.0.0.1:0".parse().unwrap(), &config).await.unwrap();
        assert_eq!(listeners.unix_socket(), Some(&*path));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, bits);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
    for mode in ["", "77", "770", "060", "rw", "1660", "-660"] {
        let config = ServeConfig { unix_socket_mode: mode.to_owned(), ..at(&path) };
        assert!(config.validate().unwrap_err().starts_with("serve.unix_socket_mode must be"), "{mode}");
    }
    let long = ServeConfig { unix_socket: Some("x".repeat(108).into()), ..ServeConfig::default() };
    assert!(long.validate().unwrap_err().contains("serve.unix_socket"));
}

#[tokio::test]
async fn a_socket_left_behind_is_replaced_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("http.sock");
    // A process that was killed leaves its socket behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let running = start(at(&path)).await;
    assert_eq!(get(&path, "/api/v1/open").await.0, 200);
    // The second one does not take it from the first.
    let refused = async |path: &Path| {
        let bound = Listeners::bind("127.0.0.1:0".parse().unwrap(), &at(path)).await;
        bound.err().unwrap().to_string()
    };
    let text = refused(&path).await;
    assert!(text.contains("serve.unix_socket") && text.ends_with("another process serves there"), "{text}");
    assert_eq!(get(&path, "/api/v1/open").await.0, 200);
    drop(running);
    let file = folder.path().join("notes.txt");
    fs::write(&file, "mine").unwrap();
    assert!(refused(&file).await.contains("a file that is no socket"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    let nowhere = folder.path().join("nowhere/http.sock");
    assert!(refused(&nowhere).await.contains("No such file"));
}
