//! HTTP-13: how the program serves is configured, and refused at the start when it cannot be.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
};

use rcgen::generate_simple_self_signed;

use crate::support::{Home, Ran, Server};

#[tokio::test]
async fn the_program_serves_by_tls_and_on_a_unix_socket_as_configured() {
    let home = Home::empty();
    let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let [cert, key, socket] = ["tls.crt", "tls.key", "http.sock"].map(|name| home.path().join(name));
    fs::write(&cert, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let config = home.path().join("markethall.toml");
    let text = format!(
        "[serve]\nunix_socket = {socket:?}\nmax_connections = 100\n[serve.tls]\ncert = {cert:?}\nkey = {key:?}\n"
    );
    fs::write(&config, text).unwrap();
    let path = config.display().to_string();
    let shown = home.json(&["config", "check", "--config", &path]);
    assert_eq!(
        (&shown["serve"]["max_connections"], &shown["serve"]["unix_socket_mode"]),
        (&100.into(), &"660".into())
    );
    assert!(!shown.to_string().contains("PRIVATE"));

    let server = Server::start_with(&home, &[("MARKETHALL_CONFIG", &path)], &[]);
    let trusted = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([trusted]);
    let client = client.resolve("localhost", server.address).build().unwrap();
    let url = format!("https://localhost:{}/health/live", server.address.port());
    let answer = client.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("strict-transport-security"), "{:?}", answer.headers());

    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    server.stop();
    assert!(!socket.exists());
}

#[test]
fn what_cannot_be_served_is_refused_before_a_database_is_started() {
    let home = Home::empty();
    let nowhere = home.path().join("nowhere.pem").display().to_string();
    let tls = [("MARKETHALL_SERVE__TLS__CERT", nowhere.as_str()), ("MARKETHALL_SERVE__TLS__KEY", &nowhere)];
    let ran = Ran::of(home.command().args(["serve", "--listen", "127.0.0.1:0"]).envs(tls)).exits(1);
    assert!(ran.stderr.contains("serve.tls.cert") && ran.stderr.contains("nowhere.pem"), "{ran:?}");
    for (name, value, said) in [
        ("MARKETHALL_SERVE__UNIX_SOCKET_MODE", "rwx", "unix_socket_mode"),
        ("MARKETHALL_SERVE__MAX_CONNECTIONS", "0", "max_connections"),
        ("MARKETHALL_SERVE__TLS__CERT", "/etc/tls.crt", "key"),
    ] {
        let ran =
            Ran::of(home.command().args(["serve", "--listen", "127.0.0.1:0"]).env(name, value)).exits(2);
        assert!(ran.stderr.contains(said), "{name}: {ran:?}");
    }
    assert!(home.postmaster().is_none());
}
