//! No log ever carries personal data, card numbers, tokens or passwords: canaries of each kind are sent through every
//! part of the program, with the most talkative settings, and looked for in everything that it wrote (DPR-4).

use std::{fs, path::Path};

use http::Method;
use serde_json::json;
use testkit::Client;

use crate::support::{Home, Server, World, eur, tender, text};

/// Texts that can only come from a request.
const CANARIES: [&str; 10] = [
    "Zaphodina",
    "Beeblebroxova",
    "zb-canary@secret.example",
    "+43 664 5550199",
    "4111111111111111",
    "5500-0000-0000-0004",
    "correct-horse-canary",
    "staff-canary@secret.example",
    "Canary Lane 77",
    "voucher-canary-8172",
];

/// Every log below a folder: the program's own and PostgreSQL's.
fn logs(dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            logs(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "log") {
            found.push((
                path.display().to_string(),
                String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned(),
            ));
        }
    }
}

/// Customers, as they should be and as they should not; returns one.
async fn use_customers(clerk: &Client, world: &World) -> String {
    let person = json!({
        "name": "Zaphodina Beeblebroxova", "email": "zb-canary@secret.example", "phone": "+43 664 5550199",
        "reference": "4111111111111111", "note": "pays with 5500-0000-0000-0004, lives in Canary Lane 77"
    });
    let customer = text(&clerk.post("/customers", person.clone()).await.is(201).json, "/id");
    clerk.post("/customers", person.clone()).await.is(409);
    clerk.put(&format!("/customers/{customer}"), person.clone()).await.is(200);
    for (field, value) in [
        ("phone", "Zaphodina 4111111111111111"),
        ("email", "zb-canary@secret.example@x"),
        ("cardNumber", "4111111111111111"),
    ] {
        let mut wrong = person.clone();
        wrong[field] = json!(value);
        clerk.post("/customers", wrong).await.is(400);
    }
    clerk.get("/customers?reference=4111111111111111").await;
    clerk.get("/customers/Zaphodina").await.is(404);
    clerk.get("/products?search=Zaphodina%20Beeblebroxova").await.is(200);
    clerk.get("/sales?cashier=zb-canary@secret.example").await.is(200);
    clerk.get("/products?zb-canary@secret.example=4111111111111111").await.is(400);
    let shop = json!({ "name": "Zaphodina", "address": "Canary Lane 77" });
    clerk.put(&format!("/shops/{}", world.shop), shop).await;
    clerk
        .api(Method::POST, "/customers")
        .body("application/json", "{\"name\": \"Zaphodina")
        .send()
        .await
        .is(400);
    // A NUL, refused before it reaches the database, and text that the database itself would complain about.
    clerk.post("/customers", json!({ "name": "Zaphodina\u{0}" })).await.is(400);
    customer
}

/// Sales with card-like numbers where they do not belong.
async fn use_sales(clerk: &Client, world: &World, customer: &str) {
    let mut basket = world.basket("1");
    basket["customerId"] = json!(customer);
    clerk.post("/sales", basket.clone()).await.is(201);
    basket["tenders"] = json!([{ "method": "card", "amount": eur(1200), "cardNumber": "4111111111111111" }]);
    clerk.post("/sales", basket.clone()).await.is(400);
    basket["tenders"] = json!([tender("voucher-canary-8172", 1200)]);
    clerk.post("/sales", basket).await.is(400);
    let reason = json!({ "reason": "Zaphodina Beeblebroxova, 4111111111111111" });
    clerk.post(&format!("/sales/{}/void", world.sale), reason).await.is(201);
    clerk.api(Method::POST, "/sales").key("4111111111111111").json(&json!({})).send().await.is(400);
}

/// Sign-ins, good and bad, and tokens of every kind, which are added to `secrets`.
async fn use_tokens(server: &Server, clerk: &Client, secrets: &mut Vec<String>) {
    let staff = json!({ "email": "staff-canary@secret.example", "name": "Zaphodina", "role": "cashier", "password": "correct-horse-canary" });
    clerk.post("/staff", staff.clone()).await.is(201);
    clerk.post("/staff", staff).await;
    let stranger = server.stranger().with_tenant("acme");
    let sign_in = |password: &str| {
        stranger.post("/auth/token", json!({ "email": "staff-canary@secret.example", "password": password }))
    };
    let tokens = sign_in("correct-horse-canary").await.is(200).json;
    sign_in("wrong-correct-horse-canary").await.is(401);
    for (_, value) in
        tokens.as_object().unwrap().iter().filter(|(name, _)| name.to_lowercase().contains("token"))
    {
        secrets.extend(value.as_str().filter(|text| text.len() > 20).map(str::to_owned));
    }
    assert!(secrets.len() >= 4, "access and refresh tokens in {tokens}");
    let refresh = tokens["refreshToken"].as_str().unwrap();
    stranger.post("/auth/token", json!({ "refreshToken": refresh })).await.is(200);
    stranger.post("/auth/token", json!({ "refreshToken": refresh })).await.is(401);
    let key = clerk
        .post("/api-keys", json!({ "name": "Zaphodina", "permissions": ["sales:read"] }))
        .await
        .is(201)
        .json;
    secrets.push(text(&key, "/secret"));
    server.member("acme", &text(&key, "/secret")).get("/sales").await.is(200);
    for forged in ["correct-horse-canary", "eyJ.4111111111111111.x"] {
        server.member("acme", forged).get("/products").await.is(401);
    }
}

/// What is found of canaries and `secrets` in the logs under the home.
fn leaks(home: &Home, secrets: &[String]) -> Vec<String> {
    let mut written = Vec::new();
    logs(home.path(), &mut written);
    let bytes: usize = written.iter().map(|(_, text)| text.len()).sum();
    assert!(
        written.len() >= 2 && bytes > 10_000,
        "there is something to search: {bytes} bytes in {}",
        written.len()
    );
    let mut leaks = Vec::new();
    for (file, log) in &written {
        for needle in CANARIES.iter().copied().chain(secrets.iter().map(String::as_str)) {
            if let Some(line) = log.lines().find(|line| line.contains(needle)) {
                leaks.push(format!("{needle:.40} in {file}:\n    {line:.400}"));
            }
        }
    }
    leaks
}

// DPR-4
#[tokio::test(flavor = "multi_thread")]
async fn no_log_holds_personal_data_card_numbers_passwords_or_tokens() {
    let home = Home::furnished();
    let (token, operator) = (home.token(Some("acme"), &["*"]), home.token(None, &["platform:*"]));
    let settings =
        [("MARKETHALL_LOG__FILTER", "trace,tokio_postgres::query=trace"), ("MARKETHALL_LOG__JSON", "true")];
    let server = Server::start_with(&home, &settings, &[]);
    let clerk = server.member("acme", &token);
    let world = World::make(&clerk, "Akanthus").await;
    let mut secrets: Vec<String> = vec![token.clone(), operator.clone()];
    let customer = use_customers(&clerk, &world).await;
    use_sales(&clerk, &world, &customer).await;
    use_tokens(&server, &clerk, &mut secrets).await;
    let newcomer = json!({
        "slug": "newcomer", "name": "Zaphodina", "tier": "free", "currency": "EUR",
        "adminEmail": "zb-canary@secret.example", "adminPassword": "correct-horse-canary"
    });
    server.stranger().with_token(&operator).post("/admin/tenants", newcomer).await.is(201);
    let csv = "sku,name,price\nCAN-1,Zaphodina Beeblebroxova,1.00\nCAN-2,zb-canary@secret.example,x\n";
    clerk.api(Method::POST, "/imports/products").body("text/csv", csv).send().await.is(202);
    let headers = clerk.api(Method::GET, "/products").header("x-correlation-id", "zb-canary@secret.example");
    headers.header("user-agent", "Zaphodina/1.0").send().await.is(200);
    server.stop();
    home.run(&["check"]).exits(0);
    let leaks = leaks(&home, &secrets);
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

// OBS-3: with `json`, every line is one event.
#[tokio::test(flavor = "multi_thread")]
async fn json_logs_are_one_object_per_line_that_says_who_what_and_how_long() {
    let home = Home::furnished();
    let settings = [
        ("MARKETHALL_LOG__JSON", "true"),
        ("MARKETHALL_LOG__FILTER", "info"),
        ("MARKETHALL_LOG__SERVICE", "till-1"),
    ];
    let server = Server::start_with(&home, &settings, &[]);
    let member = server.member("acme", &home.token(Some("acme"), &["catalog:read"]));
    let nowhere = member.api(Method::GET, "/products/sku/none").header("x-correlation-id", "find-me-1");
    nowhere.send().await.is(404);
    let log = server.stop();
    let mut found = Vec::new();
    for line in log.lines() {
        let event: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let said = |name: &str| event[name].as_str().unwrap_or_else(|| panic!("no {name}: {line}"));
        assert!(said("timestamp").parse::<kernel::Timestamp>().is_ok(), "{line}");
        assert!(["ERROR", "WARN", "INFO"].contains(&said("level")) && !said("message").is_empty(), "{line}");
        assert_eq!(said("service"), "till-1");
        if event["correlation_id"] == "find-me-1" {
            found.push(event);
        }
    }
    let [event] = &found[..] else { panic!("{log}") };
    assert_eq!((&event["message"], &event["tenant"]), (&"request".into(), &"acme".into()));
    assert!(event["code"].is_string(), "{event}");
    assert_eq!(event["trace_id"].as_str().unwrap().len(), 32);
    assert!(event["user"].is_string() && event["duration_us"].is_u64(), "{event}");
}
