//! One sale by id, and lists of them.

use sales::{SaleId, cache::sale_cache, find_sale};
use serde_json::{Value, json};

use crate::market::{Market, tender, text};

/// Six sales of one cent-cheap thing each, one hour apart, the first at 00:00; returns their ids.
async fn six_sales(market: &Market) -> Vec<String> {
    let other_shop = market.add_shop("S02").await;
    let customer = market.add_customer("Ann").await;
    let other_cashier = market.site.member("acme", &["*"]);
    let mut ids = Vec::new();
    for hour in 0..6 {
        let mut body = market.basket(&[("PEN", "1")], &[tender("cash", 7)]);
        body["occurredAt"] = json!(format!("2026-11-20T0{hour}:00:00Z"));
        match hour {
            1 => body["registerId"] = json!(market.second_register),
            2 => {
                body = json!({ "shopId": other_shop, "lines": body["lines"], "tenders": body["tenders"], "occurredAt": body["occurredAt"] })
            }
            3 => body["customerId"] = json!(customer),
            _ => {}
        }
        let sold = other_cashier.post("/sales", body).await.is(201).json;
        ids.push(text(&sold, "/id"));
    }
    ids
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| text(item, "/id")).collect()
}

async fn find(market: &Market, query: &str) -> Vec<String> {
    ids(&market.clerk.get(&format!("/sales?{query}")).await.is(200).json)
}

// SAL-6
#[tokio::test]
async fn sales_are_found_by_time_shop_register_cashier_customer_channel_and_receipt() {
    let market = Market::open().await;
    let made = six_sales(&market).await;
    let latest_first = |wanted: &[usize]| wanted.iter().rev().map(|at| made[*at].clone()).collect::<Vec<_>>();
    assert_eq!(find(&market, "").await, latest_first(&[0, 1, 2, 3, 4, 5]));
    assert_eq!(
        find(&market, "from=2026-11-20T01:00:00Z&to=2026-11-20T04:00:00Z").await,
        latest_first(&[1, 2, 3])
    );
    assert_eq!(find(&market, &format!("shop={}", market.shop)).await, latest_first(&[0, 1, 3, 4, 5]));
    assert_eq!(find(&market, &format!("register={}", market.second_register)).await, latest_first(&[1]));
    assert_eq!(find(&market, "cashier=usr_test").await, latest_first(&[0, 1, 2, 3, 4, 5]));
    assert_eq!(find(&market, "cashier=usr_other").await, latest_first(&[]));
    assert_eq!(find(&market, "channel=api").await, latest_first(&[2]));
    assert_eq!(find(&market, "channel=till&to=2026-11-20T01:00:00Z").await, latest_first(&[0]));
    let sale = market.clerk.get(&format!("/sales/{}", made[3])).await.is(200).json;
    assert_eq!(find(&market, &format!("customer={}", text(&sale, "/customerId"))).await, latest_first(&[3]));
    assert_eq!(find(&market, "receiptNumber=S01-R01-000002").await, latest_first(&[3]));
    assert_eq!(find(&market, "receiptNumber=S01-R02-000001").await, latest_first(&[1]));
    assert_eq!(find(&market, "receiptNumber=S01-R02-000002").await, latest_first(&[]));
    assert_eq!(find(&market, "receiptNumber=S09-R02-000001").await, latest_first(&[]));
    assert_eq!(find(&market, "from=-009000-01-01T00:00:00Z&to=9999-12-30T00:00:00Z").await.len(), 6);
}

// SAL-6, HTTP-5
#[tokio::test]
async fn pages_follow_each_other_while_sales_go_on() {
    let market = Market::open().await;
    let mut made = six_sales(&market).await;
    made.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = market.clerk.get(&format!("/sales?limit=2{cursor}")).await.is(200).json;
        seen.extend(ids(&page));
        // Later than everything, so before the first page.
        market.sell(&[("PEN", "1")]).await;
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, made);
}

// HTTP-5: many sales of one moment.
#[tokio::test]
async fn pages_lose_and_repeat_nothing_when_times_are_equal() {
    let market = Market::open().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(text(&market.sell(&[("PEN", "1")]).await, "/id"));
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for size in [3, 3, 1] {
        let page = market.clerk.get(&format!("/sales?limit=3{cursor}")).await.is(200).json;
        let found = ids(&page);
        assert_eq!(found.len(), size);
        seen.extend(found);
        cursor = format!("&cursor={}", page["nextCursor"].as_str().unwrap_or_default());
    }
    made.sort();
    seen.sort();
    assert_eq!(seen, made);
}

// SAL-6, HTTP-8
#[tokio::test]
async fn filters_that_make_no_sense_are_refused_by_name() {
    let market = Market::open().await;
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("from=yesterday", "from"),
        ("to=2026-13-01T00:00:00Z", "to"),
        ("shop=shp_1", "shop"),
        ("register=shp_01J00000000000000000000000", "register"),
        ("customer=x", "customer"),
        ("channel=pigeon", "channel"),
        ("receiptNumber=1", "receiptNumber"),
        ("cashier=", "cashier"),
        ("cursor=!", "cursor"),
        ("sort=gross", "sort"),
        ("offset=10", "offset"),
    ] {
        let refused = market.clerk.get(&format!("/sales?{query}")).await.is_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused.text("/errors/0/parameter"), name, "{query}: {}", refused.json);
    }
    market.clerk.get("/sales?cursor=bm9wZQ").await.is_problem(404, "NOT_FOUND");
    // ["-009000-01-01T00:00:00Z","sal_01J00000000000000000000000"]: made up, but it reads like one.
    let made_up = "WyItMDA5MDAwLTAxLTAxVDAwOjAwOjAwWiIsInNhbF8wMUowMDAwMDAwMDAwMDAwMDAwMDAwMDAwMCJd";
    market.clerk.get(&format!("/sales?cursor={made_up}")).await.is(200);
}

// SAL-6, HTTP-7
#[tokio::test]
async fn a_sale_is_read_from_memory_and_never_stale() {
    let market = Market::open().await;
    let sale = market.sell(&[("WINE", "2")]).await;
    let path = format!("/sales/{}", text(&sale, "/id"));
    let read = || market.clerk.api(http::Method::GET, &path);
    let first = read().send().await.is(200);
    let etag = first.header("etag").to_owned();
    assert!(!etag.is_empty());
    assert_eq!(read().send().await.is(200).body, first.body);
    assert_eq!(read().header("if-none-match", &etag).send().await.is(304).body, b"");

    market.refund(&sale, &[(1, "1")]).await.is(201);
    let changed = read().header("if-none-match", &etag).send().await.is(200);
    assert_eq!(changed.json["status"], "partially_refunded");
    assert_ne!(changed.header("etag"), etag);
    market.refund(&sale, &[(1, "1")]).await.is(201);
    assert_eq!(read().send().await.is(200).json["status"], "refunded");
}

// SAL-6
#[tokio::test]
async fn what_is_no_sale_of_ours_is_not_found() {
    let market = Market::open().await;
    for id in ["sal_01J00000000000000000000000", "sal_x", "shp_01J00000000000000000000000", "%00", "..", "1"]
    {
        let answer = market.clerk.get(&format!("/sales/{id}")).await;
        assert_eq!(answer.status, 404, "{id}: {}", answer.json);
    }
    let reader = market.site.member("acme", &["sales:write"]);
    reader.get("/sales/sal_01J00000000000000000000000").await.is_problem(403, "PERMISSION_DENIED");
}

// HTTP-5, HTTP-8: a page ends early where its sales are long, and nothing is lost between pages.
#[tokio::test]
async fn a_page_of_long_sales_ends_early() {
    let market = Market::open().await;
    let long: Vec<_> = (0..500).map(|_| ("PEN", "1")).collect();
    let mut made = Vec::new();
    for _ in 0..12 {
        made.push(text(&market.sell(&long).await, "/id"));
    }
    let first = market.clerk.get("/sales?limit=200").await.is(200).json;
    assert_eq!(ids(&first).len(), 10);
    assert!(
        first["items"].as_array().unwrap().iter().all(|sale| sale["lines"].as_array().unwrap().len() == 500)
    );
    let cursor = text(&first, "/nextCursor");
    let second = market.clerk.get(&format!("/sales?limit=200&cursor={cursor}")).await.is(200).json;
    assert_eq!(second["nextCursor"], serde_json::Value::Null);
    let mut seen = [ids(&first), ids(&second)].concat();
    made.sort();
    seen.sort();
    assert_eq!(seen, made);
}

// SAL-6: whoever reads a sale while it is corrected must not put the older state into memory.
#[tokio::test]
async fn a_sale_read_before_its_correction_is_not_kept() {
    let market = Market::open().await;
    let id: SaleId = text(&market.sell(&[("PEN", "1")]).await, "/id").parse().unwrap();
    let (cache, place) = (sale_cache(), (market.tenant.id, id.0));
    let tx = market.site.db.begin_read(&market.site.ctx(&market.tenant)).await.unwrap();
    let epoch = cache.epoch(market.tenant.id, id.0);
    let sale = find_sale(&tx, id).await.unwrap().unwrap();
    cache.forget_key(&sales::cache::key(market.tenant.id, id));
    cache.keep(place, &sale, "1", (), epoch).unwrap();
    assert!(cache.find(market.tenant.id, id.0).is_none());
    cache.keep(place, &sale, "1", (), cache.epoch(market.tenant.id, id.0)).unwrap();
    assert!(cache.find(market.tenant.id, id.0).is_some());
    cache.clear();
    assert!(cache.find(market.tenant.id, id.0).is_none());
}
