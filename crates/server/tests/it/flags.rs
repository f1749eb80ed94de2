//! PLT-7: the operator switches a feature in one process, merchants see the effect in another at once.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, App, Client};

use crate::support::{
    CommandLine, WebShop, World, check_out, check_out_with, eur, fill, steps, tender, violations,
};

/// Generous on a busy machine; it takes milliseconds.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Asks until the answer has that status; what other processes change is heard through PostgreSQL.
async fn until(status: u16, mut ask: impl AsyncFnMut() -> Answer) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = ask().await;
        if answer.status == status {
            return answer;
        }
        assert!(begun.elapsed() < AT_ONCE, "{} {}", answer.status, answer.json);
        tokio::task::yield_now().await;
    }
}

async fn state(client: &Client, feature: &str) -> Value {
    let all = client.get("/feature-flags").await.is(200).json;
    let items = all["items"].as_array().unwrap();
    items.iter().find(|item| item["feature"] == feature).unwrap().clone()
}

// PLT-7, PLT-16
#[tokio::test(flavor = "multi_thread")]
async fn checkouts_are_switched_off_and_on_from_another_process_while_the_shop_is_open() {
    let web = WebShop::open().await;
    web.app.add_tenant("bolt").await.unwrap();
    let command = CommandLine::of(&web.app);
    let guest = web.guest(&[("PEN", "1")]).await;
    let first = check_out_with(&guest, "card_approved", "first-key").await.is(201);
    fill(&guest, &[("PEN", "1")]).await;
    assert_eq!(state(&guest, "web-checkout").await["on"], true);

    let set = command
        .json(&[
            "flag",
            "set",
            "web-checkout",
            "--tenant",
            "acme",
            "--off",
            "--feature-config",
            "{\"until\": \"noon\"}",
        ])
        .await;
    assert_eq!((&set["tenant"], &set["enabled"]), (&json!("acme"), &json!(false)));
    assert_eq!(set["config"], json!({ "until": "noon" }));
    let off = until(403, || check_out(&guest, "card_approved")).await;
    assert_eq!((off.code(), &off.json["detail"]), ("FEATURE_OFF", &json!("It is web-checkout.")));
    assert_eq!(state(&guest, "web-checkout").await["on"], false);
    let bolt = web.app.member("bolt", &["*"]).await.unwrap();
    assert_eq!(state(&bolt, "web-checkout").await["on"], true);
    // What was begun before is answered as it was, and the cart waits for better times.
    let again = check_out_with(&guest, "card_approved", "first-key").await.is(201);
    assert_eq!(again.text("/id"), first.text("/id"));
    assert_eq!(guest.get("/carts/me").await.is(200).json["lines"].as_array().unwrap().len(), 1);

    let listed = command.json(&["flag", "list", "--tenant", "acme"]).await;
    assert_eq!(listed["items"][0]["updatedBy"], "operator");
    assert_eq!(listed["features"][0]["feature"], "split-tender");
    command.json(&["flag", "clear", "web-checkout", "--tenant", "acme"]).await;
    let on = until(201, || check_out(&guest, "card_approved")).await;
    assert!(steps(&on.json).iter().all(|(_, state)| state == "done"), "{}", on.json);

    // Who did it is kept; wrong usage is told from what cannot be.
    let operator = web.app.operator(&["platform:*"]).await.unwrap();
    let events = operator.get("/admin/security-events?kind=flag_changed").await.is(200).json;
    assert_eq!(events["items"].as_array().unwrap().len(), 2, "{events}");
    command.run(&["flag", "set", "web-checkout"]).await.exits(2);
    command.run(&["flag", "set", "no-such-thing", "--on"]).await.exits(1);
    command.run(&["flag", "clear", "web-checkout", "--tenant", "acme"]).await.exits(1);
    web.end().await;
}

// PLT-7, SAL-1
#[tokio::test]
async fn without_split_tender_a_sale_is_paid_by_one_means() {
    let app = App::start().await.unwrap();
    app.add_tenant("acme").await.unwrap();
    let staff = app.member("acme", &["*"]).await.unwrap();
    let world = World::make(&staff, "Akanthus").await;
    let operator = app.operator(&["platform:flags"]).await.unwrap();
    let split = json!({
        "registerId": world.register, "lines": [{ "sku": world.sku, "quantity": "1" }],
        "tenders": [tender("card", 500), tender("cash", 700)]
    });
    let key = uuid::Uuid::now_v7().to_string();
    let sell = async |key: &str| staff.api(Method::POST, "/sales").key(key).json(&split).send().await;
    sell(&uuid::Uuid::now_v7().to_string()).await.is(201);
    operator.put("/admin/feature-flags/split-tender", json!({ "enabled": false })).await.is(201);
    let refused = sell(&key).await.is(403);
    assert_eq!(refused.code(), "FEATURE_OFF");
    assert_eq!(refused.json["errors"][0]["pointer"], "/tenders");
    world.sell(&staff, "1").await;
    // One merchant may all the same, and the key that was refused is as good as new.
    operator.put("/admin/feature-flags/acme/split-tender", json!({ "enabled": true })).await.is(201);
    let sold = sell(&key).await.is(201);
    assert_eq!(sold.json["tenders"].as_array().unwrap().len(), 2);
    assert_eq!(sold.json["totals"]["gross"], eur(1200));
    assert_eq!(violations(&app, &["acme"]).await, []);
    app.stop().await;
}
