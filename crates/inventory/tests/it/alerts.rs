//! Low stock.

use inventory::{Guard, Threshold};

use crate::fixture::{BREAD, Fixture, units};

async fn set_threshold(fixture: &Fixture, threshold: Option<i64>) {
    let tx = fixture.begin().await;
    let line = Threshold { shop: fixture.shops[0], sku: BREAD.to_owned(), threshold: threshold.map(units) };
    inventory::set_thresholds(&tx, &[line]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn sell(fixture: &Fixture, count: i64) -> bool {
    let tx = fixture.begin().await;
    let applied =
        inventory::post_movements(&tx, &[fixture.sold(0, BREAD, count)], Guard::Refuse).await.unwrap();
    messages::publish(&tx, &inventory::low_stock_alerts(&applied)).await.unwrap();
    tx.commit().await.unwrap();
    applied[0].crossed
}

// INV-3
#[tokio::test]
async fn a_shelf_is_reported_low_once_per_crossing_of_its_threshold() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 10).await;
    set_threshold(&fixture, Some(5)).await;
    assert!(!sell(&fixture, 4).await);
    assert!(sell(&fixture, 1).await);
    assert!(!sell(&fixture, 1).await);
    assert_eq!(fixture.published("LowStockAlert").await, 1);
    fixture.restock(0, BREAD, 6).await;
    // Holding counts as well: what is promised is not available.
    let id = fixture.reserve(vec![fixture.hold_line(0, BREAD, 6)], 900).await.unwrap();
    assert_eq!(fixture.published("LowStockAlert").await, 2);
    fixture.confirm(id).await.unwrap();
    assert_eq!(fixture.published("LowStockAlert").await, 2);
}

// INV-3
#[tokio::test]
async fn raising_the_threshold_above_what_is_there_reports_at_once_and_without_one_nothing_is() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 10).await;
    set_threshold(&fixture, Some(10)).await;
    set_threshold(&fixture, Some(12)).await;
    assert_eq!(fixture.published("LowStockAlert").await, 1);
    set_threshold(&fixture, None).await;
    assert!(!sell(&fixture, 10).await);
    assert_eq!(fixture.published("LowStockAlert").await, 1);
}

// INV-3
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_sales_at_once_cross_the_threshold_once() {
    let fixture = std::sync::Arc::new(Fixture::new().await);
    fixture.restock(0, BREAD, 100).await;
    set_threshold(&fixture, Some(75)).await;
    let sales = (0..50).map(|_| {
        let fixture = fixture.clone();
        tokio::spawn(async move { sell(&fixture, 1).await })
    });
    let mut crossed = 0;
    for sale in sales.collect::<Vec<_>>() {
        crossed += usize::from(sale.await.unwrap());
    }
    assert_eq!(crossed, 1);
    assert_eq!(fixture.published("LowStockAlert").await, 1);
}
