//! PLT-13: how the tenants are, seen by the operator of the running program: API, command line, metrics.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::support::{Home, Server};

/// Asks until it is as wanted.
async fn until<T>(mut ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match ask().await {
            Ok(found) => return found,
            Err(seen) => assert!(begun.elapsed() < Duration::from_secs(30), "{seen}"),
        }
        tokio::task::yield_now().await;
    }
}

// PLT-13, OBS-1
#[tokio::test(flavor = "multi_thread")]
async fn the_running_program_asks_its_tenants_and_tells_api_command_line_and_metrics() {
    let home = Home::furnished();
    let token = home.token(None, &["platform:*"]);
    let server = Server::start(&home);
    let operator = server.stranger().with_token(&token);
    operator.api(Method::POST, "/admin/jobs/control.probe_tenants/run").send().await.is(204);
    let answered = |health: &Value| {
        let tiers = health["tiers"].as_array().unwrap();
        tiers.iter().map(|tier| tier["answered"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let health = until(async || {
        let health = operator.get("/admin/tenants/health").await.is(200).json;
        if answered(&health) == [1, 1, 1] { Ok(health) } else { Err(health.to_string()) }
    })
    .await;
    assert_eq!((&health["silent"], &health["failed"]), (&json!([]), &json!([])));
    assert_eq!(health["slowest"].as_array().unwrap().len(), 3);

    let shown = home.json(&["tenant", "health"]);
    assert_eq!(answered(&shown), [1, 1, 1]);
    let table = home.run(&["tenant", "health"]).exits(0).stdout;
    assert!(table.contains("enterprise") && table.contains("grand answered in"), "{table}");

    let wanted = [
        "markethall_tenants{tier=\"enterprise\",status=\"active\"} 1",
        "markethall_tenants{tier=\"free\",status=\"failed\"} 0",
        "markethall_tenants_sampled{tier=\"standard\",answered=\"false\"} 0",
        "markethall_tenant_probe_slowest_seconds{tier=\"free\"}",
    ];
    until(async || {
        let metrics = server.stranger().call(Method::GET, "/metrics").send().await.is(200);
        let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
        if wanted.iter().all(|line| metrics.contains(line)) { Ok(()) } else { Err(metrics) }
    })
    .await;
    server.stop();
}
