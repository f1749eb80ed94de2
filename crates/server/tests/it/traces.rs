//! OBS-2: where the time of a request goes, as a collector of OpenTelemetry sees it.

use std::{net::TcpListener, time::Duration};

use http::{Method, StatusCode};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;
use testkit::Client;

use crate::support::{Home, Outsider, Seen, Server, Shown, eur, fill, roots, text, wait_for};

const LIMIT: Duration = Duration::from_secs(30);
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
/// What only a request can have said.
const CANARIES: [&str; 7] = [
    "zb-canary@secret.example",
    "Zaphodina",
    "Canary Lane 77",
    "sk_test_canary",
    "whsec_canary",
    "hunter2",
    "pm_card_canary",
];

fn context(sampled: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{sampled}")
}

fn ok(_: &str) -> (StatusCode, String) {
    (StatusCode::OK, String::new())
}

/// As much of Stripe as takes the money at once; with `confirmed` another status.
fn stripe(confirmed: StatusCode) -> impl Fn(&str) -> (StatusCode, String) + Clone + Send + Sync + 'static {
    move |path| {
        let confirm = path.ends_with("/confirm");
        let status = if confirm { "succeeded" } else { "requires_confirmation" };
        let code = if confirm { confirmed } else { StatusCode::OK };
        (code, json!({ "id": "pi_1", "status": status }).to_string())
    }
}

/// A program that sends its traces to a collector, with a merchant who sells on the web and is told of everything.
struct World {
    home: Home,
    server: Server,
    staff: Client,
    collector: Outsider,
    provider: Outsider,
    merchant: Outsider,
    token: String,
}

impl World {
    async fn open(confirmed: StatusCode, settings: &[(&str, &str)]) -> Self {
        let home = Home::furnished();
        let (collector, provider) = (Outsider::open(ok).await, Outsider::open(stripe(confirmed)).await);
        let merchant = Outsider::open(ok).await;
        let (endpoint, stripe) = (collector.url(), provider.url());
        let mut all = vec![
            ("MARKETHALL_TRACES__ENDPOINT", endpoint.as_str()),
            ("MARKETHALL_TRACES__HEADERS__AUTHORIZATION", "Bearer hunter2"),
            ("MARKETHALL_PAYMENTS__STRIPE__BASE_URL", stripe.as_str()),
            ("MARKETHALL_WEBHOOKS__ALLOW_PRIVATE_NETWORKS", "true"),
            ("MARKETHALL_WEBHOOKS__ALLOW_HTTP", "true"),
            ("MARKETHALL_LOG__JSON", "true"),
            ("MARKETHALL_LOG__SERVICE", "till-1"),
            ("MARKETHALL_LOG__FILTER", "info,edge=debug"),
        ];
        all.extend(settings);
        let server = Server::start_with(&home, &all, &[]);
        let token = home.token(Some("acme"), &["*"]);
        let staff = server.member("acme", &token);
        let shop = staff.post("/shops", json!({ "code": "W01", "name": "Web", "kind": "web" })).await.is(201);
        staff.post("/products", json!({ "sku": "PEN", "name": "Pen", "price": eur(240) })).await.is(201);
        let line = json!({ "shopId": shop.text("/id"), "sku": "PEN", "quantity": "100" });
        staff.put("/inventory/restock", json!({ "lines": [line] })).await.is(200);
        let account =
            json!({ "credentials": { "secretKey": "sk_test_canary", "webhookSecret": "whsec_canary" } });
        staff.put("/payments/providers/stripe", account).await.is(200);
        let hook =
            json!({ "url": format!("{}/Zaphodina", merchant.url()), "description": "ERP", "active": true });
        staff.post("/webhooks", hook).await.is(201);
        Self { home, server, staff, collector, provider, merchant, token }
    }

    /// A guest buys a pen; the caller's trace context says `sampled`. Returns the state that the checkout came to.
    async fn buy(&self, sampled: &str) -> String {
        let stranger = self.server.stranger().with_tenant("acme");
        let pass = stranger.api(Method::POST, "/customers/guest").send().await.is(200);
        let guest = stranger.with_token(pass.text("/token"));
        fill(&guest, &[("PEN", "2")]).await;
        let body = json!({
            "cart": "me", "payment": { "provider": "stripe", "method": "pm_card_canary" },
            "note": "For zb-canary@secret.example",
            "shipTo": { "name": "Zaphodina", "lines": ["Canary Lane 77"], "city": "Wien", "postalCode": "1010", "country": "AT" }
        });
        let call = guest.api(Method::POST, "/checkout").json(&body).header("prefer", "wait=30");
        let done = call.header("traceparent", &context(sampled)).send().await;
        text(&done.json, "/state")
    }

    /// Asks for what is not there, in a trace that begins with the call.
    async fn ask(&self, query: &str) {
        self.staff.get(&format!("/sales?{query}")).await.is(200);
    }
}

/// The one span that `is` it.
#[track_caller]
fn one<'a>(trace: &'a [Seen], what: &str, is: impl Fn(&Seen) -> bool) -> &'a Seen {
    let found: Vec<&Seen> = trace.iter().filter(|span| is(span)).collect();
    assert_eq!(found.len(), 1, "{what} in {trace:#?}");
    found[0]
}

/// The names of what a span hangs below, from the nearest to the first.
fn above<'a>(trace: &'a [Seen], span: &Seen) -> Vec<&'a str> {
    let mut names = Vec::new();
    let mut parent = span.parent.clone();
    while let Some(next) = trace.iter().find(|one| one.id == parent) {
        assert!(names.len() < 20, "a circle");
        names.push(next.name.as_str());
        parent.clone_from(&next.parent);
    }
    names
}

fn assert_steps(trace: &[Seen]) {
    for step in ["checkout.begin", "checkout.charge", "checkout.finish"] {
        let found = one(trace, step, |span| span.name == step);
        assert_eq!(above(trace, found), ["POST /api/v1/checkout"], "{step}");
        assert!(found.said("markethall.checkout.id").starts_with("chk_"), "{found:?}");
    }
    for step in ["checkout.begin", "checkout.finish"] {
        let under = |span: &&Seen| above(trace, span).first() == Some(&step);
        let statements =
            trace.iter().filter(under).filter(|span| span.said("db.system.name") == "postgresql");
        let names: Vec<&str> = statements.map(|span| span.name.as_str()).collect();
        assert!(
            names.contains(&"commit") && names.iter().any(|name| name.contains('.')),
            "{step}: {names:?}"
        );
    }
}

/// The calls of a provider carry the span that stands for them.
fn assert_calls(trace: &[Seen], world: &World) {
    let calls = world.provider.calls();
    assert_eq!(calls.len(), 2, "an intent, and its confirmation");
    for (path, headers) in calls {
        let sent = headers["traceparent"].to_str().unwrap().to_owned();
        let span = one(trace, &path, |span| sent == format!("00-{TRACE}-{}-01", span.id));
        assert_eq!((span.kind, span.said("http.request.method")), (SpanKind::Client, "POST"), "{path}");
        assert_eq!(span.said("http.response.status_code"), "200");
        assert_eq!(above(trace, span)[..2], ["payments.charge", "checkout.charge"]);
    }
}

/// From a message to its consumer to the merchant, who is told the trace as well.
fn assert_messages(trace: &[Seen], world: &World) {
    let mut told = 0;
    for (_, headers) in world.merchant.calls() {
        let sent = headers["traceparent"].to_str().unwrap().to_owned();
        let Some(span) = trace.iter().find(|span| sent == format!("00-{TRACE}-{}-01", span.id)) else {
            continue;
        };
        told += 1;
        let above = above(trace, span);
        assert!(above[0].starts_with("process ") && above[1].starts_with("create "), "{above:?}");
        assert_eq!(above.last(), Some(&"POST /api/v1/checkout"));
        assert_eq!((span.name.as_str(), span.kind), ("POST webhook", SpanKind::Client));
        let made = one(trace, "its message", |it| {
            it.kind == SpanKind::Producer && it.said("messaging.message.id") == headers["webhook-id"]
        });
        let taken = one(trace, "its handling", |it| it.kind == SpanKind::Consumer && it.parent == made.id);
        assert_eq!(taken.said("messaging.consumer.group.name"), "webhooks.collect");
        assert_eq!(taken.said("messaging.destination.name"), made.said("messaging.destination.name"));
    }
    assert!(told >= 2, "the merchant heard of the order and the sale: {told}");
}

/// How many consumers' and merchants' spans a whole checkout leaves behind its request.
fn is_whole(trace: &[Seen]) -> bool {
    let count = |is: fn(&Seen) -> bool| trace.iter().filter(|span| is(span)).count();
    let made = count(|span| span.kind == SpanKind::Producer);
    let told = count(|span| span.name == "POST webhook");
    // What is done within a span may be sent before the span, which ends later.
    made >= 2 && told == made && roots(trace).len() == 1
}

// OBS-2
#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_is_one_trace_from_the_request_to_the_last_consumer() {
    let world = World::open(StatusCode::OK, &[("MARKETHALL_TRACES__RATIO", "1")]).await;
    assert_eq!(world.buy("00").await, "completed");
    world.ask("cashier=zb-canary@secret.example").await;
    let trace = wait_for("the whole trace", LIMIT, || {
        let trace = world.collector.trace(TRACE);
        is_whole(&trace).then_some(trace)
    });
    let [root] = roots(&trace)[..] else { panic!("one beginning: {trace:#?}") };
    assert_eq!((root.name.as_str(), root.kind), ("POST /api/v1/checkout", SpanKind::Server));
    assert_eq!(
        (root.parent.as_str(), root.service.as_str()),
        (CALLER, "till-1"),
        "the caller's is continued"
    );
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/api/v1/checkout"),
        ("http.response.status_code", "201"),
        ("markethall.operation", "create_checkout"),
        ("markethall.tenant", "acme"),
    ] {
        assert_eq!(root.said(name), value, "{name}");
    }
    assert!(trace.iter().all(|span| !span.failed), "{trace:#?}");
    assert_steps(&trace);
    assert_calls(&trace, &world);
    assert_messages(&trace, &world);

    let World { server, collector, token, .. } = world;
    let log = server.stop();
    let told = log.lines().find(|line| line.contains("\"create_checkout\"")).unwrap();
    let told: serde_json::Value = serde_json::from_str(told).unwrap();
    assert_eq!(told["trace_id"], TRACE, "the log has the same id");
    assert!(collector.calls().iter().all(|(path, headers)| {
        path == "/v1/traces"
            && headers["authorization"] == "Bearer hunter2"
            && headers["content-type"] == "application/x-protobuf"
    }));
    let spans = collector.spans();
    assert!(
        spans.iter().any(|span| span.said("http.route") == "/api/v1/sales"),
        "sent at the end at the latest"
    );
    let everything = format!("{spans:?}");
    for canary in CANARIES.into_iter().chain([token.as_str()]) {
        assert!(!everything.contains(canary) && !log.contains(canary), "{canary}");
    }
}

// OBS-2
#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_sent_with_all_of_its_trace_even_where_nothing_is_chosen() {
    let settings = [("MARKETHALL_TRACES__RATIO", "0"), ("MARKETHALL_PAYMENTS__CALL_TIMEOUT_MS", "2000")];
    let world = World::open(StatusCode::INTERNAL_SERVER_ERROR, &settings).await;
    world.ask("limit=1").await;
    // Nobody knows what became of the payment.
    assert_eq!(world.buy("01").await, "failed");
    let trace = wait_for("the trace of the error", LIMIT, || {
        let trace = world.collector.trace(TRACE);
        let is_over = |name: &str| trace.iter().any(|span| span.name == name);
        let ended = is_over("POST /api/v1/checkout") && is_over("checkout.compensate");
        // What was before the error is there too, and hangs together.
        (ended && roots(&trace).len() == 1).then_some(trace)
    });
    let charge = |span: &&Seen| span.name == "payments.charge" && span.said("error.type") == "unknown";
    let charges: Vec<&Seen> = trace.iter().filter(charge).collect();
    assert_eq!(charges.len(), 2, "it is asked for again, with the same key");
    assert!(charges.iter().all(|span| span.failed && above(&trace, span)[0] == "checkout.charge"));
    assert!(trace.iter().any(|span| span.said("error.type") == "5xx" && span.kind == SpanKind::Client));
    assert!(trace.iter().any(|span| span.name == "checkout.begin" && !span.failed));

    // A request that is answered with 503: the database is gone.
    let postmaster = nix::unistd::Pid::from_raw(world.home.postmaster().unwrap());
    nix::sys::signal::kill(postmaster, nix::sys::signal::Signal::SIGKILL).unwrap();
    let mut status = 200;
    while status < 500 {
        status = world.staff.get("/sales?limit=1").await.status;
    }
    wait_for("the failed request", LIMIT, || {
        let spans = world.collector.spans();
        spans
            .into_iter()
            .find(|span| span.kind == SpanKind::Server && span.said("error.type") == status.to_string())
    });
    world.server.stop();
    let spans = world.collector.spans();
    let failed: Vec<&str> = spans.iter().filter(|span| span.failed).map(|span| span.trace.as_str()).collect();
    for span in &spans {
        assert!(failed.contains(&span.trace.as_str()), "nothing was chosen, also not by a caller: {span:?}");
    }
}

// OBS-2
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_trusted_chooses_what_is_kept() {
    let settings = [("MARKETHALL_TRACES__RATIO", "0"), ("MARKETHALL_TRACES__FOLLOW_CALLERS", "true")];
    let world = World::open(StatusCode::OK, &settings).await;
    world.ask("limit=1").await;
    assert_eq!(world.buy("01").await, "completed");
    let trace = wait_for("the whole trace", LIMIT, || {
        let trace = world.collector.trace(TRACE);
        is_whole(&trace).then_some(trace)
    });
    assert_eq!(roots(&trace).len(), 1);
    world.server.stop();
    assert!(world.collector.spans().iter().all(|span| span.trace == TRACE || span.failed));
}

// OBS-2
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_does_not_answer_slows_nobody_and_what_it_misses_is_counted() {
    let home = Home::furnished();
    // Connections are made and nothing is ever said on them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let settings = [
        ("MARKETHALL_TRACES__ENDPOINT", endpoint.as_str()),
        ("MARKETHALL_TRACES__RATIO", "1"),
        ("MARKETHALL_TRACES__QUEUE", "512"),
        ("MARKETHALL_TRACES__TIMEOUT_MS", "1000"),
    ];
    let server = Server::start_with(&home, &settings, &[]);
    let client = server.member("acme", &home.token(Some("acme"), &["*"]));
    let operator = server.stranger().with_token(&home.token(None, &["platform:*"]));
    let lost = async || {
        let page = operator.call(Method::GET, "/metrics").send().await.is(200);
        let page = Shown::read(str::from_utf8(&page.body).unwrap());
        assert_eq!(page.sum("markethall_traces_sent_spans_total", &[]), 0.0);
        page.sum("markethall_traces_dropped_spans_total", &[("reason", "unsent")])
    };
    assert_eq!(lost().await, 0.0);
    let mut asked = 0;
    // One batch is on its way and as many spans as may wait do: the next ones are lost.
    while lost().await == 0.0 {
        for _ in 0..50 {
            client.get("/sales?limit=1").await.is(200);
            asked += 1;
        }
        assert!(asked < 5_000, "nothing is lost after {asked} requests");
    }
    let log = server.stop();
    assert!(log.lines().filter(|line| line.contains("traces are lost")).count() <= 1, "{log}");
    drop(silent);
}

// OBS-2, DPR-5
#[test]
fn the_settings_of_traces_are_shown_without_secrets_and_wrong_ones_refused() {
    let home = Home::empty();
    let check = |settings: &[(&str, &str)]| {
        let settings = settings.iter().map(|(name, value)| (format!("MARKETHALL_TRACES__{name}"), *value));
        crate::support::Ran::of(home.command().args(["config", "check", "--json"]).envs(settings))
    };
    let file = home.path().join("key");
    std::fs::write(&file, "Bearer hunter2\n").unwrap();
    let shown = check(&[
        ("ENDPOINT", "https://tempo.example:4318"),
        ("HEADERS__AUTHORIZATION_FILE", file.to_str().unwrap()),
    ])
    .exits(0);
    assert!(!shown.stdout.contains("hunter2"));
    let traces = &shown.json()["traces"];
    assert_eq!((&traces["headers"]["authorization"], &traces["ratio"]), (&"***".into(), &0.01.into()));
    for (name, value) in [("ENDPOINT", "tempo"), ("RATIO", "2"), ("QUEUE", "1"), ("TIMEOUT_MS", "0")] {
        let refused = check(&[(name, value)]).exits(2);
        assert!(refused.stderr.contains("traces."), "{name}: {}", refused.stderr);
    }
}
