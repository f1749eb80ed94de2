//! HTTP-10: the limits of a running program, and a tenant's own.

use edge::EdgeConfig;
use serde_json::json;
use testkit::App;

// HTTP-10
#[tokio::test]
async fn a_tenant_s_own_limit_counts_from_the_next_call_on_until_it_is_taken_back() {
    let app = App::start_with(|config| config.edge = EdgeConfig::default()).await.unwrap();
    app.add_tenant("acme").await.unwrap();
    let operator = app.operator(&["platform:*"]).await.unwrap();
    let member = app.member("acme", &["catalog:read"]).await.unwrap();
    let place = "/admin/tenants/acme/rate-limit";

    let first = member.get("/products").await.is(200);
    assert_eq!(first.header("ratelimit-policy"), r#""tenant";q=600;w=60"#);
    operator.get(place).await.is(200);
    let own = json!({ "limit": 3, "windowSeconds": 86_400, "burst": 3 });
    operator.put(place, own.clone()).await.is(200);
    assert_eq!(operator.get(place).await.is(200).json["own"]["limit"], 3);
    // What the wider limit has counted before may cost one of the three.
    let mut passed = 0;
    let refused = loop {
        let answer = member.get("/products").await;
        assert_eq!(answer.header("ratelimit-policy"), r#""tenant";q=3;w=86400"#);
        let wait: u32 = answer.header("retry-after").parse().unwrap_or(0);
        passed += u32::from(answer.status == 200);
        if wait > 3_600 {
            break answer;
        }
    };
    refused.is_problem(429, "RATE_LIMITED");
    assert!((2..=3).contains(&passed), "{passed}");

    for (wrong, field) in [
        (json!({ "limit": 0, "windowSeconds": 1, "burst": 1 }), "/limit"),
        (json!({ "limit": 1, "windowSeconds": 60, "burst": 1, "queue": 5 }), "/queue"),
    ] {
        let told = operator.put(place, wrong).await.is_problem(400, "VALIDATION_FAILED");
        assert_eq!(told.text("/errors/0/pointer"), field);
    }
    operator.put("/admin/tenants/nobody/rate-limit", own).await.is(404);

    operator.delete(place).await.is(204);
    member.get("/products").await.is(200);
    assert_eq!(operator.get(place).await.is(200).json["own"], json!(null));
}
