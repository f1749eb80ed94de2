//! OBS-1 and OBS-4: what is counted, and that alerts and dashboards name nothing else.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use http::Method;
use serde_json::{Value, json};
use testkit::Client;

use crate::support::{Home, Ran, Server, Shown, World, selectors};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

const RULES: &str = "deploy/prometheus/markethall.rules.yml";
const RULE_TESTS: &str = "deploy/prometheus/markethall.rules.test.yml";
const DASHBOARDS: [&str; 3] = ["overview", "databases", "messages"];

fn dashboard(name: &str) -> Value {
    serde_json::from_str(&read(&format!("deploy/grafana/{name}.json"))).unwrap()
}

fn promtool(words: &[&str], file: &Path) -> Ran {
    Ran::of(Command::new("promtool").args(words).arg(file))
}

/// The rules file in pieces, each beginning with the name of an alert or a recorded rule.
fn rules(kind: &str) -> Vec<(String, String)> {
    let text = read(RULES);
    let mark = format!("- {kind}: ");
    let pieces = text.split("\n      - ").map(|piece| format!("- {piece}"));
    let own = pieces.filter_map(|piece| {
        let rest = piece.strip_prefix(&mark)?;
        Some((rest.lines().next()?.to_owned(), piece))
    });
    own.collect()
}

/// The text behind `key`, of one line or as a block, without what follows.
fn field(rule: &str, key: &str) -> String {
    let mut lines = rule.lines().skip_while(|line| !line.trim_start().starts_with(&format!("{key}:")));
    let first = lines.next().unwrap_or_else(|| panic!("no {key} in {rule}"));
    let depth = first.len() - first.trim_start().len();
    let (_, value) = first.split_once(':').unwrap();
    if value.trim() != "|" {
        return value.trim().trim_matches('"').to_owned();
    }
    let block = lines.take_while(|line| line.len() - line.trim_start().len() > depth);
    block.map(str::trim).collect::<Vec<_>>().join(" ")
}

// OBS-4
#[test]
fn the_alert_rules_are_sound_and_fire_when_they_should() {
    promtool(&["check", "rules"], &root().join(RULES)).exits(0);
    promtool(&["test", "rules"], &root().join(RULE_TESTS)).exits(0);
    promtool(&["check", "config"], &root().join("deploy/prometheus/prometheus.yml")).exits(0);
    // The tests see a threshold that is wrong, whichever it is.
    let good = read(RULES);
    let wrongs = [
        ("ratio_rate5m > 0.05", "ratio_rate5m > 0.5"),
        ("p95_5m > 0.5", "p95_5m > 0.9"),
        ("ratio_rate6h > 6 *", "ratio_rate6h > 16 *"),
        ("oldest_seconds) > 60\n", "oldest_seconds) > 6000\n"),
        ("connections_max > 0) > 0.8", "connections_max > 0) > 0.95"),
        ("spool_bytes > 1073741824", "spool_bytes > 0"),
    ];
    std::thread::scope(|scope| {
        for (right, wrong) in wrongs {
            assert!(good.contains(right), "{right}");
            let bad = good.replace(right, wrong);
            scope.spawn(move || {
                let dir = tempfile::tempdir().unwrap();
                let tests = dir.path().join("markethall.rules.test.yml");
                fs::copy(root().join(RULE_TESTS), &tests).unwrap();
                fs::write(dir.path().join("markethall.rules.yml"), bad).unwrap();
                promtool(&["check", "rules"], &dir.path().join("markethall.rules.yml")).exits(0);
                assert_eq!(promtool(&["test", "rules"], &tests).code, Some(1), "{wrong} is not noticed");
            });
        }
    });
}

// OBS-4
#[test]
fn every_alert_has_a_severity_a_case_of_its_own_and_a_runbook_that_is_there() {
    let alerts = rules("alert");
    assert!(alerts.len() > 20, "{}", alerts.len());
    let cases = read(RULE_TESTS);
    for (name, rule) in &alerts {
        assert!(["warning", "critical"].contains(&field(rule, "severity").as_str()), "{rule}");
        assert!(!field(rule, "summary").is_empty() && field(rule, "description").contains("{{"), "{rule}");
        let runbook = field(rule, "runbook_url");
        let (file, section) = runbook.split_once('#').unwrap();
        assert!(file.starts_with("docs/runbooks/") && *section == name.to_lowercase(), "{runbook}");
        let page = read(file);
        let (_, own) = page.split_once(&format!("\n## {name}\n")).unwrap_or_else(|| panic!("no {name}"));
        let own = own.split("\n## ").next().unwrap();
        for part in ["**Means:**", "**Over when:**"] {
            assert!(own.contains(part), "no {part} in {name}");
        }
        assert!(own.contains("**Look") && own.to_lowercase().contains("do:**"), "{name}");
        let fires = format!("alertname: {name}\n        exp_alerts:");
        assert!(cases.contains(&fires), "no case in which {name} fires");
        let quiet = cases.matches(&format!("alertname: {name}\n")).count() > cases.matches(&fires).count();
        assert!(quiet, "no case in which {name} is silent");
    }
}

// OBS-4
#[test]
fn the_dashboards_take_their_source_from_a_variable_and_have_no_panel_twice() {
    let mut uids = BTreeSet::new();
    for name in DASHBOARDS {
        let board = dashboard(name);
        assert!(uids.insert(board["uid"].to_string()), "{name}");
        assert!(board["schemaVersion"].as_i64().unwrap() >= 36 && board["title"].is_string(), "{name}");
        let sources = board["templating"]["list"].as_array().unwrap();
        assert!(sources.iter().any(|it| it["type"] == "datasource" && it["query"] == "prometheus"), "{name}");
        let mut ids = BTreeSet::new();
        for panel in board["panels"].as_array().unwrap() {
            assert!(ids.insert(panel["id"].as_i64().unwrap()), "{panel}");
            for target in panel["targets"].as_array().into_iter().flatten() {
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{panel}");
            }
        }
    }
}

async fn shown(operator: &Client) -> Shown {
    let metrics = operator.call(Method::GET, "/metrics").send().await.is(200);
    Shown::read(str::from_utf8(&metrics.body).unwrap())
}

/// Every expression of rules and dashboards, with where it is from.
fn expressions() -> Vec<(String, String)> {
    fn walk(value: &Value, name: &str, found: &mut Vec<(String, String)>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value.as_str() {
                        Some(text) if ["expr", "definition"].contains(&key.as_str()) => {
                            // `label_values(metric, label)` is Grafana's, and looks like a function.
                            let text = text.trim_start_matches("label_values(");
                            found.push((name.to_owned(), text.to_owned()));
                        }
                        _ => walk(value, name, found),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| walk(value, name, found)),
            _ => {}
        }
    }
    let mut found: Vec<(String, String)> = Vec::new();
    for kind in ["alert", "record"] {
        found.extend(rules(kind).into_iter().map(|(name, rule)| (name, field(&rule, "expr"))));
    }
    for name in DASHBOARDS {
        walk(&dashboard(name), name, &mut found);
    }
    found
}

/// What the rules and dashboards name and `shown` has not.
fn missing(shown: &Shown) -> Vec<String> {
    let recorded: BTreeSet<String> = rules("record").into_iter().map(|(name, _)| name).collect();
    let mut missing = BTreeSet::new();
    for (place, expression) in expressions() {
        for selector in selectors(&expression) {
            let lacks = match selector.metric.as_str() {
                // Prometheus makes it.
                "up" => None,
                name if name.contains(':') => (!recorded.contains(name)).then(|| name.to_owned()),
                _ => shown.lacks(&selector),
            };
            missing.extend(lacks.map(|lacks| format!("{place}: {lacks}")));
        }
    }
    missing.into_iter().collect()
}

#[test]
fn what_an_expression_names_is_found_whatever_surrounds_it() {
    let found = selectors(
        "sum by (job, job_name) (increase(a_total{end=~\"x|y{2}\", end!=\"z\"}[2h])) > 0 unless on (job) \
         topk(3, b:c:d5m) and time() - up{job=\"m\"} > 14.4 * 0.001",
    );
    let names: Vec<_> = found.iter().map(|it| it.metric.as_str()).collect();
    assert_eq!(names, ["a_total", "b:c:d5m", "up"]);
    assert_eq!(found[0].labels[1], ("end".into(), "!=".into(), "z".into()));
    let shown = Shown::read("a_total{end=\"x\",tier=\"a\\\"b\"} 2\na_total{end=\"z\"} 1.5\n");
    assert_eq!((shown.sum("a_total", &[]), shown.sum("a_total", &[("end", "x")])), (3.5, 2.0));
    assert_eq!(shown.lacks(&found[0]), None);
    for (wrong, said) in
        [("b_total", "b_total"), ("a_total{end=\"y\"}", "end=\"y\""), ("a_total{kind!=\"y\"}", "kind!=")]
    {
        assert!(shown.lacks(&selectors(wrong)[0]).is_some_and(|it| it.contains(said)), "{wrong}");
    }
}

/// A webhook of the merchant is called once, in vain.
async fn call_a_webhook(client: &Client) {
    let hook = json!({ "url": "http://127.0.0.1:9/", "description": "Nobody", "active": true });
    let hook = client.post("/webhooks", hook).await.is(201);
    client.post(&format!("/webhooks/{}/test", hook.text("/id")), json!({})).await.is(202);
}

// OBS-1, OBS-4
#[tokio::test(flavor = "multi_thread")]
async fn every_metric_that_alerts_and_dashboards_name_is_on_the_page_of_a_program_that_works() {
    let home = Home::furnished();
    let (member, platform) = (home.token(Some("acme"), &["*"]), home.token(None, &["platform:*"]));
    let settings =
        ["ALLOW_PRIVATE_NETWORKS", "ALLOW_HTTP"].map(|name| format!("MARKETHALL_WEBHOOKS__{name}"));
    let settings = settings.each_ref().map(|name| (name.as_str(), "true"));
    let server = Server::start_with(&home, &settings, &[]);
    let (client, operator) = (server.member("acme", &member), server.stranger().with_token(&platform));
    // What alerts ask for is there before anything has happened, so that the first failure is an increase.
    let first = shown(&operator).await;
    for (metric, labels) in [
        ("markethall_http_responses_total", [("class", "5xx"), ("tier", "free")].as_slice()),
        ("markethall_audit_lost_total", &[]),
        ("markethall_limits_local_total", &[]),
        ("markethall_security_events_dropped_total", &[]),
        ("markethall_job_runs_total", &[("end", "failed"), ("job_name", "control.probe_tenants")]),
        ("markethall_sales_total", &[("tier", "enterprise")]),
    ] {
        assert!(first.names().any(|name| name == metric), "no {metric}");
        assert_eq!(first.sum(metric, labels), 0.0, "{metric}");
    }
    assert_eq!(first.sum("markethall_ready", &[]), 1.0);

    World::make(&client, "Akanthus").await;
    call_a_webhook(&client).await;
    server.member("acme", "forged").get("/products").await.is(401);
    operator.api(Method::POST, "/admin/jobs/control.probe_tenants/run").send().await.is(204);
    assert!(expressions().iter().flat_map(|(_, it)| selectors(it)).count() > 100);
    let begun = Instant::now();
    loop {
        let lacks = missing(&shown(&operator).await);
        if lacks.is_empty() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(40), "{lacks:#?}");
        tokio::task::yield_now().await;
    }
    server.stop();
}

// OBS-1
#[tokio::test(flavor = "multi_thread")]
async fn trade_is_counted_once_by_tier_and_requests_by_merchant() {
    let home = Home::furnished();
    let token = home.token(Some("acme"), &["*"]);
    let server = Server::start_with(&home, &[("MARKETHALL_EDGE__NAMED_TENANTS", "1")], &[]);
    let client = server.member("acme", &token);
    let world = World::make(&client, "Akanthus").await;
    let (operator, standard) = (server.stranger(), [("tier", "standard")]);
    let before = shown(&operator).await;
    // A till and a checkout have sold one each.
    assert_eq!(before.sum("markethall_sales_total", &[]), 2.0);
    assert_eq!(before.sum("markethall_checkouts_begun_total", &standard), 1.0);
    assert_eq!(before.sum("markethall_checkouts_ended_total", &[("end", "completed")]), 1.0);

    let sale = client.api(Method::POST, "/sales").json(&world.basket("2")).key("twice").send().await.is(201);
    client.api(Method::POST, "/sales").json(&world.basket("2")).key("twice").send().await.is(201);
    let mut wrong = world.basket("1");
    wrong["lines"][0]["sku"] = json!("NOWHERE");
    assert!(client.post("/sales", wrong).await.status >= 400);
    let refund = json!({ "reason": "r", "lines": [{ "line": 1, "quantity": "1" }] });
    let place = format!("/sales/{}/refund", sale.text("/id"));
    client.api(Method::POST, &place).json(&refund).key("back").send().await.is(201);
    client.api(Method::POST, &place).json(&refund).key("back").send().await.is(201);
    client.post(&format!("/sales/{}/void", world.sale), json!({ "reason": "r" })).await.is(201);
    // Paid on account: the sale is booked by the order, and goes back with it.
    let lines = json!([{ "sku": world.sku, "quantity": "1" }]);
    let order = json!({ "customer": world.customer, "lines": lines });
    let order = client.post("/orders", order).await.is(201);
    let status = format!("/orders/{}/status", order.text("/id"));
    client.put(&status, json!({ "status": "paid" })).await.is(200);
    client.put(&status, json!({ "status": "cancelled", "reason": "r" })).await.is(200);

    let token = home.token(Some("bolt"), &["*"]);
    server.member("bolt", &token).get("/products").await.is(200);
    server.member("bolt", &token).get("/products/prd_nothing").await.is(404);
    let after = shown(&operator).await;
    let grown =
        |metric: &str, labels: &[(&str, &str)]| after.sum(metric, labels) - before.sum(metric, labels);
    assert_eq!(grown("markethall_sales_total", &standard), 2.0);
    assert_eq!(grown("markethall_sales_total", &[]), 2.0);
    assert_eq!(grown("markethall_refunds_total", &[("kind", "refund"), ("tier", "standard")]), 2.0);
    assert_eq!(grown("markethall_refunds_total", &[("kind", "void")]), 1.0);
    // One merchant has a name here; the other one is among the rest.
    let of = |tenant: &str, class: &str| {
        after.sum("markethall_tenant_requests_total", &[("tenant", tenant), ("class", class)])
    };
    assert!(of("acme", "2xx") > 20.0 && of("acme", "4xx") >= 1.0);
    assert_eq!((of("_other", "2xx"), of("_other", "4xx"), of("bolt", "2xx")), (1.0, 1.0, 0.0));
    assert_eq!(after.sum("markethall_http_responses_total", &[("tier", "free")]), 2.0);
    assert!(after.sum("markethall_pool_connections_max", &[("pool", "control")]) >= 1.0);
    assert!(after.sum("process_resident_memory_bytes", &[]) > 1e6);
    server.stop();
}
