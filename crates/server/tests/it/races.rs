//! Many at once: nothing is sold twice, refunded twice or numbered twice, and the books agree after.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, App, Client};

use crate::support::{World, assert_gapless, eur, number, receipt_numbers, tender, text, violations};

struct Stage {
    app: App,
    world: World,
    clerk: Client,
}

impl Stage {
    async fn new() -> Self {
        let app = App::start().await.unwrap();
        app.add_tenant("acme").await.unwrap();
        let clerk = app.member("acme", &["*"]).await.unwrap();
        let world = World::make(&clerk, "Akanthus").await;
        Self { app, world, clerk }
    }

    async fn end(self) {
        assert_eq!(violations(&self.app, &["acme"]).await, []);
        self.app.stop().await;
    }

    async fn look(&self, sale: &Value) -> Value {
        self.clerk.get(&format!("/sales/{}", text(sale, "/id"))).await.is(200).json
    }
}

/// How often each status and code came.
fn tally(answers: &[Answer]) -> BTreeMap<(u16, &str), usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry((answer.status, answer.code())).or_insert(0) += 1;
    }
    counts
}

fn refund(quantity: &str) -> Value {
    json!({ "reason": "race", "lines": [{ "line": 1, "quantity": quantity }] })
}

// SAL-5
#[tokio::test(flavor = "multi_thread")]
async fn of_two_refunds_racing_for_the_same_line_only_what_was_sold_goes_back() {
    let stage = Stage::new().await;
    for _ in 0..10 {
        let sale = stage.world.sell(&stage.clerk, "3").await;
        let path = format!("/sales/{}/refund", text(&sale, "/id"));
        let (one, two) =
            tokio::join!(stage.clerk.post(&path, refund("2")), stage.clerk.post(&path, refund("2")));
        assert_eq!(tally(&[one, two]), BTreeMap::from([((201, ""), 1), ((409, "REFUND_EXCEEDS_SALE"), 1)]));
        assert_eq!(stage.look(&sale).await["refundedTotal"], eur(2400));
    }
    stage.end().await;
}

// SAL-5
#[tokio::test(flavor = "multi_thread")]
async fn twenty_refunds_of_one_unit_give_back_the_seven_that_were_sold() {
    let stage = Stage::new().await;
    let sale = stage.world.sell(&stage.clerk, "7").await;
    let path = format!("/sales/{}/refund", text(&sale, "/id"));
    let answers = join_all((0..20).map(|_| stage.clerk.post(&path, refund("1")))).await;
    assert_eq!(tally(&answers), BTreeMap::from([((201, ""), 7), ((409, "REFUND_EXCEEDS_SALE"), 13)]));
    let after = stage.look(&sale).await;
    assert_eq!((&after["status"], &after["refundedTotal"]), (&json!("refunded"), &sale["totals"]["gross"]));
    stage.end().await;
}

// SAL-4, SAL-5
#[tokio::test(flavor = "multi_thread")]
async fn of_a_void_and_a_refund_racing_exactly_one_wins() {
    let stage = Stage::new().await;
    for _ in 0..10 {
        let sale = stage.world.sell(&stage.clerk, "2").await;
        let id = text(&sale, "/id");
        let (void, refund) = (format!("/sales/{id}/void"), format!("/sales/{id}/refund"));
        let (void, refund) = tokio::join!(
            stage.clerk.post(&void, json!({ "reason": "race" })),
            stage.clerk.post(&refund, self::refund("1"))
        );
        let after = stage.look(&sale).await;
        match (void.status, refund.status) {
            (201, 409) => {
                assert_eq!((refund.code(), &after["status"]), ("ALREADY_VOIDED", &json!("voided")));
            }
            (409, 201) => {
                assert_eq!(
                    (void.code(), &after["status"]),
                    ("ALREADY_REFUNDED", &json!("partially_refunded"))
                );
            }
            other => panic!("{other:?}: {} {}", void.json, refund.json),
        }
    }
    stage.end().await;
}

// SAL-4
#[tokio::test(flavor = "multi_thread")]
async fn ten_voids_of_one_sale_void_it_once() {
    let stage = Stage::new().await;
    let sale = stage.world.sell(&stage.clerk, "2").await;
    let path = format!("/sales/{}/void", text(&sale, "/id"));
    let answers = join_all((0..10).map(|_| stage.clerk.post(&path, json!({ "reason": "race" })))).await;
    assert_eq!(tally(&answers), BTreeMap::from([((201, ""), 1), ((409, "ALREADY_VOIDED"), 9)]));
    stage.end().await;
}

// HTTP-6
#[tokio::test(flavor = "multi_thread")]
async fn one_key_from_fifty_clients_at_once_sells_once() {
    let stage = Stage::new().await;
    let send = |key: &'static str, quantity: &str| {
        let call = stage.clerk.api(Method::POST, "/sales").key(key);
        call.json(&stage.world.basket(quantity)).send()
    };
    for key in ["race-1", "race-2", "race-3"] {
        let answers = join_all((0..50).map(|_| send(key, "1"))).await;
        let mut bodies = BTreeSet::new();
        let mut first_hand = 0;
        for answer in &answers {
            match answer.status {
                201 => {
                    bodies.insert(answer.json.to_string());
                    first_hand += usize::from(answer.header("idempotency-replayed") != "true");
                }
                409 => assert_eq!(answer.code(), "IDEMPOTENCY_IN_PROGRESS"),
                other => panic!("{other}: {}", answer.json),
            }
        }
        assert_eq!((bodies.len(), first_hand), (1, 1), "{:?}", tally(&answers));
        for _ in 0..3 {
            let again = send(key, "1").await.is(201);
            assert_eq!(again.header("idempotency-replayed"), "true");
            assert!(bodies.contains(&again.json.to_string()), "replays are identical");
        }
        send(key, "2").await.is_problem(422, "IDEMPOTENCY_KEY_REUSED");
    }
    let found = stage.clerk.get("/sales?limit=200").await.is(200).json;
    assert_eq!(found["items"].as_array().unwrap().len(), 5, "two of the world, three of the keys");
    stage.end().await;
}

// HTTP-6: keys of voids and refunds as well.
#[tokio::test(flavor = "multi_thread")]
async fn one_key_of_a_refund_from_twenty_clients_at_once_refunds_once() {
    let stage = Stage::new().await;
    let sale = stage.world.sell(&stage.clerk, "5").await;
    let path = format!("/sales/{}/refund", text(&sale, "/id"));
    let send = || stage.clerk.api(Method::POST, &path).key("refund-1").json(&refund("1")).send();
    let answers = join_all((0..20).map(|_| send())).await;
    for answer in &answers {
        assert!(answer.status == 201 || answer.code() == "IDEMPOTENCY_IN_PROGRESS", "{}", answer.json);
    }
    assert!(answers.iter().any(|answer| answer.status == 201));
    send().await.is(201);
    assert_eq!(stage.look(&sale).await["refundedTotal"], eur(1200));
    stage.end().await;
}

// HTTP-6: two payloads under one key at once: one of them is the key's.
#[tokio::test(flavor = "multi_thread")]
async fn two_payloads_racing_for_one_key_sell_one_of_them() {
    let stage = Stage::new().await;
    let before = stage.clerk.get("/sales?limit=200").await.is(200).json["items"].as_array().unwrap().len();
    let answers = join_all((0..30).map(|n| {
        let body = stage.world.basket(if n % 2 == 0 { "1" } else { "2" });
        stage.clerk.api(Method::POST, "/sales").key("contested").json(&body).send()
    }))
    .await;
    let sold: BTreeSet<String> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(|answer| text(&answer.json, "/id"))
        .collect();
    assert_eq!(sold.len(), 1, "{:?}", tally(&answers));
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert!(
            matches!(answer.code(), "IDEMPOTENCY_KEY_REUSED" | "IDEMPOTENCY_IN_PROGRESS"),
            "{}",
            answer.json
        );
    }
    let after = stage.clerk.get("/sales?limit=200").await.is(200).json["items"].as_array().unwrap().len();
    assert_eq!(after, before + 1);
    stage.end().await;
}

// INV-2
#[tokio::test(flavor = "multi_thread")]
async fn the_last_unit_wanted_by_a_hundred_tills_is_sold_once() {
    let stage = Stage::new().await;
    for (round, sku) in ["LAST-1", "LAST-2"].into_iter().enumerate() {
        stage.clerk.post("/products", json!({ "sku": sku, "name": sku, "price": eur(500) })).await.is(201);
        let units = json!({ "shopId": stage.world.shop, "sku": sku, "quantity": "1" });
        stage.clerk.put("/inventory/restock", json!({ "lines": [units] })).await.is(200);
        let mut basket = stage.world.basket("1");
        basket["lines"][0]["sku"] = json!(sku);
        if round == 1 {
            // A line that is there in plenty beside it must stay on the shelf of the 99.
            basket["lines"]
                .as_array_mut()
                .unwrap()
                .insert(0, json!({ "sku": stage.world.sku, "quantity": "1" }));
        }
        let answers = join_all((0..100).map(|_| stage.clerk.post("/sales", basket.clone()))).await;
        assert_eq!(tally(&answers), BTreeMap::from([((201, ""), 1), ((409, "OUT_OF_STOCK"), 99)]));
        let level = stage.clerk.get(&format!("/inventory/sku/{sku}")).await.is(200).json;
        assert_eq!(level["items"][0]["onHand"], "0");
    }
    let plenty = stage.clerk.get(&format!("/inventory/sku/{}", stage.world.sku)).await.is(200).json;
    assert_eq!(plenty["items"][0]["onHand"], "997", "two of the world, one of the winner");
    stage.end().await;
}

// INV-2: tills and checkouts take from the same shelf.
#[tokio::test(flavor = "multi_thread")]
async fn sales_and_reservations_racing_never_take_more_than_there_is() {
    let stage = Stage::new().await;
    stage.clerk.post("/products", json!({ "sku": "FEW", "name": "Few", "price": eur(500) })).await.is(201);
    let units =
        |count: &str| json!({ "lines": [{ "shopId": stage.world.shop, "sku": "FEW", "quantity": count }] });
    stage.clerk.put("/inventory/restock", units("10")).await.is(200);
    let mut basket = stage.world.basket("1");
    basket["lines"][0]["sku"] = json!("FEW");
    let answers = join_all((0..60).map(async |n| match n % 2 {
        0 => stage.clerk.post("/sales", basket.clone()).await,
        _ => stage.clerk.post("/inventory/reserve", units("1")).await,
    }))
    .await;
    assert_eq!(tally(&answers), BTreeMap::from([((201, ""), 10), ((409, "OUT_OF_STOCK"), 50)]));
    let level = stage.clerk.get("/inventory/sku/FEW").await.is(200).json;
    assert_eq!(level["items"][0]["available"], "0");
    stage.end().await;
}

// SAL-3
#[tokio::test(flavor = "multi_thread")]
async fn receipts_stay_gapless_under_sixty_four_clients_on_four_registers() {
    let stage = Stage::new().await;
    let mut registers = vec![stage.world.register.clone()];
    for code in ["R02", "R03", "R04"] {
        let path = format!("/shops/{}/registers", stage.world.shop);
        registers.push(stage.clerk.post(&path, json!({ "code": code })).await.is(201).text("/id").to_owned());
    }
    let client = |n: usize| {
        let (stage, registers) = (&stage, &registers);
        async move {
            let mut receipts = Vec::new();
            for round in 0..6 {
                let mut basket = stage.world.basket("1");
                basket["registerId"] = json!(registers[(n + round) % registers.len()]);
                if (n + round).is_multiple_of(5) {
                    // Refused after it was numbered, if numbers were given too early.
                    basket["total"] = eur(1);
                    stage.clerk.post("/sales", basket).await.is_problem(422, "TOTAL_MISMATCH");
                    continue;
                }
                let sold = stage.clerk.post("/sales", basket).await.is(201).json;
                receipts.push(text(&sold, "/receiptNumber"));
                if round == 3 {
                    let void = format!("/sales/{}/void", text(&sold, "/id"));
                    let voided = stage.clerk.post(&void, json!({ "reason": "r" })).await.is(201).json;
                    receipts.push(text(&voided, "/receiptNumber"));
                }
            }
            receipts
        }
    };
    let mut receipts: Vec<String> = join_all((0..64).map(client)).await.into_iter().flatten().collect();
    let first = stage.clerk.get(&format!("/sales/{}", stage.world.sale)).await.is(200).json;
    receipts.push(text(&first, "/receiptNumber"));
    let mut seen = 0;
    for code in ["R01", "R02", "R03", "R04"] {
        let numbers = receipt_numbers(&receipts, &format!("S01-{code}-"));
        assert!(numbers.len() > 50, "{code} {}", numbers.len());
        assert_gapless(&numbers);
        seen += numbers.len();
    }
    assert_eq!(seen, receipts.len());
    stage.end().await;
}

// SAL-1: sales of many merchants share batches but never each other's fate.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sale_of_one_merchant_takes_no_other_with_it() {
    let stage = Stage::new().await;
    stage.app.add_tenant("bolt").await.unwrap();
    let bolt = stage.app.member("bolt", &["*"]).await.unwrap();
    let theirs = World::make(&bolt, "Bolton").await;
    let answers = join_all((0..120).map(async |n| {
        let (client, world) = if n % 2 == 0 { (&stage.clerk, &stage.world) } else { (&bolt, &theirs) };
        let mut basket = world.basket("1");
        match n % 6 {
            3 => basket["lines"][0]["sku"] = json!("NOTHING"),
            4 => basket["tenders"] = json!([tender("card", 1)]),
            5 => basket["lines"][0]["quantity"] = json!("5000"),
            _ => {}
        }
        client.post("/sales", basket).await
    }))
    .await;
    let wanted = BTreeMap::from([
        ((201, ""), 60),
        ((409, "OUT_OF_STOCK"), 20),
        ((422, "TENDER_SHORT"), 20),
        ((422, "UNKNOWN_SKU"), 20),
    ]);
    assert_eq!(tally(&answers), wanted);
    assert_eq!(violations(&stage.app, &["bolt"]).await, []);
    let sold = answers.iter().filter(|answer| answer.status == 201);
    assert_eq!(sold.map(|answer| number(&answer.json, "/totals/gross/amount")).sum::<i64>(), 60 * 1200);
    stage.end().await;
}
