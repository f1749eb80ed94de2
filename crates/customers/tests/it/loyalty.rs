//! Points: rules, earning, spending, giving back, expiry (CUS-1).

use customers::{CustomerId, LoyaltyError, burn, earn, expire_points, find_balance, reverse};
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::World;

pub(crate) fn rule() -> Value {
    json!({ "active": true, "earnPoints": 1, "earnPerAmount": 100, "burnPoints": 10, "burnAmount": 100 })
}

pub(crate) async fn activate(world: &World) {
    world.staff("acme").await.put("/customers/loyalty-rule", rule()).await.is(200);
}

pub(crate) async fn give(world: &World, customer: CustomerId, points: i64) {
    let body = json!({ "points": points, "note": "welcome" });
    world.staff("acme").await.post(&format!("/customers/{customer}/loyalty"), body).await.is(201);
}

pub(crate) async fn balance(world: &World, customer: CustomerId) -> i64 {
    find_balance(&world.tx().await, customer).await.unwrap()
}

async fn ann(world: &World) -> CustomerId {
    world.customer("Ann").await.parse().unwrap()
}

// CUS-1
#[tokio::test(flavor = "multi_thread")]
async fn the_rule_is_the_merchants_and_is_inactive_until_they_say_so() {
    let world = World::open().await;
    let staff = world.staff("acme").await;
    let unset = staff.get("/customers/loyalty-rule").await.is(200);
    assert_eq!((&unset.json["active"], &unset.json["version"]), (&json!(false), &json!(0)));
    let set = staff.put("/customers/loyalty-rule", rule()).await.is(200);
    assert_eq!(staff.put("/customers/loyalty-rule", rule()).await.is(200).json, set.json);
    assert_eq!(world.staff("bolt").await.get("/customers/loyalty-rule").await.is(200).json["version"], 0);
    for (field, value) in
        [("earnPerAmount", json!(0)), ("expiryMonths", json!(121)), ("burnPoints", json!(-1))]
    {
        let mut body = rule();
        body[field] = value;
        staff.put("/customers/loyalty-rule", body).await.is_problem(400, "VALIDATION_FAILED");
    }
    let stale =
        staff.api(http::Method::PUT, "/customers/loyalty-rule").header("if-match", "\"7\"").json(&rule());
    stale.send().await.is_problem(412, "PRECONDITION_FAILED");
    let reader = world.staff_with("acme", &["customers:read"]).await;
    reader.put("/customers/loyalty-rule", rule()).await.is_problem(403, "PERMISSION_DENIED");
}

// CUS-1
#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_earns_once_and_nothing_while_points_are_not_in_use() {
    let world = World::open().await;
    let ann = ann(&world).await;
    let buy = async |amount: i64, reference: &str| {
        let tx = world.tx().await;
        let points = earn(&tx, ann, amount, reference).await.unwrap();
        tx.commit().await.unwrap();
        points
    };
    assert_eq!(buy(10_000, "before").await, 0);
    activate(&world).await;
    assert_eq!((buy(1_999, "one").await, buy(1_999, "one").await, buy(99, "small").await), (19, 0, 0));
    assert_eq!(balance(&world, ann).await, 19);
    let seen = world.staff("acme").await.get(&format!("/customers/{ann}/loyalty")).await.is(200);
    assert_eq!((&seen.json["points"], &seen.json["worth"]), (&json!(19), &json!(190)));
    assert_eq!((seen.text("/items/0/reason"), seen.text("/items/0/reference")), ("earn", "one"));
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_are_spent_once_per_reference_and_never_more_than_there_are() {
    let world = World::open().await;
    let ann = ann(&world).await;
    give(&world, ann, 50).await;
    let spend = async |points: i64, reference: &str| {
        let tx = world.tx().await;
        let done = burn(&tx, ann, points, reference).await?;
        tx.commit().await.unwrap();
        Ok::<_, LoyaltyError>(done.amount)
    };
    assert!(matches!(spend(10, "early").await, Err(LoyaltyError::Inactive)));
    activate(&world).await;
    assert_eq!((spend(30, "one").await.unwrap(), spend(30, "one").await.unwrap()), (300, 300));
    assert!(matches!(spend(29, "one").await, Err(LoyaltyError::ReferenceUsed)));
    assert!(matches!(spend(21, "two").await, Err(LoyaltyError::Insufficient(20))));
    assert!(matches!(spend(0, "two").await, Err(LoyaltyError::OutOfRange)));
    assert_eq!(balance(&world, ann).await, 20);
    let tx = world.tx().await;
    assert!(matches!(burn(&tx, CustomerId::new(), 1, "x").await, Err(LoyaltyError::NotFound)));
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_burns_never_overspend() {
    let world = World::open().await;
    let ann = ann(&world).await;
    activate(&world).await;
    give(&world, ann, 50).await;
    let spend = async |n: usize| {
        let tx = world.tx().await;
        match burn(&tx, ann, 20, &format!("order {n}")).await {
            Ok(_) => tx.commit().await.is_ok(),
            Err(LoyaltyError::Insufficient(_)) => false,
            Err(other) => panic!("{other}"),
        }
    };
    let spent = join_all((0..6).map(spend)).await;
    assert_eq!(spent.iter().filter(|done| **done).count(), 2);
    assert_eq!(balance(&world, ann).await, 10);
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_undone_gives_back_what_was_spent_and_takes_what_was_earned() {
    let world = World::open().await;
    let ann = ann(&world).await;
    activate(&world).await;
    give(&world, ann, 50).await;
    let tx = world.tx().await;
    burn(&tx, ann, 40, "order").await.unwrap();
    earn(&tx, ann, 1_500, "order").await.unwrap();
    assert_eq!(find_balance(&tx, ann).await.unwrap(), 25);
    assert_eq!(reverse(&tx, ann, "order").await.unwrap(), 25);
    assert_eq!(reverse(&tx, ann, "order").await.unwrap(), 0);
    assert_eq!(reverse(&tx, ann, "another").await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(balance(&world, ann).await, 50);
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_staff_gives_and_takes_points_but_not_more_than_there_are() {
    let world = World::open().await;
    let (ann, staff) = (ann(&world).await, world.staff("acme").await);
    let path = format!("/customers/{ann}/loyalty");
    let once = staff.api(http::Method::POST, &path).key("k").json(&json!({ "points": 5, "note": "sorry" }));
    once.send().await.is(201);
    let again = staff.api(http::Method::POST, &path).key("k").json(&json!({ "points": 5, "note": "sorry" }));
    again.send().await.is(201);
    let refused = staff.post(&path, json!({ "points": -6, "note": "oops" })).await;
    assert_eq!(refused.is_problem(409, "INSUFFICIENT_POINTS").json["balance"], 5);
    for body in [json!({ "points": 0, "note": "x" }), json!({ "points": 1, "note": "" })] {
        staff.post(&path, body).await.is_problem(400, "VALIDATION_FAILED");
    }
    staff.post(&path, json!({ "points": -5, "note": "oops" })).await.is(201);
    assert_eq!(balance(&world, ann).await, 0);
    world.staff("bolt").await.get(&path).await.is_problem(404, "CUSTOMER_NOT_FOUND");
    let shopper = world.register("acme", "ann@x.example").await;
    let own = json!({ "points": 5, "note": "for me" });
    shopper
        .client
        .post(&format!("/customers/{}/loyalty", shopper.id), own)
        .await
        .is_problem(403, "PERMISSION_DENIED");
    shopper.client.get("/customers/me/loyalty").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_are_not_spent_in_time_are_lost_oldest_first() {
    let world = World::open().await;
    let ann = ann(&world).await;
    activate(&world).await;
    give(&world, ann, 100).await;
    world.later(SignedDuration::from_hours(24 * 200));
    give(&world, ann, 30).await;
    let tx = world.tx().await;
    burn(&tx, ann, 40, "order").await.unwrap();
    tx.commit().await.unwrap();
    let expire = async || expire_points(&world.app.parts.db, &world.ctx().await).await.unwrap();
    world.later(SignedDuration::from_hours(24 * 180));
    assert_eq!(expire().await, 0, "points are kept until the rule says otherwise");
    let mut expiring = rule();
    expiring["expiryMonths"] = json!(12);
    world.staff("acme").await.put("/customers/loyalty-rule", expiring).await.is(200);
    assert_eq!((expire().await, expire().await), (1, 0));
    assert_eq!(balance(&world, ann).await, 30);
    world.later(SignedDuration::from_hours(24 * 200));
    assert_eq!(expire().await, 1);
    assert_eq!(balance(&world, ann).await, 0);
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_cannot_be_changed_and_a_wrong_balance_is_found() {
    let world = World::open().await;
    let ann = ann(&world).await;
    give(&world, ann, 5).await;
    for sql in ["update customers.loyalty_entry set points = 6", "delete from customers.loyalty_entry"] {
        let tx = world.tx().await;
        assert!(tx.execute(sql, &[]).await.is_err(), "{sql}");
    }
    let tx = world.tx().await;
    tx.execute("update customers.loyalty_balance set points = 6", &[]).await.unwrap();
    let found = customers::invariants(&tx).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].invariant, "loyalty_balance_is_the_sum_of_its_entries");
}
