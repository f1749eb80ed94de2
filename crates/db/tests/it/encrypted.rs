//! DPR-5: TLS to databases, on a PostgreSQL that listens on an address.

use std::{collections::HashMap, fs, path::Path, sync::Arc};

use db::{
    ConnectionConfig, Db, DbConfig, DbError, Migrations, PoolLimits,
    migrate::{DatabaseSpec, Kind, prepare},
};
use kernel::Placement;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use testkit::{TlsFiles, TlsPostgres};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, PEM.
fn issue(authority: &Authority, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

/// A server for `db.example`, and where the certificate of its authority is.
async fn server() -> (TlsPostgres, Authority, String) {
    let authority = authority("ours");
    let (cert, key) = issue(&authority, "db.example");
    let files = TlsFiles { cert: &cert, key: &key, authority: &authority.pem() };
    let server = TlsPostgres::start(files).await.unwrap();
    let trusted = put(server.folder(), "authority.pem", &authority.pem());
    (server, authority, trusted)
}

fn put(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn pools(server: &TlsPostgres, place: ConnectionConfig) -> Db {
    Db::new(DbConfig {
        shards: HashMap::from([(Arc::from("main"), place.clone())]),
        control: place,
        control_database: "markethall_control".into(),
        passwords: server.passwords().roles.clone(),
        limits: PoolLimits::default(),
        breakers: resilience::Breakers::default(),
    })
    .unwrap()
}

async fn set_up(server: &TlsPostgres, place: &ConnectionConfig) -> Result<(), db::migrate::MigrateError> {
    let databases = [
        DatabaseSpec { name: "markethall_shared", kind: Kind::Tenant },
        DatabaseSpec { name: "markethall_template", kind: Kind::Template },
        DatabaseSpec { name: "markethall_control", kind: Kind::Control },
    ];
    let (tenant, control) = (Migrations::tenant([]), Migrations::control([]));
    prepare(place, server.passwords(), &databases, &tenant, &control).await.map(drop)
}

/// How this session of ours is encrypted.
const HOW: &str = "select version from pg_stat_ssl where pid = pg_backend_pid() and ssl";

#[tokio::test]
async fn set_up_pools_and_sessions_are_encrypted_once_the_server_has_proved_its_name() {
    let (server, _, trusted) = server().await;
    let place = server.config("db.example", &format!("sslmode=verify-full&sslrootcert={trusted}")).unwrap();
    set_up(&server, &place).await.unwrap();
    let db = pools(&server, place);
    let version: String = db.control().await.unwrap().query_one(HOW, &[]).await.unwrap().get(0);
    assert_eq!(version, "TLSv1.3");
    let placement =
        Placement { shard: "main".into(), database: "markethall_shared".into(), dedicated: false };
    let session = db.relay(&placement).await.unwrap();
    assert_eq!(session.query_one(HOW, &[]).await.unwrap().get::<_, String>(0), "TLSv1.3");
    let listener = db.control_session().await.unwrap();
    assert_eq!(listener.query_one(HOW, &[]).await.unwrap().get::<_, String>(0), "TLSv1.3");
}

#[tokio::test]
async fn an_impostor_is_refused_in_a_sentence_that_tells_no_secret() {
    let (server, _, trusted) = server().await;
    let stranger = put(server.folder(), "stranger.pem", &authority("a stranger").pem());
    let namesake = put(server.folder(), "namesake.pem", &authority("ours").pem());
    for (host, mode, trusted, said) in [
        ("db.example", "verify-full", &stranger, "UnknownIssuer"),
        ("db.example", "verify-ca", &stranger, "UnknownIssuer"),
        ("db.example", "require", &stranger, "UnknownIssuer"),
        ("db.example", "verify-full", &namesake, "BadSignature"),
        ("other.example", "verify-full", &trusted, "not valid for name \"other.example\""),
    ] {
        let place = server.config(host, &format!("sslmode={mode}&sslrootcert={trusted}")).unwrap();
        let refused = set_up(&server, &place).await.unwrap_err().to_string();
        assert!(refused.contains(said), "{host} {mode}: {refused}");
        assert!(!refused.contains(server.password()), "{refused}");
        let refused = pools(&server, place).control().await.map(drop).unwrap_err();
        assert!(matches!(&refused, DbError::Unavailable(text) if text.contains(said)), "{refused}");
    }
}

#[tokio::test]
async fn weaker_modes_ask_for_less_and_none_is_silently_left_out() {
    let (server, _, trusted) = server().await;
    for query in [
        format!("sslmode=verify-ca&sslrootcert={trusted}"),
        "sslmode=require".to_owned(),
        "sslmode=prefer".to_owned(),
        "connect_timeout=5".to_owned(),
    ] {
        let place = server.config("other.example", &query).unwrap();
        set_up(&server, &place).await.unwrap_or_else(|error| panic!("{query}: {error}"));
    }
    let refused =
        set_up(&server, &server.config("db.example", "sslmode=disable").unwrap()).await.unwrap_err();
    assert!(refused.to_string().contains("no encryption"), "{refused}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_was_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // PostgreSQL's "no" to the question for encryption.
            let mut asked = [0; 8];
            let _ = stream.read_exact(&mut asked).await;
            let _ = stream.write_all(b"N").await;
        }
    });
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = format!("postgres://u:hunter2@127.0.0.1:{port}/postgres?sslmode={mode}");
        let place: ConnectionConfig = url.parse().unwrap();
        let (tenant, control) = (Migrations::tenant([]), Migrations::control([]));
        let passwords = testkit::TestCluster::get().passwords();
        let refused = prepare(&place, passwords, &[], &tenant, &control).await.unwrap_err().to_string();
        assert!(refused.contains("server does not support TLS") && !refused.contains("hunter2"), "{refused}");
    }
}

#[tokio::test]
async fn a_certificate_of_our_own_signs_in_where_the_server_wants_one() {
    let (server, authority, trusted) = server().await;
    let admin = server.config("db.example", "sslmode=require").unwrap();
    set_up(&server, &admin).await.unwrap();
    let (cert, key) = issue(&authority, "by_certificate");
    let (cert, key) = (put(server.folder(), "c.pem", &cert), put(server.folder(), "k.pem", &key));
    let ours = format!("sslmode=verify-full&sslrootcert={trusted}&sslcert={cert}&sslkey={key}");
    let connects = async |query: &str| {
        let mut place = server.config("db.example", query).unwrap();
        place.user("by_certificate");
        set_up(&server, &place).await.unwrap_err().to_string()
    };
    // There is no such role: the server says so only after it has taken the certificate.
    let refused = connects(&ours).await;
    assert!(refused.contains("by_certificate") && refused.contains("does not exist"), "{refused}");
    let refused = connects(&format!("sslmode=verify-full&sslrootcert={trusted}")).await;
    assert!(refused.contains("certificate"), "{refused}");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let nonsense = put(folder.path(), "nonsense.pem", "nonsense");
    for (query, said) in [
        (
            "sslmode=verify-full&sslrootcert=/nowhere.pem".to_owned(),
            "sslrootcert: /nowhere.pem cannot be read",
        ),
        (format!("sslmode=verify-ca&sslrootcert={nonsense}"), "holds no certificates in PEM format"),
        (format!("sslmode=require&sslcert={nonsense}&sslkey={nonsense}"), "sslcert: "),
        (format!("sslmode=require&sslcert={nonsense}"), "sslkey must be given with sslcert"),
        ("sslmode=require&sslkey=x".to_owned(), "sslcert must be given with sslkey"),
    ] {
        let url = format!("postgres://u:hunter2@db.example/postgres?{query}");
        let refused = url.parse::<ConnectionConfig>().unwrap_err().to_string();
        assert!(refused.contains(said) && !refused.contains("hunter2"), "{query}: {refused}");
    }
}
