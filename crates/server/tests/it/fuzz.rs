//! An independent property-based fuzzer against the running program: schemathesis, all its checks (HTTP-4, HTTP-8).

use std::{fs, path::PathBuf, process::Command};

use crate::support::{Home, Ran, Server, World, target_dir};

/// The fuzzer that `cargo xtask test` sets up; `None`, with a word why, on a machine without it.
fn schemathesis() -> Option<PathBuf> {
    let program = target_dir().join("test-tools/venv/bin/schemathesis");
    if program.exists() {
        return Some(program);
    }
    let told = format!("schemathesis is not in {}: `cargo xtask setup test` installs it", program.display());
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{told}");
    println!("skipped: {told}");
    None
}

/// tests/schemathesis.toml about what is there.
fn configured(world: &World, tenant: &str, operator: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/schemathesis.toml");
    let mut text = fs::read_to_string(path).unwrap();
    for (name, value) in [
        ("TENANT_TOKEN", tenant),
        ("OPERATOR_TOKEN", operator),
        ("SKU", &world.sku),
        ("SHOP", &world.shop),
        ("OTHER_SHOP", &world.other_shop),
        ("REGISTER", &world.register),
        ("CUSTOMER", &world.customer),
        ("RESERVATION", &world.reservation),
        ("SALE", &world.sale),
        ("SHIFT", &world.shift),
        ("PRODUCT", &world.product),
        ("IMPORT", &world.import),
        ("STAFF", &world.staff),
        ("ROLE", &world.role),
    ] {
        text = text.replace(&format!("${{{name}}}"), value);
    }
    assert!(!text.contains("${"), "{text}");
    text
}

// HTTP-4: no 5xx, no undocumented answer.
#[tokio::test(flavor = "multi_thread")]
async fn the_fuzzer_finds_no_server_error_and_no_undocumented_answer() {
    let Some(schemathesis) = schemathesis() else { return };
    let home = Home::furnished();
    let (tenant, operator) = (home.token(Some("acme"), &["*"]), home.token(None, &["*", "platform:*"]));
    let server = Server::start(&home);
    let world = World::make(&server.member("acme", &tenant), "Akanthus").await;
    let config = home.path().join("schemathesis.toml");
    fs::write(&config, configured(&world, &tenant, &operator)).unwrap();
    let mut command = Command::new(schemathesis);
    command
        .current_dir(home.path())
        .arg("--config-file")
        .arg(config)
        .args(["run", "--no-color"])
        .arg(format!("http://{}/api/openapi.json", server.address))
        .env_remove("http_proxy")
        .env("NO_PROXY", "127.0.0.1");
    let ran = tokio::task::spawn_blocking(move || Ran::of(&mut command)).await.unwrap();
    if ran.code != Some(0) {
        let log = fs::read_to_string(&server.log).unwrap();
        let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).take(20).collect();
        panic!("{}\n{}\nerrors in the server's log:\n{}", ran.stdout, ran.stderr, errors.join("\n"));
    }
    println!("{}", ran.stdout.split("SUMMARY").last().unwrap_or_default());
    // Whatever it sent, the books agree and the program lives.
    server.stranger().call(http::Method::GET, "/health/ready").send().await.is(200);
    home.assert_checks();
    server.stop();
}
