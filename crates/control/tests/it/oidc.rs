//! OpenID providers for tests: the certified one from npm, and one that does whatever a test wants.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};

/// The certified provider in a process of its own; it ends with this value.
pub(crate) struct Provider {
    child: Child,
    pub(crate) issuer: String,
    token_endpoint: String,
}

impl Provider {
    /// Starts a provider whose tokens name `tenant` and `permissions`.
    pub(crate) fn start(tenant: &str, permissions: &str) -> Self {
        let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("test-tools/oidc");
        assert!(tools.is_dir(), "{} is missing: run `cargo xtask setup test`", tools.display());
        let mut child = Command::new("node")
            .arg("provider.mjs")
            .current_dir(&tools)
            .env("TENANT", tenant)
            .env("PERMISSIONS", permissions)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        Self { child, issuer: text("issuer"), token_endpoint: text("tokenEndpoint") }
    }

    /// A fresh access token.
    pub(crate) async fn token(&self) -> String {
        let answer = reqwest::Client::new()
            .post(&self.token_endpoint)
            .basic_auth("till", Some("till-secret"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials")
            .send()
            .await
            .unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    /// The public keys as published.
    pub(crate) async fn keys(&self) -> Value {
        let answer = reqwest::get(format!("{}/jwks", self.issuer)).await.unwrap();
        answer.json().await.unwrap()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}

/// A key pair of the willing issuer.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) kid: String,
    private: EncodingKey,
    public: Value,
}

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        let pair =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let private = EncodingKey::from_ec_der(pair.as_ref());
        let mut jwk = Jwk::from_encoding_key(&private, Algorithm::ES256).unwrap();
        jwk.common.key_id = Some(kid.to_owned());
        Self { kid: kid.to_owned(), private, public: serde_json::to_value(jwk).unwrap() }
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.kid, claims)
    }

    /// Signed with this key under another name.
    pub(crate) fn sign_as(&self, kid: &str, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(kid.to_owned());
        jsonwebtoken::encode(&header, claims, &self.private).unwrap()
    }
}

#[derive(Default)]
struct Shown {
    issuer: Mutex<String>,
    keys: Mutex<Vec<Value>>,
    away: AtomicBool,
    asked: AtomicUsize,
}

/// An issuer that publishes what a test tells it to.
#[derive(Clone)]
pub(crate) struct Willing {
    pub(crate) url: String,
    shown: Arc<Shown>,
}

impl Willing {
    pub(crate) async fn start(keys: &[&Key]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shown = Arc::new(Shown::default());
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(key_set))
            .with_state(shown.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        let willing = Self { url, shown };
        willing.names(&willing.url);
        willing.publishes(keys);
        willing
    }

    pub(crate) fn publishes(&self, keys: &[&Key]) {
        *self.shown.keys.lock().unwrap() = keys.iter().map(|key| key.public.clone()).collect();
    }

    /// What the discovery document says the issuer is.
    pub(crate) fn names(&self, issuer: &str) {
        issuer.clone_into(&mut self.shown.issuer.lock().unwrap());
    }

    pub(crate) fn is_away(&self, away: bool) {
        self.shown.away.store(away, Ordering::SeqCst);
    }

    /// How often its keys were read.
    pub(crate) fn asked(&self) -> usize {
        self.shown.asked.load(Ordering::SeqCst)
    }
}

async fn discovery(State(shown): State<Arc<Shown>>) -> Result<Json<Value>, StatusCode> {
    if shown.away.load(Ordering::SeqCst) {
        return Err(StatusCode::BAD_GATEWAY);
    }
    let issuer = shown.issuer.lock().unwrap().clone();
    let jwks_uri = format!("{issuer}/keys");
    Ok(Json(json!({ "issuer": issuer, "jwks_uri": jwks_uri })))
}

async fn key_set(State(shown): State<Arc<Shown>>) -> Json<Value> {
    shown.asked.fetch_add(1, Ordering::SeqCst);
    Json(json!({ "keys": *shown.keys.lock().unwrap() }))
}
