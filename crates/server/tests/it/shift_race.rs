//! The close of a shift in the middle of its sales: each sale is in exactly one shift, each Z report is its sales.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::{Value, json};
use testkit::{App, Client};

use crate::support::{World, eur, number, text, violations};

/// Every sale, void and refund of the merchant.
async fn everything(client: &Client) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/sales?limit=200{cursor}")).await.is(200).json;
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

// SAL-7
#[tokio::test(flavor = "multi_thread")]
async fn z_reports_equal_the_sales_of_their_shifts_when_closes_race_sales() {
    let app = App::start().await.unwrap();
    app.add_tenant("acme").await.unwrap();
    let clerk = app.member("acme", &["*"]).await.unwrap();
    let world = World::make(&clerk, "Akanthus").await;

    let sellers = join_all((0..24).map(async |n| {
        for round in 0..8 {
            let sold = world.sell(&clerk, "1").await;
            if (n + round) % 4 == 0 {
                // A close may come in between; then it must be refused, not half done.
                let path = format!("/sales/{}/void", text(&sold, "/id"));
                let voided = clerk.post(&path, json!({ "reason": "r" })).await;
                assert!(voided.status == 201 || voided.code() == "SHIFT_CLOSED", "{}", voided.json);
            }
        }
    }));
    let closer = async {
        let (mut reports, mut shift) = (Vec::new(), world.shift.clone());
        for _ in 0..12 {
            let close = format!("/shifts/{shift}/close");
            reports.push(clerk.post(&close, json!({ "countedCash": eur(0) })).await.is(200).json);
            let open = format!("/registers/{}/shifts", world.register);
            shift = clerk.post(&open, json!({ "openingFloat": eur(0) })).await.is(201).text("/id").to_owned();
        }
        let close = format!("/shifts/{shift}/close");
        reports.push(clerk.post(&close, json!({ "countedCash": eur(0) })).await.is(200).json);
        reports
    };
    let (_, reports) = tokio::join!(sellers, closer);

    let mut of_shift: BTreeMap<String, (i64, i64, i64)> = BTreeMap::new();
    for sale in everything(&clerk).await {
        if let Some(shift) = sale["shiftId"].as_str() {
            let sums = of_shift.entry(shift.to_owned()).or_default();
            sums.0 += i64::from(sale["kind"] == "sale");
            sums.1 += i64::from(sale["kind"] == "void");
            sums.2 += number(&sale, "/totals/gross/amount");
        }
    }
    assert_eq!(reports.len(), 13);
    let mut reported = 0;
    for (at, report) in reports.iter().enumerate() {
        assert_eq!(number(report, "/zNumber"), at as i64 + 1);
        let sums = of_shift.remove(&text(report, "/shiftId")).unwrap_or_default();
        let said = (number(report, "/sales"), number(report, "/voids"), number(report, "/gross/amount"));
        assert_eq!(said, sums, "{report}");
        reported += sums.0;
        // What is read later is what was answered then.
        let path = format!("/shifts/{}/report", text(report, "/shiftId"));
        assert_eq!(clerk.get(&path).await.is(200).json, *report);
    }
    assert!(of_shift.is_empty(), "sales in shifts that nobody closed: {of_shift:?}");
    assert!(reported > 0, "no sale fell into a shift");
    assert_eq!(violations(&app, &["acme"]).await, []);
}
