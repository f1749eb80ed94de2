//! PLT-8: what may be billed is counted day by day until nothing can change, can be looked at line by line, and costs what the
//! prices of each day say.

use std::sync::atomic::Ordering;

use control::{
    Control, ControlConfig,
    usage::{PriceConfig, add_up, count_facts, sample_storage},
};
use http::Method;
use jiff::civil::date;
use kernel::{TenantId, Tier};
use messages::Tally as _;
use serde_json::{Value, json};

use crate::world::World;

fn price(item: &str, tier: Tier, day: i8, amount: i64, per: i64) -> PriceConfig {
    PriceConfig { item: item.to_owned(), tier, from: date(2026, 11, day), amount, per }
}

/// A cent for three calls, 5 cents for a sale, 4 from the 23rd on; enterprises have sales for nothing.
fn priced(config: &mut ControlConfig) {
    config.prices = vec![
        price("calls", Tier::Standard, 1, 1, 3),
        price("sale", Tier::Standard, 1, 5, 1),
        price("sale", Tier::Standard, 23, 4, 1),
        price("sale", Tier::Enterprise, 1, 0, 1),
        price("stored_row_days", Tier::Standard, 1, 1, 1_000_000),
    ];
}

async fn settle(world: &World) {
    let now = world.clock.now();
    world.control.flush_usage().await.unwrap();
    add_up(&world.control, now).await.unwrap();
    count_facts(&world.control, now).await.unwrap();
}

async fn cost(world: &World, slug: &str, query: &str) -> Value {
    world.operator().await.get(&format!("/admin/tenants/{slug}/usage/cost{query}")).await.is(200).json
}

fn sales_of(report: &Value) -> Vec<(i64, i64)> {
    let lines = report["lines"].as_array().unwrap().iter().filter(|line| line["item"] == "sale");
    lines
        .map(|line| (line["quantity"].as_i64().unwrap(), line["amount"]["amount"].as_i64().unwrap()))
        .collect()
}

fn total_of(report: &Value) -> i64 {
    report["total"]["amount"].as_i64().unwrap()
}

// PLT-8: exact, whatever happens when, and however often it is counted.
#[tokio::test]
async fn facts_are_counted_until_their_day_is_settled_and_none_of_them_twice() {
    let world = World::start_with(priced).await;
    let acme = world.tenant("acme").await;
    world.tenant("bolt").await;
    world.books.write(acme, "2026-11-21T10:00:00Z", 3);
    world.books.write(acme, "2026-11-21T23:59:59.999999Z", 1);
    world.books.write(acme, "2026-11-22T00:00:00Z", 1);
    settle(&world).await;
    assert_eq!(sales_of(&cost(&world, "acme", "?to=2026-11-21").await), [(4, 20)]);
    assert_eq!(sales_of(&cost(&world, "bolt", "").await), []);

    // Who was counted a moment ago is left alone; later what came in late counts too, and nothing twice.
    world.books.write(acme, "2026-11-21T23:59:59Z", 1);
    assert_eq!(count_facts(&world.control, world.clock.now()).await.unwrap(), 0);
    for _ in 0..3 {
        world.clock.advance_seconds(6 * 3600);
        settle(&world).await;
    }
    let report = cost(&world, "acme", "?from=2026-11-21&to=2026-11-21").await;
    assert_eq!((sales_of(&report), report["settledBefore"].clone()), (vec![(5, 25)], json!("2026-11-21")));
    assert_eq!(sales_of(&cost(&world, "acme", "?from=2026-11-22&to=2026-11-22").await), [(1, 5)]);

    // Nobody counts for half a year: it is made up for, stretch by stretch.
    world.books.write(acme, "2027-02-01T12:00:00Z", 7);
    world.clock.advance_seconds(180 * 86_400);
    settle(&world).await;
    let report = cost(&world, "acme", "?from=2027-02-01&to=2027-02-01").await;
    assert_eq!(sales_of(&report), [(7, 28)]);
    assert_eq!(report["settledBefore"], "2027-05-19");
}

// PLT-8: the line that is disputed can be pointed at.
#[tokio::test]
async fn each_fact_behind_a_number_can_be_looked_at_by_tenant_and_operator() {
    let world = World::start_with(priced).await;
    let (acme, bolt) = (world.tenant("acme").await, world.tenant("bolt").await);
    world.books.write(acme, "2026-11-21T10:00:00Z", 5);
    world.books.write(acme, "2026-11-22T10:00:00Z", 1);
    world.books.write(bolt, "2026-11-21T10:00:00Z", 2);
    settle(&world).await;
    let own = world.with(Some(acme), &["usage:read"]).await;
    let (mut seen, mut path) = (Vec::new(), "/usage/facts?kind=sale&day=2026-11-21&limit=2".to_owned());
    loop {
        let page = own.get(&path).await.is(200).json;
        seen.extend(page["items"].as_array().unwrap().iter().map(|fact| fact["id"].clone()));
        let Some(next) = page["nextCursor"].as_str() else { break };
        path = format!("/usage/facts?kind=sale&day=2026-11-21&limit=2&cursor={next}");
    }
    let counted = cost(&world, "acme", "?to=2026-11-21").await;
    assert_eq!(sales_of(&counted)[0].0, i64::try_from(seen.len()).unwrap());
    let operator = world.operator().await;
    let all = operator.get("/admin/tenants/acme/usage/facts?kind=sale&day=2026-11-21").await.is(200).json;
    let all: Vec<Value> = all["items"].as_array().unwrap().iter().map(|fact| fact["id"].clone()).collect();
    assert_eq!(all, seen);
    for (path, parameter) in [("kind=wish&day=2026-11-21", "kind"), ("kind=sale&day=0000-01-01", "day")] {
        let refused = own.get(&format!("/usage/facts?{path}")).await.is(400);
        assert_eq!(refused.json["errors"][0]["parameter"], parameter);
    }
    own.get("/usage/facts?kind=sale").await.is(400);
    operator.get("/admin/tenants/nobody/usage/facts?kind=sale&day=2026-11-21").await.is(404);
    world.with(Some(acme), &["sales:*"]).await.get("/usage/facts?kind=sale&day=2026-11-21").await.is(403);
}

// PLT-8: quantities times prices are amounts, and these add up to the cent.
#[tokio::test]
async fn the_cost_report_adds_up_and_keeps_the_prices_and_the_tier_of_each_day() {
    let world = World::start_with(priced).await;
    let acme = world.tenant("acme").await;
    let own = world.with(Some(acme), &["usage:read"]).await;
    for _ in 0..4 {
        own.get("/me").await.is(200);
    }
    world.control.published(acme, world.clock.now(), 9);
    world.books.write(acme, "2026-11-21T11:00:00Z", 10);
    settle(&world).await;
    // The tier changes, and so do the prices: what was is what it was.
    world.clock.advance_seconds(2 * 86_400);
    world.books.write(acme, "2026-11-23T09:00:00Z", 10);
    settle(&world).await;
    world.clock.advance_seconds(86_400);
    let operator = world.operator().await;
    operator.put("/admin/tenants/acme", json!({ "name": "Acme", "tier": "enterprise" })).await.is(200);
    world.books.write(acme, "2026-11-24T09:00:00Z", 10);
    settle(&world).await;
    let report = cost(&world, "acme", "?from=2026-11-21&to=2026-11-24").await;
    let mut sales = sales_of(&report);
    sales.sort_unstable();
    assert_eq!(sales, [(10, 0), (10, 40), (10, 50)]);
    let line = |item: &str| {
        let lines = report["lines"].as_array().unwrap();
        lines.iter().find(|line| line["item"] == item).cloned().unwrap_or_default()
    };
    // Four calls at a cent for three are 1.33 cents.
    assert_eq!((&line("calls")["quantity"], &line("calls")["amount"]["amount"]), (&json!(4), &json!(1)));
    assert_eq!((&line("messages")["quantity"], &line("messages")["price"]), (&json!(9), &Value::Null));
    let amounts =
        report["lines"].as_array().unwrap().iter().map(|line| line["amount"]["amount"].as_i64().unwrap());
    assert_eq!((amounts.sum::<i64>(), total_of(&report)), (91, 91));

    let own = world.with(Some(acme), &["usage:read"]).await;
    let mine = own.get("/usage/cost?from=2026-11-21&to=2026-11-24").await.is(200).json;
    assert_eq!(mine, report);
    let path = "/admin/tenants/acme/usage/cost?from=2026-11-21&to=2026-11-24";
    let csv = operator.api(Method::GET, path).header("accept", "text/csv").send().await.is(200);
    let text = String::from_utf8(csv.body.to_vec()).unwrap();
    assert!(text.contains("acme,sale,standard,2026-11-23,2026-11-23,10,0.04,1,0.40,EUR\r\n"), "{text}");
    assert_eq!(text.lines().count(), 1 + report["lines"].as_array().unwrap().len());
    operator.get("/admin/tenants/nobody/usage/cost").await.is(404);
    operator.get("/admin/tenants/acme/usage/cost?from=2026-11-21&to=2026-11-20").await.is(400);
    world.with(None, &["platform:tenants"]).await.get(path).await.is(403);
}

// PLT-8
#[tokio::test]
async fn what_tenants_hold_is_sampled_once_an_hour_and_averaged_by_day() {
    let world = World::start_with(priced).await;
    let acme = world.tenant("acme").await;
    let now = world.clock.now();
    assert_eq!(sample_storage(&world.control, now).await.unwrap(), 1);
    assert_eq!(sample_storage(&world.control, now).await.unwrap(), 0);
    // A schema without tables holds nothing; what a sample finds is for the database's own tests.
    let own = world.with(Some(acme), &["usage:read"]).await;
    let hours = own.get("/usage?groupBy=hour").await.is(200).json;
    assert_eq!((&hours["items"][0]["storedRows"], &hours["items"][0]["calls"]), (&json!(0), &json!(0)));
    hold(&world, acme, 1_000_000).await;
    world.clock.advance_seconds(3600);
    world.database_answers(&world.databases.shared, false).await;
    assert_eq!(sample_storage(&world.control, world.clock.now()).await.unwrap(), 0);
    world.database_answers(&world.databases.shared, true).await;
    assert_eq!(sample_storage(&world.control, world.clock.now()).await.unwrap(), 1);
    settle(&world).await;
    let own = world.with(Some(acme), &["usage:read"]).await;
    let days = own.get("/usage").await.is(200).json;
    assert_eq!(days["items"][0]["storedRows"], 500_000);
    assert_eq!(cost(&world, "acme", "").await["total"]["amount"], 1);
}

/// Makes the first sample one of so many rows.
async fn hold(world: &World, tenant: TenantId, rows: i64) {
    let update =
        format!("update control.usage_hour set stored_rows = {rows} where tenant_id = '{}'", tenant.0);
    world.sql(&update).await;
}

// PLT-8
#[tokio::test]
async fn a_tenant_whose_books_cannot_be_read_has_its_turn_and_is_counted_later() {
    let world = World::start().await;
    let acme = world.tenant("acme").await;
    world.books.write(acme, "2026-11-21T10:00:00Z", 2);
    world.books.closed.store(true, Ordering::SeqCst);
    assert_eq!(count_facts(&world.control, world.clock.now()).await.unwrap(), 0);
    world.books.closed.store(false, Ordering::SeqCst);
    world.clock.advance_seconds(601);
    assert_eq!(count_facts(&world.control, world.clock.now()).await.unwrap(), 1);
    assert_eq!(sales_of(&cost(&world, "acme", "").await), [(2, 0)]);
}

// PLT-8
#[tokio::test]
async fn a_price_list_that_cannot_work_keeps_the_program_from_starting() {
    let world = World::start().await;
    let check = |change: &dyn Fn(&mut ControlConfig)| {
        let mut config = world.config.clone();
        change(&mut config);
        Control::new(config, world.parts()).map(drop).unwrap_err().to_string()
    };
    let sale = price("sale", Tier::Free, 1, 1, 1);
    let wish = price("wish", Tier::Free, 1, 1, 1);
    let free_of = PriceConfig { per: 0, ..sale.clone() };
    assert!(check(&|config| config.prices = vec![wish.clone()]).contains("wish"));
    assert!(check(&|config| config.prices = vec![free_of.clone()]).contains("at least 1"));
    assert!(check(&|config| config.prices = vec![sale.clone(); 2]).contains("two prices"));
    assert!(check(&|config| config.price_currency = "euro".to_owned()).contains("price_currency"));
}
