//! An independent property-based fuzzer against the running program: schemathesis, all its checks (HTTP-4, HTTP-8).

use std::{path::PathBuf, process::Command};

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

// HTTP-4: no 5xx, no undocumented answer.
#[tokio::test(flavor = "multi_thread")]
async fn the_fuzzer_finds_no_server_error_and_no_undocumented_answer() {
    let Some(schemathesis) = schemathesis() else { return };
    let home = Home::furnished();
    let (tenant, operator) = (home.token(Some("acme"), &["*"]), home.token(None, &["*", "platform:*"]));
    let server = Server::start(&home);
    World::make(&server.member("acme", &tenant), "Akanthus").await;
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(schemathesis);
    command
        .current_dir(home.path())
        .arg("--config-file")
        .arg(root.join("tests/schemathesis.toml").canonicalize().unwrap())
        .args(["run", "--no-color", "--continue-on-failure"])
        .arg(format!("http://{}/api/openapi.json", server.address))
        .env("TENANT_TOKEN", tenant)
        .env("OPERATOR_TOKEN", operator)
        .env_remove("http_proxy")
        .env("NO_PROXY", "127.0.0.1");
    let ran = tokio::task::spawn_blocking(move || Ran::of(&mut command)).await.unwrap();
    if ran.code != Some(0) {
        let log = std::fs::read_to_string(&server.log).unwrap();
        let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).take(20).collect();
        panic!("{}\n{}\nerrors in the server's log:\n{}", ran.stdout, ran.stderr, errors.join("\n"));
    }
    println!(
        "{}",
        ran.stdout
            .lines()
            .rev()
            .take(30)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
            .join("\n")
    );
    // Whatever it sent, the books agree and the program lives.
    server.stranger().call(http::Method::GET, "/health/ready").send().await.is(200);
    home.assert_checks();
    server.stop();
}
