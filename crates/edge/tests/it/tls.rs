//! HTTP-13: TLS on real sockets, certificates that change while the program runs.

use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use edge::serve::{Ended, Listeners, ServeConfig, TlsConfig};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::server::{OPEN, is_closed, start};

/// An authority, and a folder for the certificates that it gives.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, folder: tempfile::tempdir().unwrap() }
    }

    /// Puts a fresh certificate for `localhost` in place.
    fn issue(&self) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.path("key.pem"), key.serialize_pem()).unwrap();
        fs::write(self.path("cert.pem"), cert.pem()).unwrap();
        cert.der().clone()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> ServeConfig {
        ServeConfig { tls: Some(self.tls()), ..ServeConfig::default() }
    }

    fn tls(&self) -> TlsConfig {
        TlsConfig {
            cert: self.path("cert.pem"),
            key: self.path("key.pem"),
            reload_ms: 10,
            handshake_timeout_ms: 10_000,
        }
    }

    /// Connects as a client that trusts this authority alone.
    async fn connect(
        &self,
        address: SocketAddr,
        protocol: &str,
        versions: &[&'static SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_protocol_versions(versions).unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(address).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }
}

type Request = http::Request<Empty<bytes::Bytes>>;

fn request() -> Request {
    http::Request::get("https://localhost/api/v1/open")
        .header("host", "localhost")
        .body(Empty::new())
        .unwrap()
}

#[tokio::test]
async fn http_2_and_http_1_are_agreed_upon_in_the_handshake_of_tls_1_3_and_1_2() {
    let authority = Authority::new();
    authority.issue();
    let running = start(authority.config()).await;
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let stream = authority.connect(running.address, "h2", &[version]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let io = TokioIo::new(stream);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        let answer = sender.send_request(request()).await.unwrap();
        assert_eq!((answer.version(), answer.status().as_u16()), (http::Version::HTTP_2, 200));
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("\"address\":\"127.0.0.1\""));

        let stream = authority.connect(running.address, "http/1.1", &[version]).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let answer = sender.send_request(request()).await.unwrap();
        assert_eq!((answer.version(), answer.status().as_u16()), (http::Version::HTTP_11, 200));
    }
    // Connections by TLS end in order, too.
    running.stop.send(()).unwrap();
    assert_eq!(running.ended.await.unwrap(), Ended { cut_off: 0 });
}

#[tokio::test]
async fn a_changed_certificate_serves_new_connections_without_a_restart() {
    let authority = Authority::new();
    let first = authority.issue();
    let running = start(authority.config()).await;
    let shown = async || {
        let stream = authority.connect(running.address, "h2", rustls::DEFAULT_VERSIONS).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
    };
    let until = async |wanted: &CertificateDer<'static>| {
        let changed = async { while shown().await != *wanted {} };
        tokio::time::timeout(Duration::from_secs(20), changed).await.unwrap();
    };
    until(&first).await;
    until(&authority.issue()).await;
    // Half a change, as when one file is written before the other, is put right by its other half.
    fs::write(authority.path("key.pem"), "nonsense").unwrap();
    shown().await;
    until(&authority.issue()).await;
}

#[tokio::test]
async fn whoever_does_not_finish_the_handshake_is_cut_off() {
    let authority = Authority::new();
    authority.issue();
    let tls = TlsConfig { handshake_timeout_ms: 50, ..authority.tls() };
    let running = start(ServeConfig { tls: Some(tls), ..ServeConfig::default() }).await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    assert!(is_closed(&mut silent).await, "a client that says nothing");
    let mut plain = TcpStream::connect(running.address).await.unwrap();
    plain.write_all(OPEN.as_bytes()).await.unwrap();
    assert!(is_closed(&mut plain).await, "a client that speaks plain HTTP");
    // Others are served.
    authority.connect(running.address, "h2", rustls::DEFAULT_VERSIONS).await.unwrap();
}

#[tokio::test]
async fn files_that_cannot_be_used_are_refused_at_the_start_in_a_sentence() {
    let authority = Authority::new();
    authority.issue();
    let refused = async |config: TlsConfig| {
        let config = ServeConfig { tls: Some(config), ..ServeConfig::default() };
        match Listeners::bind("127.0.0.1:0".parse().unwrap(), &config).await {
            Ok(_) => panic!("listens with files that cannot be used"),
            Err(error) => error.to_string(),
        }
    };
    let names = |text: &str, setting: &str, path: &Path, cause: &str| {
        let path = path.display().to_string();
        assert!(text.starts_with(setting) && text.contains(&path) && text.contains(cause), "{text}");
    };
    let nowhere = authority.path("nowhere.pem");
    let text = refused(TlsConfig { key: nowhere.clone(), ..authority.tls() }).await;
    names(&text, "serve.tls.key: ", &nowhere, "No such file");
    let text = refused(TlsConfig { cert: authority.path("key.pem"), ..authority.tls() }).await;
    names(&text, "serve.tls.cert: ", &authority.path("key.pem"), "no certificates");
    let text = refused(TlsConfig { key: authority.path("cert.pem"), ..authority.tls() }).await;
    names(&text, "serve.tls.key: ", &authority.path("cert.pem"), "no private key");
    let other = KeyPair::generate().unwrap().serialize_pem();
    fs::write(authority.path("other.pem"), &other).unwrap();
    let text = refused(TlsConfig { key: authority.path("other.pem"), ..authority.tls() }).await;
    names(&text, "serve.tls.key: ", &authority.path("other.pem"), "is not the key of the certificate");
    let secret = other.lines().nth(1).unwrap();
    assert!(!text.contains(secret));
}
