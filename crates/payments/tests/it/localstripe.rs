//! The independent fake of Stripe, `localstripe` from PyPI, behind a line that remembers idempotency keys as Stripe does
//! and loses calls and answers when a test wants it to.

use std::{
    collections::{HashMap, VecDeque},
    net::TcpListener,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::mpsc,
};

/// What happens to the next call whose path ends so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It never arrives, and no answer comes.
    LoseCall(&'static str),
    /// It arrives, and no answer comes.
    LoseAnswer(&'static str),
    /// It never arrives, and the answer is 503.
    Unavailable(&'static str),
}

impl Fault {
    fn of(self, path: &str) -> bool {
        let (Self::LoseCall(end) | Self::LoseAnswer(end) | Self::Unavailable(end)) = self;
        path.ends_with(end)
    }
}

/// A provider's server and the line to it.
pub(crate) struct LocalStripe {
    /// Where the program is to ask.
    pub(crate) base_url: String,
    line: Arc<Line>,
    _process: Child,
}

struct Line {
    http: reqwest::Client,
    server: String,
    faults: Mutex<VecDeque<Fault>>,
    /// One call at a time, so that what a key stands for is known before it comes again.
    answers: tokio::sync::Mutex<HashMap<String, (StatusCode, Bytes)>>,
}

impl LocalStripe {
    pub(crate) async fn start() -> Self {
        for _ in 0..5 {
            if let Some(started) = Self::try_start().await {
                return started;
            }
        }
        panic!("localstripe does not start: run cargo xtask setup --for test");
    }

    async fn try_start() -> Option<Self> {
        let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("test-tools/venv/bin");
        // Free a moment ago; when somebody else is faster it ends at once and another one is tried.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // As its own command, but without its habit of writing down everything in a file that all share.
        let program = "from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
server.start()";
        let mut process = Command::new(tools.join("python"))
            .args(["-c", program, "--port", &port.to_string(), "--from-scratch"])
            .env("PYTHONUNBUFFERED", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        while !lines.next_line().await.unwrap()?.contains("Running on") {}
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let server = format!("http://127.0.0.1:{port}");
        let (faults, answers) = (Mutex::default(), tokio::sync::Mutex::default());
        let line = Arc::new(Line { http, server, faults, answers });
        let base_url = serve(Router::new().fallback(carry).with_state(line.clone())).await;
        Some(Self { base_url, line, _process: process })
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.line.faults.lock().unwrap().push_back(fault);
    }

    /// Asks the server itself, as somebody with a key.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &str) -> Value {
        let request = self.line.http.request(method, format!("{}{path}", self.line.server));
        let request = request.bearer_auth("sk_test_12345").body(body.to_owned());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.send().await.unwrap().json().await.unwrap_or(Value::Null)
    }

    /// What it has taken less what it gave back, in minor units.
    pub(crate) async fn total(&self) -> i64 {
        let sum = |list: &Value| -> i64 {
            let items = list["data"].as_array().unwrap().iter();
            items
                .filter(|item| item["status"] == "succeeded")
                .map(|item| item["amount"].as_i64().unwrap())
                .sum()
        };
        let intents = self.ask(Method::GET, "/v1/payment_intents?limit=100", "").await;
        let refunds = self.ask(Method::GET, "/v1/refunds?limit=100", "").await;
        sum(&intents) - sum(&refunds)
    }

    /// A card that wants to be confirmed by its bank.
    pub(crate) async fn strict_card(&self) -> String {
        let card =
            "type=card&card[number]=4000002760003184&card[exp_month]=12&card[exp_year]=2030&card[cvc]=123";
        self.ask(Method::POST, "/v1/payment_methods", card).await["id"].as_str().unwrap().to_owned()
    }

    /// The bank's word on an intent.
    pub(crate) async fn authenticate(&self, intent: &str, client_secret: &str, success: bool) {
        let body = format!("client_secret={client_secret}&success={success}");
        self.ask(Method::POST, &format!("/v1/payment_intents/{intent}/_authenticate"), &body).await;
    }

    /// Has its webhooks, signed with `secret`, sent to the test.
    pub(crate) async fn listen(&self, secret: &str) -> mpsc::UnboundedReceiver<Webhook> {
        let (told, heard) = mpsc::unbounded_channel();
        let url = serve(Router::new().fallback(hear).with_state(told)).await;
        let body = json!({ "url": url, "secret": secret }).to_string();
        let place = format!("{}/_config/webhooks/test", self.line.server);
        let request = self.line.http.post(place).header("content-type", "application/json").body(body);
        assert!(request.send().await.unwrap().status().is_success());
        heard
    }
}

/// An event as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) signature: String,
    pub(crate) body: String,
}

async fn hear(State(told): State<mpsc::UnboundedSender<Webhook>>, headers: HeaderMap, body: String) {
    let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
    let _ = told.send(Webhook { signature, body });
}

/// Serves until the test's runtime ends; where.
pub(crate) async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn carry(
    State(line): State<Arc<Line>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = {
        let mut faults = line.faults.lock().unwrap();
        let next = faults.iter().position(|fault| fault.of(uri.path()));
        next.and_then(|at| faults.remove(at))
    };
    match fault {
        Some(Fault::LoseCall(_)) => return std::future::pending().await,
        Some(Fault::Unavailable(_)) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Fault::LoseAnswer(_)) | None => {}
    }
    let (status, answer) = line.forward(method, &uri.to_string(), &headers, body).await;
    if fault.is_some() {
        return std::future::pending().await;
    }
    (status, [("content-type", "application/json")], answer).into_response()
}

impl Line {
    async fn forward(
        &self,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> (StatusCode, Bytes) {
        let mut answers = self.answers.lock().await;
        let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
        if let Some(known) = key.as_ref().and_then(|key| answers.get(key)) {
            return known.clone();
        }
        let mut request = self.http.request(method, format!("{}{path}", self.server)).body(body);
        for name in ["authorization", "content-type"] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await.unwrap();
        let known = (answer.status(), answer.bytes().await.unwrap());
        if let Some(key) = key {
            answers.insert(key, known.clone());
        }
        known
    }
}
