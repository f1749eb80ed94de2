//! Many at once: never oversold, never given back twice, never stuck.

use std::sync::Arc;

use crate::fixture::{BREAD, Fixture, MILK, SKUS, is_conflict};

// INV-2
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_reservations_racing_for_the_last_unit_one_gets_it() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 1).await;
    for _ in 0..20 {
        let line = || vec![fixture.hold_line(0, BREAD, 1)];
        let (one, other) = tokio::join!(fixture.reserve(line(), 900), fixture.reserve(line(), 900));
        let winner = one.xor(other).expect("exactly one");
        fixture.release(winner).await.unwrap();
    }
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (1, 0));
    assert_eq!(fixture.invariants().await, []);
}

// INV-2: some want to hold it, some to sell it at the till.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_who_want_the_last_unit_one_gets_it() {
    let fixture = Arc::new(Fixture::new().await);
    fixture.restock(0, BREAD, 1).await;
    let tasks = (0..100).map(|number| {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            if number % 2 == 0 {
                fixture.reserve(vec![fixture.hold_line(0, BREAD, 1)], 900).await.is_some()
            } else {
                fixture.sell(&[(0, BREAD, 1)]).await
            }
        })
    });
    let mut winners = 0;
    for task in tasks.collect::<Vec<_>>() {
        winners += usize::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
    let (on_hand, reserved) = fixture.on_hand_and_reserved(0, BREAD).await;
    assert_eq!(on_hand - reserved, 0);
    assert_eq!(fixture.invariants().await, []);
}

// INV-2
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn carts_with_the_same_lines_in_opposite_order_never_deadlock() {
    let fixture = Arc::new(Fixture::new().await);
    for sku in SKUS {
        fixture.restock(0, sku, 1000).await;
        fixture.restock(1, sku, 1000).await;
    }
    let tasks = (0..40).map(|number| {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            let mut lines: Vec<(usize, &str, i64)> =
                SKUS.iter().flat_map(|sku| [(0, *sku, 1), (1, *sku, 1)]).collect();
            if number % 2 == 0 {
                lines.reverse();
            }
            for _ in 0..5 {
                // Any deadlock would fail the statement with a conflict, and the fixture panics on it.
                let hold = lines.iter().map(|(shop, sku, count)| fixture.hold_line(*shop, sku, *count));
                let id = fixture.reserve(hold.collect(), 900).await.unwrap();
                assert!(fixture.sell(&lines).await);
                if number % 3 == 0 {
                    fixture.confirm(id).await.unwrap();
                } else {
                    fixture.release(id).await.unwrap();
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    // 40 tasks sold five times, and every third confirmed five more.
    assert_eq!(fixture.on_hand_and_reserved(1, MILK).await, (1000 - 200 - 14 * 5, 0));
    assert_eq!(fixture.invariants().await, []);
}

// INV-2
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn expiry_racing_confirmation_and_release_ends_each_reservation_exactly_once() {
    let fixture = Arc::new(Fixture::new().await);
    fixture.restock(0, BREAD, 500).await;
    let (mut held, mut confirmed) = (0, 0);
    for round in 0..30 {
        let id = fixture.reserve(vec![fixture.hold_line(0, BREAD, 1)], 900).await.unwrap();
        held += 1;
        // Each acts by its own clock: the confirmation came in just in time, the jobs run just after.
        let (early, late) = (fixture.later(899), fixture.later(901));
        let release = async { if round % 3 == 0 { early.release(id).await.is_ok() } else { false } };
        let (confirm, released, one, two) =
            tokio::join!(early.confirm(id), release, late.expire(), late.expire());
        if let Err(error) = &confirm {
            assert!(!is_conflict(error), "{error}");
        }
        let ends = usize::from(confirm.is_ok()) + one + two;
        assert!(ends <= 1 && (ends == 1 || released), "confirmed {confirm:?}, expired {one} and {two}");
        confirmed += i64::from(confirm.is_ok());
    }
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (500 - confirmed, 0));
    let ended = fixture.published("StockConfirmed").await + fixture.published("StockReleased").await;
    assert_eq!(ended, held);
    assert_eq!(fixture.invariants().await, []);
}

// INV-1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counts_racing_sales_leave_the_book_and_the_shelf_in_agreement() {
    let fixture = Arc::new(Fixture::new().await);
    let tasks = (0..40).map(|number| {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            if number % 4 == 0 {
                let tx = fixture.begin().await;
                let lines = vec![fixture.line(0, BREAD, 50), fixture.line(1, MILK, 50)];
                let count = inventory::CountStock { lines, note: None };
                inventory::count_stock(&tx, count).await.unwrap();
                tx.commit().await.unwrap();
            } else {
                fixture.sell(&[(1, MILK, 1), (0, BREAD, 1)]).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(fixture.invariants().await, []);
}
