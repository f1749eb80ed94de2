//! PLT-15: merchants on one shard, of whom one asks for what costs much.

use edge::{CostConfig, EdgeConfig, LimitsConfig};
use kernel::RateLimit;
use serde_json::json;
use testkit::App;

use crate::support::World;

/// Rows cost so much that nothing else counts: a second each, 1000 s at once, a second per second.
fn by_rows() -> EdgeConfig {
    let wide = RateLimit::new(1_000_000, 1, 1_000_000, 0);
    let cost = CostConfig {
        standard: RateLimit::new(1_000, 1, 1_000_000, 0),
        row_us: 1_000_000,
        ..CostConfig::default()
    };
    let limits = LimitsConfig { standard: wide, user: wide, address: wide, cost, ..LimitsConfig::default() };
    EdgeConfig { limits, ..EdgeConfig::default() }
}

// PLT-15
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_much_is_slowed_and_goes_on_selling_and_its_neighbour_never_notices() {
    let app = App::start_with(|config| config.edge = by_rows()).await.unwrap();
    let (mut markets, mut programs) = (Vec::new(), Vec::new());
    for (slug, mark) in [("acme", "Akanthus"), ("bolt", "Boxwood")] {
        app.add_tenant(slug).await.unwrap();
        let operator = app.member(slug, &["*"]).await.unwrap();
        markets.push(World::make(&operator, mark).await);
        let key =
            operator.post("/api-keys", json!({ "name": "Program", "permissions": ["*"] })).await.is(201);
        programs.push(app.stranger().with_tenant(slug).with_token(key.text("/secret")));
    }
    let (acme, bolt) = (&programs[0], &programs[1]);

    let mut reads = 0;
    let refused = loop {
        let answer = acme.get("/inventory/movements?limit=200").await;
        if answer.status != 200 {
            break answer;
        }
        reads += 1;
        assert!(reads < 1_000, "never slowed");
    };
    let refused = refused.is_problem(429, "RATE_LIMITED");
    assert!(refused.header("ratelimit").contains("\"tenant-cost\";r=0"), "{}", refused.header("ratelimit"));
    assert!(reads >= 1);
    acme.get("/reports/sales").await.is_problem(429, "RATE_LIMITED");
    markets[0].sell(acme, "1").await;
    acme.get(&format!("/products/{}", markets[0].product)).await.is(200);
    // The neighbour reads, sells, and calls often.
    bolt.get("/inventory/movements?limit=200").await.is(200);
    bolt.get("/reports/sales").await.is(200);
    markets[1].sell(bolt, "1").await;
    for _ in 0..300 {
        bolt.get("/me").await.is(200);
    }
    app.clock.advance_seconds(20_000);
    acme.get("/reports/sales").await.is(200);

    // Measured, and on the bill if there is a price.
    app.parts.control.flush_usage().await.unwrap();
    let usage = acme.get("/usage?groupBy=hour").await.is(200).json;
    let rows: i64 =
        usage["items"].as_array().unwrap().iter().map(|hour| hour["movedRows"].as_i64().unwrap()).sum();
    assert!(rows > 100, "{usage}");
    app.stop().await;
}
