//! PLT-15: a tenant is slowed by what its requests cost, not only by how many they are.

use std::time::Duration;

use edge::{CostConfig, EdgeConfig, LimitsConfig, Op, Reply, Routes, Tenanted};
use http::Method;
use kernel::{Permission, RateLimit, Spent};

use crate::world::{Call, World, unlimited};

const READ: Permission = Permission::new("reports:read");
const SELL: Permission = Permission::new("sales:write");

/// 500 ms of the database per second, 10 s at once, and no queue unless the test has one.
fn budget(queue: u32) -> EdgeConfig {
    let wide = RateLimit::new(1_000_000, 1, 1_000_000, 0);
    let cost = CostConfig { standard: RateLimit::new(500, 1, 10_000, queue), ..CostConfig::default() };
    let limits = LimitsConfig { standard: wide, user: wide, cost, ..LimitsConfig::default() };
    EdgeConfig { limits, ..unlimited() }
}

/// A report that costs 6 s of the database, a list that costs next to nothing, a sale for 1 ms, an import for 9 s.
fn routes() -> Routes<()> {
    fn spend(Tenanted(ctx): &Tenanted, database: Duration) {
        ctx.tenant.spending.add(Spent { database, rows: 0 });
    }
    async fn report(caller: Tenanted) -> Reply {
        spend(&caller, Duration::from_secs(6));
        Reply::no_content()
    }
    async fn list(caller: Tenanted) -> Reply {
        spend(&caller, Duration::from_micros(10));
        Reply::no_content()
    }
    async fn sell(caller: Tenanted) -> Reply {
        spend(&caller, Duration::from_millis(1));
        Reply::no_content()
    }
    async fn import(caller: Tenanted) -> Reply {
        spend(&caller, Duration::from_secs(9));
        Reply::no_content()
    }
    Routes::new("Costs")
        .add(Op::get("/report", "get_report", "Costs much").permission(READ).returns_nothing(204), report)
        .add(Op::get("/list", "get_list", "Costs little").permission(READ).returns_nothing(204), list)
        .add(Op::post("/sale", "sell", "Sells").permission(SELL).returns_nothing(204), sell)
        .add(Op::post("/import", "import", "Takes in much").permission(SELL).returns_nothing(204), import)
}

fn get(tenant: &str, path: &str) -> Call {
    Call::get(&format!("/api/v1/{path}")).token(&format!("{tenant}-reports:read"))
}

fn write(tenant: &str, path: &str) -> Call {
    Call::new(Method::POST, &format!("/api/v1/{path}")).token(&format!("{tenant}-sales:write"))
}

async fn status(world: &World, call: Call) -> u16 {
    world.send(call).await.status.as_u16()
}

// PLT-15
#[tokio::test]
async fn few_calls_that_cost_much_are_slowed_and_many_that_cost_little_are_not() {
    let world = World::with(budget(0), vec![routes()]);
    assert_eq!(status(&world, get("acme", "report")).await, 204);
    assert_eq!(status(&world, get("acme", "report")).await, 204);
    // 12 s are spent, 10 s were there; the rest drips in at half a second per second.
    let refused = world.send(get("acme", "report")).await.is(429, "RATE_LIMITED");
    assert!(refused.json["detail"].as_str().unwrap().contains("tenant-cost"), "{}", refused.json);
    assert_eq!(refused.header("retry-after"), "4");
    assert!(
        refused.header("ratelimit").ends_with(r#""tenant-cost";r=0;t=24"#),
        "{}",
        refused.header("ratelimit")
    );
    let policy = r#""tenant-cost";q=500;w=1;qu="database-milliseconds""#;
    assert!(refused.header("ratelimit-policy").ends_with(policy), "{}", refused.header("ratelimit-policy"));
    assert_eq!(status(&world, get("acme", "list")).await, 429);
    // Beside it, on the same shard, somebody else calls far more often.
    for _ in 0..500 {
        let answer = world.send(get("bolt", "list")).await.is(204, "");
        assert!(!answer.header("ratelimit").contains("tenant-cost"));
    }
    world.clock.advance_seconds(4);
    assert_eq!(status(&world, get("acme", "report")).await, 204);
    assert_eq!(status(&world, get("acme", "report")).await, 429);
}

// PLT-15: a merchant's own reports do not stop its tills.
#[tokio::test]
async fn a_sale_passes_while_its_merchant_s_reports_are_refused_however_much_is_owed() {
    let world = World::with(budget(0), vec![routes()]);
    for _ in 0..2 {
        assert_eq!(status(&world, get("acme", "report")).await, 204);
    }
    assert_eq!(status(&world, get("acme", "list")).await, 429);
    for _ in 0..100 {
        assert_eq!(status(&world, write("acme", "sale")).await, 204);
    }
    // 12.1 s are owed; with what this costs it is more than twice what there was. Nobody is sent away from a till for that.
    assert_eq!(status(&world, write("acme", "import")).await, 204);
    for _ in 0..100 {
        assert_eq!(status(&world, write("acme", "sale")).await, 204);
    }
    assert_eq!(status(&world, get("acme", "list")).await, 429);
}

// PLT-15
#[tokio::test(start_paused = true)]
async fn a_small_debt_waits_instead_of_being_refused() {
    let world = World::with(budget(1_000), vec![routes()]);
    for _ in 0..2 {
        assert_eq!(status(&world, get("acme", "report")).await, 204);
    }
    world.clock.advance_seconds(3);
    // 12 s were spent and 1.5 s have dripped in: half a second is owed, which takes a second.
    let began = tokio::time::Instant::now();
    assert_eq!(status(&world, get("acme", "list")).await, 204);
    assert!(
        (Duration::from_secs(1)..Duration::from_secs(2)).contains(&began.elapsed()),
        "{:?}",
        began.elapsed()
    );
    let began = tokio::time::Instant::now();
    assert_eq!(status(&world, write("acme", "sale")).await, 204);
    assert!(began.elapsed() < Duration::from_secs(1));
}

// PLT-15
#[tokio::test]
async fn what_nobody_limits_is_measured_and_never_slowed() {
    let mut config = budget(0);
    config.limits.enabled = false;
    let world = World::with(config, vec![routes()]);
    for _ in 0..20 {
        assert_eq!(status(&world, get("acme", "report")).await, 204);
    }
}

#[test]
fn budgets_that_cannot_work_are_refused_by_name() {
    let mut config = budget(0);
    config.limits.cost.free.limit = 0;
    assert!(config.validate().unwrap_err().contains("edge.limits.cost.free"));
}
