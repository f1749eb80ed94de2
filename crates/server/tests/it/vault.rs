//! DPR-5: secrets from a Vault, over its HTTP API as documented, on a small fake of it.

use std::{fs, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Home, Ran};

const TOKEN: &str = "hvs.token-canary";
const SECRET: &str = "hunter2-canary";

/// Both versions of the key-value engine, what is no secret of ours, and what goes wrong.
fn stored(path: &str) -> Option<Value> {
    let url = format!("postgres://admin:{SECRET}@db.example:5432/postgres");
    Some(match path {
        "secret/data/markethall" => json!({ "data": {
            "data": { "database.url": url, "shards.east.url": url, "messages.nats.token": SECRET },
            "metadata": { "version": 3 }
        } }),
        "kv/markethall" => json!({ "data": { "database.url": url } }),
        "kv/foreign" => json!({ "data": { "listen": "0.0.0.0:80" } }),
        "kv/number" => json!({ "data": { "database.url": 3 } }),
        "kv/deleted" => json!({ "data": { "data": null, "metadata": { "version": 4 } } }),
        "kv/long" => json!({ "data": { "database.url": "x".repeat(2 << 20) } }),
        _ => return None,
    })
}

async fn read(State(token): State<Arc<str>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    match (headers.get("x-vault-token"), &*path) {
        (Some(given), _) if given.as_bytes() != token.as_bytes() => StatusCode::FORBIDDEN.into_response(),
        (None, _) => StatusCode::FORBIDDEN.into_response(),
        (_, "kv/slow") => std::future::pending().await,
        (_, "kv/sealed") => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => stored(&path)
            .map_or_else(|| StatusCode::NOT_FOUND.into_response(), |it| axum::Json(it).into_response()),
    }
}

async fn vault() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/v1/{*path}", get(read)).with_state(Arc::<str>::from(TOKEN));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// `config check` with the Vault at `address` and these settings besides.
fn check(home: &Home, address: SocketAddr, path: &str, more: &[(&str, &str)]) -> Ran {
    let file = home.path().join("vault-token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let mut command = home.command();
    command.args(["config", "check", "--json"]).env("MARKETHALL_VAULT__TOKEN_FILE", file);
    command.env("MARKETHALL_VAULT__ADDRESS", format!("http://{address}")).env("MARKETHALL_VAULT__PATH", path);
    let ran = Ran::of(command.envs(more.iter().copied()));
    assert!(!format!("{ran:?}").contains(SECRET) && !format!("{ran:?}").contains(TOKEN), "{ran:?}");
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_settings_are_read_from_both_versions_of_the_engine() {
    let (home, address) = (Home::empty(), vault().await);
    let shown = check(&home, address, "secret/data/markethall", &[]).exits(0).json();
    assert_eq!((&shown["database"]["url"], &shown["shards"]["east"]["url"]), (&json!("***"), &json!("***")));
    assert_eq!(
        (&shown["messages"]["nats"]["token"], &shown["vault"]["token"]),
        (&json!("***"), &json!("***"))
    );
    let shown = check(&home, address, "/kv/markethall/", &[]).exits(0).json();
    assert_eq!(
        (&shown["database"]["url"], &shown["messages"]["nats"]["token"]),
        (&json!("***"), &json!(null))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_with_a_vault_is_said_without_a_secret_and_ends_the_start() {
    let (home, address) = (Home::empty(), vault().await);
    for (path, said) in [
        ("kv/nothing", "there is nothing at kv/nothing"),
        ("kv/foreign", "listen at kv/foreign is no secret setting"),
        ("kv/number", "database.url at kv/number must be a text"),
        ("kv/deleted", "there are no fields at kv/deleted"),
        ("kv/long", "longer than a mebibyte"),
        ("kv/sealed", "503"),
        ("../sys/seal", "vault.path must be like"),
    ] {
        let ran = check(&home, address, path, &[]).exits(2);
        assert!(ran.stderr.contains(said), "{path}: {ran:?}");
    }
    let slow = check(&home, address, "kv/slow", &[("MARKETHALL_VAULT__TIMEOUT_MS", "50")]).exits(2);
    assert!(slow.stderr.contains("no answer in time"), "{slow:?}");
    let other = [("MARKETHALL_DATABASE__URL", "postgres://u@h/db")];
    let twice = check(&home, address, "kv/markethall", &other).exits(2);
    assert!(twice.stderr.contains("database.url is set, and in Vault as well"), "{twice:?}");
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let away = check(&home, away, "kv/markethall", &[]).exits(2);
    assert!(away.stderr.contains("no answer: "), "{away:?}");
    for (name, value, said) in [
        ("MARKETHALL_VAULT__ADDRESS", "http://vault.example:8200", "must begin with https://"),
        ("MARKETHALL_VAULT__ADDRESS", "https://u:hunter2-canary@vault.example", "must hold no secret"),
        ("MARKETHALL_VAULT__ADDRESS", "vault", "must be a URL"),
        ("MARKETHALL_VAULT__CA_FILE", "/nowhere.pem", "vault.ca_file: /nowhere.pem cannot be read"),
        ("MARKETHALL_VAULT__TIMEOUT_MS", "1", "vault.timeout_ms must be"),
    ] {
        let ran = check(&home, address, "kv/markethall", &[(name, value)]).exits(2);
        assert!(ran.stderr.contains(said), "{name}: {ran:?}");
    }
    // Somebody else's token.
    let file = home.path().join("other-token");
    fs::write(&file, "hvs.other").unwrap();
    let other = [("MARKETHALL_VAULT__TOKEN_FILE", file.to_str().unwrap())];
    let refused = check(&home, address, "kv/markethall", &other).exits(2);
    assert!(refused.stderr.contains("vault.token may not read kv/markethall"), "{refused:?}");
}
