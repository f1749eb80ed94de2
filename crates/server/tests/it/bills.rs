//! PLT-8: the bill of a real merchant: what was sold and ordered, what it holds and published, at the prices of the list.

use control::usage::{PriceConfig, add_up, count_facts, sample_storage};
use jiff::civil::date;
use kernel::Tier;
use serde_json::Value;
use testkit::App;

use crate::support::World;

fn price(item: &str, amount: i64) -> PriceConfig {
    PriceConfig { item: item.to_owned(), tier: Tier::Standard, from: date(2026, 1, 1), amount, per: 1 }
}

// PLT-8
#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_s_bill_counts_what_its_books_say_line_by_line() {
    let prices = vec![price("sale", 5), price("order", 20), price("messages", 1)];
    let app = App::start_with(|config| config.control.prices = prices).await.unwrap();
    app.add_tenant("acme").await.unwrap();
    app.add_tenant("bolt").await.unwrap();
    let admin = app.member("acme", &["*"]).await.unwrap();
    let world = World::make(&admin, "Akanthus").await;
    world.sell(&admin, "2").await;
    app.drain().await.unwrap();
    let (control, now) = (&app.parts.control, app.clock.now());
    assert_eq!(sample_storage(control, now).await.unwrap(), 1);
    assert_eq!(count_facts(control, now).await.unwrap(), 2);
    control.flush_usage().await.unwrap();
    add_up(control, now).await.unwrap();

    let operator = app.operator(&["platform:*"]).await.unwrap();
    let report = operator.get("/admin/tenants/acme/usage/cost").await.is(200).json;
    let lines = report["lines"].as_array().unwrap();
    let quantity = |item: &str| -> i64 {
        let found = lines.iter().find(|line| line["item"] == item);
        found.map_or(0, |line| line["quantity"].as_i64().unwrap())
    };
    assert!(quantity("stored_row_days") > 50 && quantity("stored_byte_days") > 50_000, "{report}");
    let published = app.databases.look().await.unwrap();
    let published = published.query_one("select count(*) from messages.outbox", &[]).await.unwrap();
    assert_eq!(quantity("messages"), published.get::<_, i64>(0));
    for (kind, wanted) in [("sale", 3), ("order", 1)] {
        let facts = admin.get(&format!("/usage/facts?kind={kind}&day=2026-11-21")).await.is(200).json;
        assert_eq!(
            (facts["items"].as_array().unwrap().len(), quantity(kind)),
            (wanted, i64::try_from(wanted).unwrap())
        );
    }
    let total: i64 = lines.iter().map(|line| line["amount"]["amount"].as_i64().unwrap()).sum();
    assert_eq!(report["total"]["amount"], Value::from(total));
    assert_eq!(total, 3 * 5 + 20 + quantity("messages"));
    let theirs = operator.get("/admin/tenants/bolt/usage/facts?kind=sale&day=2026-11-21").await.is(200);
    assert_eq!(theirs.json["items"], serde_json::json!([]));
    app.stop().await;
}
