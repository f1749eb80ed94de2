//! Points for what others sell, read merchant by merchant (CUS-1).

use std::sync::Mutex;

use async_trait::async_trait;
use customers::{CustomerId, Purchase, Purchases, earn_purchases};
use db::{DbError, TenantTx};
use jiff::SignedDuration;
use serde_json::json;
use uuid::Uuid;

use crate::{
    loyalty::{activate, balance, rule},
    world::World,
};

/// What was sold, as the test says.
#[derive(Default)]
struct Book {
    written: Mutex<Vec<Purchase>>,
    /// How often somebody looked.
    reads: Mutex<usize>,
}

#[async_trait]
impl Purchases for Book {
    async fn list(
        &self,
        _: &TenantTx,
        after: Uuid,
        until: Uuid,
        take: i64,
    ) -> Result<Vec<Purchase>, DbError> {
        *self.reads.lock().unwrap() += 1;
        let written = self.written.lock().unwrap();
        let mut found: Vec<Purchase> =
            written.iter().filter(|one| after < one.id && one.id < until).cloned().collect();
        found.sort_by_key(|one| one.id);
        found.truncate(usize::try_from(take).unwrap());
        Ok(found)
    }
}

impl Book {
    /// Writes at the present moment of the test's clock.
    fn write(
        &self,
        world: &World,
        customer: CustomerId,
        reference: &str,
        gross: i64,
        original: Option<&str>,
    ) {
        let now = world.app.clock.now();
        let ms = u128::try_from(now.as_millisecond()).unwrap();
        let mut written = self.written.lock().unwrap();
        let id = Uuid::from_u128((ms << 80) + 1 + written.len() as u128);
        let (reference, original) = (reference.to_owned(), original.map(str::to_owned));
        written.push(Purchase { id, reference, customer, gross, original, occurred_at: now });
    }
}

/// Reads on after everything has settled.
async fn read(world: &World, book: &Book) -> usize {
    world.later(SignedDuration::from_mins(5));
    earn_purchases(&world.app.parts.db, &world.ctx().await, book).await.unwrap()
}

// CUS-1
#[tokio::test(flavor = "multi_thread")]
async fn what_known_customers_buy_earns_and_what_comes_back_is_taken_back_to_the_point() {
    let world = World::open().await;
    let (book, ann) = (Book::default(), world.customer("Ann").await.parse().unwrap());
    activate(&world).await;
    book.write(&world, ann, "sale", 1_050, None);
    assert_eq!((read(&world, &book).await, balance(&world, ann).await), (1, 10));
    assert_eq!((read(&world, &book).await, balance(&world, ann).await), (0, 10));
    // In three pieces, each rounded up, but never more than was earned.
    book.write(&world, ann, "back 1", -450, Some("sale"));
    book.write(&world, ann, "back 2", -450, Some("sale"));
    assert_eq!((read(&world, &book).await, balance(&world, ann).await), (2, 0));
    book.write(&world, ann, "back 3", -150, Some("sale"));
    book.write(&world, ann, "back of nothing", -5_000, Some("never earned"));
    book.write(&world, CustomerId::new(), "nobody's", 5_000, None);
    assert_eq!((read(&world, &book).await, balance(&world, ann).await), (3, 0));
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_were_spent_go_back_with_the_goods_and_leave_a_debt() {
    let world = World::open().await;
    let (book, ann) = (Book::default(), world.customer("Ann").await.parse().unwrap());
    activate(&world).await;
    book.write(&world, ann, "sale", 5_000, None);
    read(&world, &book).await;
    let tx = world.tx().await;
    customers::burn(&tx, ann, 40, "order").await.unwrap();
    tx.commit().await.unwrap();
    book.write(&world, ann, "void", -5_000, Some("sale"));
    read(&world, &book).await;
    assert_eq!(balance(&world, ann).await, -40);
    let tx = world.tx().await;
    let refused = customers::burn(&tx, ann, 1, "more").await;
    assert!(matches!(refused, Err(customers::LoyaltyError::Insufficient(-40))));
    drop(tx);
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_without_an_active_rule_is_not_read_and_nothing_from_before_earns() {
    let world = World::open().await;
    let (book, ann) = (Book::default(), world.customer("Ann").await.parse().unwrap());
    book.write(&world, ann, "before", 5_000, None);
    assert_eq!(read(&world, &book).await, 0);
    let mut waiting = rule();
    waiting["active"] = json!(false);
    let staff = world.staff("acme").await;
    staff.put("/customers/loyalty-rule", waiting.clone()).await.is(200);
    assert_eq!(read(&world, &book).await, 0);
    assert_eq!(*book.reads.lock().unwrap(), 0);
    activate(&world).await;
    // A till that was offline reports late what was sold before.
    book.write(&world, ann, "offline", 5_000, None);
    book.written.lock().unwrap()[1].occurred_at -= SignedDuration::from_hours(1);
    book.write(&world, ann, "since", 700, None);
    read(&world, &book).await;
    assert_eq!(balance(&world, ann).await, 7);
    staff.put("/customers/loyalty-rule", waiting).await.is(200);
    book.write(&world, ann, "in between", 5_000, None);
    world.later(SignedDuration::from_mins(5));
    activate(&world).await;
    read(&world, &book).await;
    assert_eq!(balance(&world, ann).await, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_settled_waits_and_many_are_read_in_batches() {
    let world = World::open().await;
    let (book, ann) = (Book::default(), world.customer("Ann").await.parse().unwrap());
    activate(&world).await;
    for n in 0..450 {
        book.write(&world, ann, &format!("sale {n}"), 100, None);
    }
    let none = earn_purchases(&world.app.parts.db, &world.ctx().await, &book).await.unwrap();
    assert_eq!(none, 0, "a transaction from before may still be writing");
    assert_eq!((read(&world, &book).await, balance(&world, ann).await), (450, 450));
    assert_eq!(*book.reads.lock().unwrap(), 3);
    world.holds().await;
}
