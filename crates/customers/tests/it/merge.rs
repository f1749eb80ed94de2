//! Duplicates become one (CUS-1).

use customers::{CustomerId, LoyaltyError, Purpose, burn, earn, has_consent, reverse};
use serde_json::{Value, json};

use crate::{
    loyalty::{activate, balance, give},
    world::{PASSWORD, World, address},
};

async fn merge(world: &World, into: &str, duplicate: &str) -> testkit::Answer {
    let staff = world.staff("acme").await;
    staff.post(&format!("/customers/{into}/merge"), json!({ "duplicate": duplicate })).await
}

// CUS-1
#[tokio::test(flavor = "multi_thread")]
async fn everything_of_the_duplicate_is_the_customers_who_stays() {
    let world = World::open().await;
    let staff = world.staff("acme").await;
    let body = json!({ "name": "Ann", "tags": ["a", "b"] });
    let into = staff.post("/customers", body).await.is(201).text("/id").to_owned();
    let duplicate = world.register("acme", "ann@x.example").await;
    let from = &duplicate.id;
    staff.put(&format!("/customers/{from}"), json!({ "name": "Ann E", "tags": ["b", "c"] })).await.is(200);
    for (path, body) in [
        (
            format!("/customers/{from}/addresses"),
            json!({ "address": address("Main 1"), "defaultShipping": true, "defaultBilling": true }),
        ),
        (
            format!("/customers/{into}/addresses"),
            json!({ "address": address("Side 2"), "defaultShipping": true }),
        ),
        (format!("/customers/{from}/notes"), json!({ "text": "Has a dog" })),
        (
            format!("/customers/{from}/consents"),
            json!({ "purpose": "profiling", "granted": true, "source": "form" }),
        ),
    ] {
        staff.post(&path, body).await.is(201);
    }
    give(&world, from.parse().unwrap(), 30).await;
    give(&world, into.parse().unwrap(), 5).await;

    let merged = merge(&world, &into, from).await.is(200);
    assert_eq!(merged.json["tags"], json!(["a", "b", "c"]));
    let count = async |path: &str| {
        let seen = staff.get(&format!("/customers/{into}/{path}")).await.is(200);
        seen.json["items"].as_array().unwrap().clone()
    };
    let addresses = count("addresses").await;
    let flags: Vec<_> =
        addresses.iter().map(|one| (&one["defaultShipping"], &one["defaultBilling"])).collect();
    assert_eq!(flags, [(&json!(false), &json!(true)), (&json!(true), &json!(false))]);
    assert_eq!((count("notes").await.len(), count("consents").await.len()), (1, 1));
    assert!(has_consent(&world.tx().await, into.parse().unwrap(), Purpose::Profiling).await.unwrap());
    assert_eq!(balance(&world, into.parse().unwrap()).await, 35);
    // The login has moved; sign-ins of the duplicate have ended.
    let signed_in = world.sign_in("acme", "ann@x.example", PASSWORD).await.is(200);
    assert_eq!(signed_in.text("/customerId"), into);
    duplicate.client.get("/customers/me").await.is_problem(404, "CUSTOMER_NOT_FOUND");
    let body = json!({ "refreshToken": duplicate.refresh });
    world.stranger("acme").post("/customers/refresh", body).await.is_problem(401, "WRONG_CREDENTIALS");
    // The old id shows where everything is.
    let old = staff.get(&format!("/customers/{from}")).await.is(200);
    assert_eq!((old.text("/mergedInto"), &old.json["active"]), (into.as_str(), &json!(false)));
    assert_eq!(world.published("CustomersMerged").await, [json!({ "from": from, "into": into })]);
    assert_eq!(world.remembered.take(), [(from.clone(), into.clone())]);
    world.holds().await;

    // Again changes nothing.
    assert_eq!(merge(&world, &into, from).await.is(200).json, merged.json);
    assert_eq!(world.published("CustomersMerged").await.len(), 1);
    assert!(world.remembered.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_of_the_customer_who_stays_wins() {
    let world = World::open().await;
    let (ann, other) =
        (world.register("acme", "ann@x.example").await, world.register("acme", "ann2@x.example").await);
    merge(&world, &ann.id, &other.id).await.is(200);
    ann.client.get("/customers/me").await.is(200);
    world.sign_in("acme", "ann@x.example", PASSWORD).await.is(200);
    world.sign_in("acme", "ann2@x.example", PASSWORD).await.is_problem(401, "WRONG_CREDENTIALS");
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cycles_chains_and_strangers_are_refused() {
    let world = World::open().await;
    let [a, b, c, d] = [
        world.customer("A").await,
        world.customer("B").await,
        world.customer("C").await,
        world.customer("D").await,
    ];
    merge(&world, &a, &a).await.is_problem(422, "MERGE_WITH_ITSELF");
    merge(&world, &a, &CustomerId::new().to_string()).await.is_problem(404, "CUSTOMER_NOT_FOUND");
    merge(&world, &CustomerId::new().to_string(), &a).await.is_problem(404, "CUSTOMER_NOT_FOUND");
    merge(&world, &a, &b).await.is(200);
    assert_eq!(merge(&world, &b, &a).await.is_problem(409, "MERGE_CYCLE").text("/mergedInto"), a);
    assert_eq!(merge(&world, &b, &c).await.is_problem(409, "CUSTOMER_MERGED").text("/mergedInto"), a);
    assert_eq!(merge(&world, &c, &b).await.is_problem(409, "CUSTOMER_MERGED").text("/mergedInto"), a);
    let staff = world.staff("acme").await;
    let revived = json!({ "name": "B", "active": true });
    staff.put(&format!("/customers/{b}"), revived).await.is_problem(409, "CUSTOMER_MERGED");
    let note = json!({ "text": "lost" });
    staff.post(&format!("/customers/{b}/notes"), note).await.is_problem(409, "CUSTOMER_MERGED");
    staff.delete(&format!("/customers/{d}")).await.is(204);
    merge(&world, &d, &c).await.is_problem(409, "CUSTOMER_INACTIVE");
    // Whoever was merged into a duplicate follows it, so that no chain arises.
    merge(&world, &c, &a).await.is(200);
    assert_eq!(staff.get(&format!("/customers/{b}")).await.is(200).text("/mergedInto"), c);
    let neighbour = world.staff("bolt").await;
    let foreign = neighbour.post(&format!("/customers/{c}/merge"), json!({ "duplicate": d })).await;
    foreign.is_problem(404, "CUSTOMER_NOT_FOUND");
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_would_exceed_bounds_or_whose_hook_fails_changes_nothing() {
    let world = World::open().await;
    let staff = world.staff("acme").await;
    let tags = |mark: &str| -> Value { (0..30).map(|n| format!("{mark}{n}")).collect::<Vec<_>>().into() };
    let make = async |mark: &str| {
        let body = json!({ "name": mark, "tags": tags(mark) });
        staff.post("/customers", body).await.is(201).text("/id").to_owned()
    };
    let (a, b) = (make("a").await, make("b").await);
    merge(&world, &a, &b).await.is_problem(409, "TOO_MANY_TAGS");
    staff.put(&format!("/customers/{b}"), json!({ "name": "b", "tags": [] })).await.is(200);
    for id in [&a, &b] {
        for n in 0..11 {
            let body = json!({ "address": address(&format!("Main {n}")) });
            staff.post(&format!("/customers/{id}/addresses"), body).await.is(201);
        }
    }
    merge(&world, &a, &b).await.is_problem(409, "TOO_MANY_ADDRESSES");
    let c = world.customer("C").await;
    *world.remembered.fails.lock().unwrap() = true;
    merge(&world, &a, &c).await.is(500);
    assert_eq!(staff.get(&format!("/customers/{c}")).await.is(200).json["active"], true);
    assert!(world.published("CustomersMerged").await.is_empty());
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_follow_the_customer_whichever_id_is_used() {
    let world = World::open().await;
    activate(&world).await;
    let (a, b) = (world.customer("A").await, world.customer("B").await);
    let [into, from]: [CustomerId; 2] = [a.parse().unwrap(), b.parse().unwrap()];
    let tx = world.tx().await;
    earn(&tx, from, 5_000, "sale").await.unwrap();
    burn(&tx, from, 20, "order").await.unwrap();
    tx.commit().await.unwrap();
    merge(&world, &a, &b).await.is(200);
    let tx = world.tx().await;
    // What was done under the old id is known under both.
    assert_eq!(earn(&tx, into, 5_000, "sale").await.unwrap(), 0);
    assert_eq!(earn(&tx, from, 5_000, "sale").await.unwrap(), 0);
    assert_eq!(burn(&tx, into, 20, "order").await.unwrap().amount, 200);
    assert_eq!(earn(&tx, from, 1_000, "next").await.unwrap(), 10);
    assert_eq!(reverse(&tx, from, "order").await.unwrap(), 20);
    tx.commit().await.unwrap();
    assert_eq!((balance(&world, into).await, balance(&world, from).await), (60, 0));
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spending_and_merging_at_once_neither_lose_nor_double_points() {
    let world = World::open().await;
    activate(&world).await;
    for round in 0..4 {
        let (a, b) = (world.customer("A").await, world.customer("B").await);
        let [into, from]: [CustomerId; 2] = [a.parse().unwrap(), b.parse().unwrap()];
        give(&world, from, 50).await;
        let spend = async |n: usize| {
            let tx = world.tx().await;
            match burn(&tx, from, 30, &format!("order {round} {n}")).await {
                Ok(_) => tx.commit().await.is_ok(),
                Err(LoyaltyError::Insufficient(_)) => false,
                Err(other) => panic!("{other}"),
            }
        };
        let (first, merged, second) = tokio::join!(spend(1), merge(&world, &a, &b), spend(2));
        merged.is(200);
        assert!(first ^ second, "one of them has the points");
        assert_eq!((balance(&world, into).await, balance(&world, from).await), (20, 0));
    }
    world.holds().await;
}
