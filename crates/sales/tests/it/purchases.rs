//! The book of record as the source of customers' points.

use customers::{CustomerId, Purchases as _};
use sales::RecordedPurchases;
use serde_json::json;
use uuid::Uuid;

use crate::market::{Market, tender, text};

// CUS-1
#[tokio::test(flavor = "multi_thread")]
async fn what_known_customers_bought_and_what_came_back_is_read_in_order() {
    let market = Market::open().await;
    let ann: CustomerId = market.add_customer("Ann").await.parse().unwrap();
    let (lines, tenders) = ([("BREAD", "1")], [tender("cash", 1_000_000)]);
    market.sell(&lines).await;
    let mut basket = market.basket(&lines, &tenders);
    basket["customerId"] = json!(ann);
    let sale = market.send(basket).await.is(201).json;
    let void = market.void(&sale).await.is(201);
    let sale = text(&sale, "/id");
    let tx = market.site.db.begin_read(&market.site.ctx(&market.tenant)).await.unwrap();
    let found = RecordedPurchases.list(&tx, Uuid::nil(), Uuid::max(), 10).await.unwrap();
    let seen: Vec<_> =
        found.iter().map(|one| (one.reference.as_str(), one.customer, one.original.as_deref())).collect();
    assert_eq!(seen, [(sale.as_str(), ann, None), (void.text("/id"), ann, Some(sale.as_str()))]);
    assert_eq!(found[0].gross, -found[1].gross);
    assert!(found[0].gross > 0);
    let first = RecordedPurchases.list(&tx, Uuid::nil(), Uuid::max(), 1).await.unwrap();
    assert_eq!(first, found[..1]);
    let rest = RecordedPurchases.list(&tx, found[0].id, Uuid::max(), 10).await.unwrap();
    assert_eq!(rest, found[1..]);
    assert_eq!(RecordedPurchases.list(&tx, Uuid::nil(), found[0].id, 10).await.unwrap(), []);
}
