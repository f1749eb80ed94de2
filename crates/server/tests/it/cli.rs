//! The command line as scripts use it: commands, exit codes, one JSON document on standard output (contract.md).

use std::fs;

use serde_json::json;

use crate::support::{Home, Ran, Server, World, program, text};

// PLT-1
#[test]
fn merchants_are_created_listed_shown_suspended_and_resumed() {
    let home = Home::empty();
    let create = |slug: &str, tier: &str| {
        home.run(&[
            "tenant",
            "create",
            slug,
            "--name",
            "A Merchant",
            "--tier",
            tier,
            "--currency",
            "CHF",
            "--admin-email",
            &format!("boss@{slug}.example"),
            "--json",
        ])
    };
    let made = create("acme", "standard").exits(0).json();
    assert_eq!((&made["tenant"]["slug"], &made["tenant"]["status"]), (&json!("acme"), &json!("active")));
    assert!(text(&made, "/adminPassword").len() >= 12);
    let own = create("grand", "enterprise").exits(0).json();
    assert_eq!(own["tenant"]["placement"]["kind"], "dedicated");
    assert_eq!(made["adminInvitationCode"], json!(null));
    // IDN-2: an administrator who has an account is invited.
    let invited = home
        .run(&[
            "tenant",
            "create",
            "third",
            "--name",
            "A Third",
            "--tier",
            "free",
            "--currency",
            "CHF",
            "--admin-email",
            "boss@acme.example",
            "--json",
        ])
        .exits(0)
        .json();
    assert_eq!(invited["adminPassword"], json!(null));
    assert!(text(&invited, "/adminInvitationCode").starts_with("mhi_"));
    // A second one of that name is refused and changes nothing.
    let again = create("acme", "free").exits(1);
    assert!(again.stdout.is_empty() && again.stderr.contains("acme"), "{again:?}");

    let listed = home.json(&["tenant", "list"]);
    let slugs: Vec<&str> =
        listed.as_array().unwrap().iter().map(|tenant| tenant["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs, ["acme", "grand", "third"]);
    let table = home.run(&["tenant", "list"]).exits(0).stdout;
    assert!(table.lines().next().unwrap().starts_with("slug") && table.contains("CHF"), "{table}");
    assert_eq!(home.json(&["tenant", "show", "acme"])["tier"], "standard");
    assert_eq!(home.json(&["tenant", "suspend", "acme"])["status"], "suspended");
    assert_eq!(home.json(&["tenant", "show", "acme"])["status"], "suspended");
    assert_eq!(home.json(&["tenant", "resume", "acme"])["status"], "active");
    // HTTP-10
    let own = home.json(&["tenant", "limit", "acme", "--limit", "1000", "--queue", "10"]);
    let expected = json!({ "limit": 1000, "windowSeconds": 60, "burst": 1000, "queue": 10 });
    assert_eq!(own["rateLimit"], expected);
    assert_eq!(home.json(&["tenant", "show", "acme"])["rateLimit"], expected);
    assert_eq!(home.json(&["tenant", "limit", "acme", "--clear"])["rateLimit"], json!(null));
    home.run(&["tenant", "limit", "acme", "--limit", "0"]).exits(2);
    for command in ["show", "suspend", "resume"] {
        let unknown = home.run(&["tenant", command, "nobody"]).exits(1);
        assert!(unknown.stderr.contains("nobody") && unknown.stdout.is_empty(), "{unknown:?}");
    }
}

#[test]
fn wrong_usage_exits_with_2_and_says_what_is_wrong() {
    let home = Home::empty();
    let file = home.path().join("none.csv").display().to_string();
    for (args, said) in [
        (vec!["nonsense"], "nonsense"),
        (vec!["tenant", "create", "acme"], "--name"),
        (vec!["token", "--tenant", "acme"], "--permission"),
        (vec!["token", "--permission", "*", "--ttl", "1y"], "30d"),
        (vec!["token", "--role", "king"], "king"),
        (vec!["import", "wishes", "--tenant", "acme", "x.csv"], "wishes"),
        (vec!["import", "products", "--tenant", "acme", &file], "none.csv"),
        (vec!["export", "stock", "--tenant", "acme", "x.csv"], "stock"),
        (vec!["serve", "--services", "kitchen"], "kitchen"),
        (vec!["--config", "/nowhere/at/all.toml", "config", "check"], "all.toml"),
        (
            vec![
                "tenant",
                "create",
                "Not A Slug",
                "--name",
                "x",
                "--tier",
                "free",
                "--currency",
                "EUR",
                "--admin-email",
                "a@b.example",
            ],
            "slug",
        ),
        (
            vec![
                "tenant",
                "create",
                "acme",
                "--name",
                "x",
                "--tier",
                "free",
                "--currency",
                "euro",
                "--admin-email",
                "a@b.example",
            ],
            "currency",
        ),
    ] {
        let ran = home.run(&args).exits(2);
        assert!(ran.stderr.to_lowercase().contains(said), "{args:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{args:?}: {}", ran.stdout);
    }
    assert!(home.postmaster().is_none(), "no database is started for wrong usage");
    home.run(&["--help"]).exits(0);
    home.run(&["--version"]).exits(0);
}

// contract.md: defaults < file < environment < flags; unknown keys refused.
#[test]
fn settings_come_from_file_environment_and_flags_and_unknown_ones_are_refused() {
    let home = Home::empty();
    let config = home.path().join("markethall.toml");
    fs::write(&config, "listen = \"127.0.0.1:7001\"\n[sales]\nbatch = 77\nwriters = 3\n").unwrap();
    let shown = |extra: &[(&str, &str)]| {
        let mut command = home.command();
        command.args(["config", "check", "--json", "--config"]).arg(&config).envs(extra.iter().copied());
        Ran::of(&mut command)
    };
    let plain = shown(&[]).exits(0).json();
    assert_eq!((&plain["sales"]["batch"], &plain["listen"]), (&json!(77), &json!("127.0.0.1:7001")));
    let env = shown(&[("MARKETHALL_SALES__BATCH", "78"), ("PORT", "7002")]).exits(0).json();
    assert_eq!((&env["sales"]["batch"], &env["sales"]["writers"]), (&json!(78), &json!(3)));
    assert_eq!(env["listen"], "127.0.0.1:7002");
    for (name, value, said) in [
        ("MARKETHALL_SALES__BATHC", "78", "bathc"),
        ("MARKETHALL_SAILS__BATCH", "78", "sails"),
        ("MARKETHALL_SALES__BATCH", "many", "batch"),
        ("MARKETHALL_SALES__BATCH", "0", "sales.batch"),
        ("MARKETHALL_EDGE__IDEMPOTENCY_KEEP_HOURS", "1", "idempotency_keep_hours"),
        ("MARKETHALL_LISTEN", "here", "listen"),
        ("PORT", "http", "port"),
    ] {
        let refused = shown(&[(name, value)]).exits(2);
        assert!(refused.stderr.to_lowercase().contains(said), "{name}: {}", refused.stderr);
    }
    for text in ["colour = \"red\"\n", "[sales]\nspeed = 1\n", "[database\n", "sales = 3\n"] {
        fs::write(&config, text).unwrap();
        let refused = shown(&[]).exits(2);
        assert!(refused.stdout.is_empty() && !refused.stderr.is_empty(), "{text}: {refused:?}");
    }
}

// DPR-5
#[test]
fn config_check_masks_every_secret() {
    let secret = "hunter2-canary";
    let url = format!("postgres://admin:{secret}@db.example:5432/postgres");
    let mut command = program();
    command.args(["config", "check"]).env("MARKETHALL_DATABASE__URL", &url);
    command.env("MARKETHALL_SHARDS__EAST__URL", &url).env("MARKETHALL_DATA_DIR", std::env::temp_dir());
    for name in ["OBJECTS__ACCESS_KEY_ID", "OBJECTS__SECRET_ACCESS_KEY", "MESSAGES__NATS__TOKEN"] {
        command.env(format!("MARKETHALL_{name}"), secret);
    }
    command.env("MARKETHALL_OBJECTS__URL", "s3://bucket");
    for extra in [&[][..], &["--json"]] {
        let ran = Ran::of(command.args(extra)).exits(0);
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:?}");
        assert!(ran.stdout.contains("east") && ran.stdout.contains("***"), "{}", ran.stdout);
    }
    // Nor does a mistake in it bring it to light.
    for wrong in
        [format!("no-url-{secret}"), format!("{url}?sslmode=sometimes"), format!("{url}?sslrootcert=/none")]
    {
        let mut broken = program();
        broken.args(["config", "check"]).env("MARKETHALL_DATABASE__URL", wrong);
        let ran = Ran::of(&mut broken).exits(2);
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:?}");
        assert!(ran.stderr.contains("database.url"), "{ran:?}");
    }
    let mut broken = program();
    broken.args(["tenant", "list"]).env("MARKETHALL_DATABASE__URL", format!("no-url-{secret}"));
    broken.env("MARKETHALL_DATA_DIR", tempfile::tempdir().unwrap().path());
    let ran = Ran::of(&mut broken);
    assert!(ran.code != Some(0) && !ran.stderr.contains(secret), "{ran:?}");
}

// DPR-5
#[test]
fn what_is_shown_is_a_configuration_that_says_the_same() {
    let home = Home::empty();
    let shown = home.run(&["config", "check"]).exits(0).stdout;
    let config = home.path().join("markethall.toml");
    fs::write(&config, &shown).unwrap();
    let again = home.run(&["config", "check", "--config", &config.display().to_string()]).exits(0).stdout;
    assert_eq!(again, shown);
    for section in
        ["[database]", "[serve]", "[edge]", "[control]", "[payments]", "[checkout]", "[webhooks]", "[log]"]
    {
        assert!(shown.contains(section), "{section}: {shown}");
    }
}

// DPR-5
#[test]
fn secrets_come_from_files_and_are_not_shown() {
    let home = Home::empty();
    let file = home.path().join("database-url");
    fs::write(&file, "postgres://admin:hunter2-canary@db.example:5432/postgres\n").unwrap();
    let shown = |name: &str, more: Option<&str>| {
        let mut command = home.command();
        command.args(["config", "check", "--json"]).env(name, &file);
        more.map(|url| command.env("MARKETHALL_DATABASE__URL", url));
        let ran = Ran::of(&mut command);
        assert!(!format!("{ran:?}").contains("hunter2-canary"), "{ran:?}");
        ran
    };
    let database = shown("MARKETHALL_DATABASE__URL_FILE", None).exits(0).json();
    assert_eq!(database["database"]["url"], "***");
    let shard = shown("MARKETHALL_SHARDS__EAST__URL_FILE", None).exits(0).json();
    assert_eq!(shard["shards"]["east"]["url"], "***");
    let twice = shown("MARKETHALL_DATABASE__URL_FILE", Some("postgres://u:hunter2-canary@h/db")).exits(2);
    assert!(twice.stderr.contains("database.url and database.url_file are both set"), "{twice:?}");
    fs::remove_file(&file).unwrap();
    let gone = shown("MARKETHALL_DATABASE__URL_FILE", None).exits(2);
    assert!(gone.stderr.contains("database.url_file: ") && gone.stderr.contains("No such file"), "{gone:?}");
}

// PLT-12
#[test]
fn migrate_shows_and_completes_every_database() {
    let home = Home::furnished();
    let status = home.json(&["migrate", "status"]);
    let rows = status.as_array().unwrap();
    assert!(rows.len() >= 4, "control, template, shared, dedicated: {status}");
    for row in rows {
        assert_eq!(row["pending"], json!([]), "{row}");
        assert!(row["applied"].as_i64().unwrap() >= 2, "{row}");
    }
    assert!(rows.iter().any(|row| text(row, "/database").contains("grand")), "{status}");
    let up = home.json(&["migrate", "up"]);
    assert!(up.as_array().unwrap().iter().all(|row| row["ran"] == json!([])), "{up}");
}

// SAL-12
#[test]
fn check_exits_with_1_and_names_each_violation() {
    let home = Home::furnished();
    let clean = home.run(&["check", "--json"]).exits(0).json();
    assert_eq!((&clean["tenants"], &clean["violations"]), (&json!(3), &json!([])));
    home.run(&["check", "--tenant", "acme"]).exits(0);
    home.run(&["check", "--tenant", "nobody"]).exits(1);
}

// The command line works beside a serving process, on the same database.
#[tokio::test(flavor = "multi_thread")]
async fn commands_run_beside_a_server_and_a_second_start_finds_everything() {
    let home = Home::furnished();
    let server = Server::start(&home);
    let token = home.token(Some("acme"), &["*"]);
    let world = World::make(&server.member("acme", &token), "Akanthus").await;
    home.run(&["tenant", "list"]).exits(0);
    home.assert_checks();
    // Roles, as people have them.
    let cashier = text(&home.json(&["token", "--tenant", "acme", "--role", "cashier"]), "/accessToken");
    let cashier = server.member("acme", &cashier);
    world.sell(&cashier, "1").await;
    cashier.get("/staff").await.is_problem(403, "PERMISSION_DENIED");
    // What an operator does at the command line holds at once for the server.
    let client = server.member("acme", &token);
    home.json(&["tenant", "suspend", "acme"]);
    wait_until(async || client.get("/products").await.code() == "TENANT_SUSPENDED").await;
    home.json(&["tenant", "resume", "acme"]);
    wait_until(async || client.get("/products").await.status == 200).await;
    server.stop();
    assert!(home.postmaster().is_none(), "the last one stops the database");

    let begun = std::time::Instant::now();
    let server = Server::start(&home);
    println!("second start: {} ms", begun.elapsed().as_millis());
    let sale = server.member("acme", &token).get(&format!("/sales/{}", world.sale)).await.is(200);
    assert_eq!(sale.json["lines"][0]["sku"], world.sku.as_str());
    // IDN-2: a token in wrong hands ends, with all others of its kind.
    assert_eq!(home.json(&["token", "revoke-all"]), json!({ "revoked": true }));
    let client = server.member("acme", &token);
    wait_until(async || client.get("/products").await.status == 401).await;
    let fresh = home.token(Some("acme"), &["*"]);
    server.member("acme", &fresh).get("/products").await.is(200);
    server.stop();
}

async fn wait_until(ask: impl AsyncFn() -> bool) {
    let begun = std::time::Instant::now();
    while !ask().await {
        assert!(begun.elapsed().as_secs() < 20, "not within 20 s");
        tokio::task::yield_now().await;
    }
}

// A demo market that can be signed in to, made once.
#[tokio::test(flavor = "multi_thread")]
async fn the_demo_market_is_made_once_and_can_be_used() {
    let home = Home::empty();
    let server = Server::start_with(&home, &[], &["--demo"]);
    let sign_in = async |server: &Server, mail: &str, tenant: &str| {
        let body = json!({ "email": mail, "password": "markethall-demo" });
        let tokens = server.stranger().with_tenant(tenant).post("/auth/token", body).await.is(200).json;
        server.member(tenant, &text(&tokens, "/accessToken"))
    };
    for tenant in ["bakery", "books", "market"] {
        let admin = sign_in(&server, &format!("admin@{tenant}.example"), tenant).await;
        let products = admin.get("/products?limit=5").await.is(200).json;
        assert!(!products["items"].as_array().unwrap().is_empty(), "{tenant}");
    }
    let cashier = sign_in(&server, "cashier@bakery.example", "bakery").await;
    let shops = cashier.get("/shops").await.is(200).json;
    let products = cashier.get("/products?limit=1").await.is(200).json;
    let sale = json!({
        "shopId": shops["items"][0]["id"], "lines": [{ "sku": products["items"][0]["sku"], "quantity": "1" }],
        "tenders": [{ "method": "cash", "amount": { "amount": 100_000, "currency": "EUR" } }]
    });
    cashier.post("/sales", sale).await.is(201);
    server.stop();
    let merchants = home.json(&["tenant", "list"]);
    let server = Server::start_with(&home, &[], &["--demo"]);
    assert_eq!(home.json(&["tenant", "list"]), merchants);
    home.assert_checks();
    server.stop();
}
