//! PLT-8: what was booked on a day, for bills: counted and listed alike, whenever it happened, without imported history.

use std::io::Write as _;

use jiff::SignedDuration;
use kernel::Timestamp;
use sales::{count_booked, import_sales, list_booked};
use serde_json::json;

use crate::market::{Market, tender};

async fn count(market: &Market, from: Timestamp, until: Timestamp) -> Vec<(String, i64)> {
    let tx = market.site.db.begin_read(&market.site.ctx(&market.tenant)).await.unwrap();
    let counted = count_booked(&tx, from, until).await.unwrap();
    tx.commit().await.unwrap();
    counted
}

/// All of them, in pages of two.
async fn list(market: &Market, from: Timestamp, until: Timestamp) -> Vec<String> {
    let tx = market.site.db.begin_read(&market.site.ctx(&market.tenant)).await.unwrap();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = list_booked(&tx, from, until, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.booked_at, last.id));
        found.extend(page.into_iter().map(|sale| sale.receipt_number));
    }
    tx.commit().await.unwrap();
    found
}

// PLT-8
#[tokio::test]
async fn every_sale_made_here_counts_on_the_day_it_was_booked_and_nothing_else_does() {
    let market = Market::open().await;
    let now = market.site.ctx(&market.tenant).now();
    let (from, until) = (now - SignedDuration::from_hours(12), now + SignedDuration::from_hours(12));
    let voided = market.sell(&[("WINE", "1")]).await;
    market.void(&voided).await.is(201);
    // A till that was without a network for a month, and one whose clock runs ahead.
    for ago in [SignedDuration::from_hours(24 * 30), SignedDuration::from_mins(-4)] {
        let mut late = market.basket(&[("PEN", "1")], &[tender("cash", 100)]);
        late["occurredAt"] = json!((now - ago).to_string());
        market.send(late).await.is(201);
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sales.csv");
    let mut file = std::fs::File::create(&path).unwrap();
    writeln!(file, "external_id,occurred_at,sku,quantity,unit_price").unwrap();
    writeln!(file, "T-1,2017-03-01T10:00:00Z,WINE,1,12.00").unwrap();
    writeln!(file, "T-2,{now},WINE,1,12.00").unwrap();
    let ctx = market.site.ctx(&market.tenant);
    let rejects = &mut Vec::new();
    let taken = import_sales(&market.site.db, &market.catalog, &ctx, &path, rejects, |_| {}).await.unwrap();
    assert_eq!((taken.sales, taken.rejected), (2, 0));

    let day = now.to_string()[..10].to_owned();
    assert_eq!(count(&market, from, until).await, [(day, 3)]);
    assert_eq!(list(&market, from, until).await.len(), 3);
    let long_ago = now - SignedDuration::from_hours(24 * 40);
    assert_eq!(count(&market, long_ago, from).await, []);
    assert_eq!(list(&market, long_ago, from).await, Vec::<String>::new());
    assert_eq!(count(&market, until, until + SignedDuration::from_hours(24 * 7)).await, []);
}
