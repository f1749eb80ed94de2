//! Addresses, consents and notes (CUS-1).

use customers::{CustomerId, Purpose, has_consent};
use serde_json::{Value, json};
use testkit::Answer;

use crate::world::{World, address};

fn items(answer: &Answer) -> &Vec<Value> {
    answer.json["items"].as_array().unwrap()
}

// CUS-1
#[tokio::test(flavor = "multi_thread")]
async fn customers_keep_their_addresses_and_the_staff_sees_the_same() {
    let world = World::open().await;
    let ann = world.register("acme", "ann@x.example").await;
    let body = json!({ "label": "Home", "address": address("Main 1"), "defaultShipping": true });
    let home = ann.client.post("/customers/me/addresses", body).await.is(201);
    let location = format!("/api/v1/customers/{}/addresses/{}", ann.id, home.text("/id"));
    assert_eq!(home.header("location"), location);
    let body = json!({ "label": "Work", "address": address("Side 2"), "defaultShipping": true, "defaultBilling": true });
    let work = ann.client.post("/customers/me/addresses", body).await.is(201);
    // The new default has taken the place of the old one.
    let staff = world.staff("acme").await;
    let path = format!("/customers/{}/addresses", ann.id);
    let seen = staff.get(&path).await.is(200);
    let flags: Vec<_> =
        items(&seen).iter().map(|one| (&one["defaultShipping"], &one["defaultBilling"])).collect();
    assert_eq!(flags, [(&json!(false), &json!(false)), (&json!(true), &json!(true))]);
    let home = format!("{path}/{}", home.text("/id"));
    let body = json!({ "label": "Home", "address": address("Main 3"), "defaultBilling": true });
    let changed = staff.put(&home, body).await.is(200);
    assert_eq!(changed.json["address"]["lines"], json!(["Main 3"]));
    world.holds().await;
    let mine = format!("/customers/me/addresses/{}", work.text("/id"));
    ann.client.delete(&mine).await.is(204);
    ann.client.delete(&mine).await.is_problem(404, "ADDRESS_NOT_FOUND");
    assert_eq!(items(&ann.client.get("/customers/me/addresses").await.is(200)).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_anothers_address_even_by_its_id() {
    let world = World::open().await;
    let (ann, bob) =
        (world.register("acme", "ann@x.example").await, world.register("acme", "bob@x.example").await);
    let body = json!({ "address": address("Main 1") });
    let made = ann.client.post("/customers/me/addresses", body.clone()).await.is(201);
    let id = made.text("/id");
    bob.client
        .put(&format!("/customers/me/addresses/{id}"), body.clone())
        .await
        .is_problem(404, "ADDRESS_NOT_FOUND");
    bob.client.delete(&format!("/customers/me/addresses/{id}")).await.is_problem(404, "ADDRESS_NOT_FOUND");
    let anns = format!("/customers/{}/addresses", ann.id);
    bob.client.post(&anns, body.clone()).await.is_problem(404, "CUSTOMER_NOT_FOUND");
    bob.client.delete(&format!("{anns}/{id}")).await.is_problem(404, "CUSTOMER_NOT_FOUND");
    let neighbour = world.staff("bolt").await;
    neighbour.get(&anns).await.is_problem(404, "CUSTOMER_NOT_FOUND");
    neighbour.put(&format!("{anns}/{id}"), body).await.is_problem(404, "CUSTOMER_NOT_FOUND");
    let reader = world.staff_with("acme", &["customers:read"]).await;
    reader.delete(&format!("{anns}/{id}")).await.is_problem(403, "PERMISSION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_keeps_at_most_twenty_addresses_however_many_are_added_at_once() {
    let world = World::open().await;
    let ann = world.register("acme", "ann@x.example").await;
    let add = |n: usize| {
        let body = json!({ "address": address(&format!("Main {n}")), "defaultShipping": true });
        let client = ann.client.clone();
        async move { client.post("/customers/me/addresses", body).await.status }
    };
    for n in 0..18 {
        assert_eq!(add(n).await, 201);
    }
    let mut statuses = futures::future::join_all((18..22).map(add)).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 409, 409]);
    world.holds().await;
}

// HTTP-8
#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_cannot_be_are_refused_by_field() {
    let world = World::open().await;
    let ann = world.register("acme", "ann@x.example").await;
    for (field, value) in [
        ("country", json!("ZZ")),
        ("country", json!("at")),
        ("lines", json!([])),
        ("lines", json!(["a", "b", "c", "d", "e"])),
        ("city", json!(" ")),
        ("phone", json!("call")),
        ("postalCode", json!("x".repeat(21))),
    ] {
        let mut body = json!({ "address": address("Main 1") });
        body["address"][field] = value.clone();
        let refused = ann.client.post("/customers/me/addresses", body).await;
        let refused = refused.is_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused.json["errors"][0]["pointer"], format!("/address/{field}"), "{value}");
    }
}

// CUS-1
#[tokio::test(flavor = "multi_thread")]
async fn the_latest_word_on_a_purpose_counts_and_every_word_is_kept() {
    let world = World::open().await;
    let ann = world.register("acme", "ann@x.example").await;
    let id: CustomerId = ann.id.parse().unwrap();
    let allowed = async |purpose| has_consent(&world.tx().await, id, purpose).await.unwrap();
    assert!(!allowed(Purpose::EmailMarketing).await);
    let say = |purpose: &str, granted: bool| json!({ "purpose": purpose, "granted": granted, "source": "web form" });
    ann.client.post("/customers/me/consents", say("email_marketing", true)).await.is(201);
    assert!(allowed(Purpose::EmailMarketing).await);
    assert!(!allowed(Purpose::Profiling).await);
    let staff = world.staff("acme").await;
    let path = format!("/customers/{}/consents", ann.id);
    staff.post(&path, say("email_marketing", false)).await.is(201);
    assert!(!allowed(Purpose::EmailMarketing).await);
    let first = ann.client.get("/customers/me/consents?limit=1").await.is(200);
    assert_eq!(items(&first)[0]["granted"], false);
    let next = first.text("/nextCursor");
    let second = ann.client.get(&format!("/customers/me/consents?cursor={next}")).await.is(200);
    assert_eq!((items(&second).len(), &items(&second)[0]["granted"]), (1, &json!(true)));
    staff.post(&path, say("world_domination", true)).await.is_problem(400, "VALIDATION_FAILED");
    let tx = world.tx().await;
    assert!(tx.execute("delete from customers.consent", &[]).await.is_err(), "a proof stays");
}

// CUS-1
#[tokio::test(flavor = "multi_thread")]
async fn the_staff_notes_things_with_author_and_time() {
    let world = World::open().await;
    let staff = world.staff("acme").await;
    let path = format!("/customers/{}/notes", world.customer("Ann").await);
    staff.post(&path, json!({ "text": "Prefers mornings" })).await.is(201);
    let made = staff.post(&path, json!({ "text": "Has a dog\nand a cat" })).await.is(201);
    assert_eq!((made.text("/author"), made.text("/createdAt")), ("operator", "2026-11-21T10:00:00Z"));
    let seen = staff.get(&path).await.is(200);
    assert_eq!(items(&seen)[0], made.json);
    assert_eq!(items(&seen).len(), 2);
    staff.post(&path, json!({ "text": " " })).await.is_problem(400, "VALIDATION_FAILED");
    world.staff("bolt").await.get(&path).await.is_problem(404, "CUSTOMER_NOT_FOUND");
}
