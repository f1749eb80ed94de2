//! The book of stock and the hot path into it.

use inventory::{Guard, Movement, MovementFilter, Reason};
use kernel::Quantity;

use crate::fixture::{BREAD, Fixture, MILK, units};

// INV-1
#[tokio::test]
async fn an_untracked_shelf_is_sold_below_zero_a_tracked_one_is_not() {
    let fixture = Fixture::new().await;
    assert!(fixture.sell(&[(0, BREAD, 2)]).await);
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (-2, 0));
    fixture.restock(0, BREAD, 5).await;
    assert!(fixture.sell(&[(0, BREAD, 3)]).await);
    assert!(!fixture.sell(&[(0, BREAD, 1)]).await);
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (0, 0));
    assert_eq!(fixture.invariants().await, []);
}

// INV-2
#[tokio::test]
async fn what_is_reserved_cannot_be_sold_to_somebody_else() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 3).await;
    fixture.reserve(vec![fixture.hold_line(0, BREAD, 2)], 900).await.unwrap();
    assert!(!fixture.sell(&[(0, BREAD, 2)]).await);
    assert!(fixture.sell(&[(0, BREAD, 1)]).await);
}

// INV-1
#[tokio::test]
async fn lines_of_one_sku_are_judged_by_their_sum_and_a_refusal_is_told_by_the_missing_row() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 3).await;
    fixture.restock(0, MILK, 3).await;
    let tx = fixture.begin().await;
    let movements = [fixture.sold(0, BREAD, 2), fixture.sold(0, MILK, 1), fixture.sold(0, BREAD, 2)];
    let applied = inventory::post_movements(&tx, &movements, Guard::Refuse).await.unwrap();
    let skus: Vec<&str> = applied.iter().map(|change| change.level.sku.as_str()).collect();
    assert_eq!(skus, [MILK]);
    // What was applied agrees with the book even before anybody rolls back.
    assert_eq!(inventory::invariants(&tx).await.unwrap(), []);
    drop(tx);
    let movements = [fixture.sold(0, BREAD, 2), fixture.sold(0, BREAD, 1)];
    let tx = fixture.begin().await;
    let applied = inventory::post_movements(&tx, &movements, Guard::Refuse).await.unwrap();
    assert_eq!(applied[0].level.on_hand, 0);
}

// INV-1
#[tokio::test]
async fn history_and_voids_are_never_refused_and_restocks_heal_a_shelf_that_is_below_zero() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 1).await;
    let tx = fixture.begin().await;
    let applied = inventory::post_movements(&tx, &[fixture.sold(0, BREAD, 5)], Guard::Allow).await.unwrap();
    assert_eq!(applied[0].level.on_hand, -4000);
    let back = Movement { quantity: units(1), reason: Reason::Refund, ..fixture.sold(0, BREAD, 1) };
    let applied = inventory::post_movements(&tx, &[back], Guard::Refuse).await.unwrap();
    assert_eq!(applied[0].level.on_hand, -3000);
    assert_eq!(inventory::invariants(&tx).await.unwrap(), []);
}

// INV-1, HTTP-5
#[tokio::test]
async fn the_book_is_listed_latest_first_page_by_page_and_narrowed_by_every_filter() {
    let fixture = Fixture::new().await;
    let tx = fixture.begin().await;
    let mut movements = Vec::new();
    for hour in 0..10 {
        let at = fixture.later(-3600 * hour);
        let sku = if hour % 2 == 0 { BREAD } else { MILK };
        let shop = usize::from(hour % 3 == 0);
        movements.push(Movement {
            quantity: Quantity::from_thousandths(-450 - hour).unwrap(),
            ..at.sold(shop, sku, 1)
        });
    }
    inventory::post_movements(&tx, &movements, Guard::Allow).await.unwrap();
    let list = async |filter: &MovementFilter, before, limit| {
        inventory::list_movements(&tx, filter, before, limit).await.unwrap()
    };
    let all = list(&MovementFilter::default(), None, 100).await;
    let quantities: Vec<i64> = all.iter().map(|row| row.quantity).collect();
    assert_eq!(quantities, (0..10).map(|hour| -450 - hour).collect::<Vec<_>>());
    let first = list(&MovementFilter::default(), None, 4).await;
    let rest = list(&MovementFilter::default(), Some(first[3].id), 100).await;
    assert_eq!([first, rest].concat(), all);
    let bread = MovementFilter { sku: Some(BREAD.to_owned()), ..MovementFilter::default() };
    assert_eq!(list(&bread, None, 100).await.len(), 5);
    let shop = MovementFilter { shop: Some(fixture.shops[1]), ..bread.clone() };
    assert_eq!(list(&shop, None, 100).await.len(), 2);
    let hours = |from, to| (Some(fixture.later(from).now), Some(fixture.later(to).now));
    let (from, to) = hours(-3600 * 4, -3600 * 2);
    let window = MovementFilter { from, to, ..MovementFilter::default() };
    let found: Vec<i64> = list(&window, None, 100).await.iter().map(|row| row.quantity).collect();
    assert_eq!(found, [-453, -454]);
    let window = MovementFilter { sku: Some(BREAD.to_owned()), from, to, ..MovementFilter::default() };
    assert_eq!(list(&window, None, 100).await.len(), 1);
    let of = |reason| MovementFilter { reason: Some(reason), ..MovementFilter::default() };
    assert!(list(&of(Reason::Restock), None, 100).await.is_empty());
    assert_eq!(list(&of(Reason::Sale), None, 100).await, all);
    let restock = Movement { reason: Reason::Restock, ..movements[3].clone() };
    inventory::post_movements(&tx, &[restock], Guard::Allow).await.unwrap();
    let found: Vec<i64> =
        list(&of(Reason::Restock), None, 100).await.iter().map(|row| row.quantity).collect();
    assert_eq!(found, [-453]);
}

// INV-1
#[tokio::test]
async fn the_book_cannot_be_rewritten_by_the_application() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 1).await;
    for sql in ["update inventory.movement set quantity = 5", "delete from inventory.movement"] {
        let tx = fixture.begin().await;
        let refused = tx.execute(sql, &[]).await;
        assert!(matches!(refused, Err(db::DbError::Forbidden(_))), "{refused:?}");
    }
}

// SAL-12
#[tokio::test]
async fn a_level_that_was_tampered_with_is_named_with_its_figures() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 3).await;
    let tx = fixture.begin().await;
    tx.execute("update inventory.stock set on_hand = 7000, reserved = 500", &[]).await.unwrap();
    let found = inventory::invariants(&tx).await.unwrap();
    let named: Vec<_> = found.iter().map(|one| (one.invariant, one.detail.as_str())).collect();
    assert_eq!(
        named,
        [
            ("stock_equals_movements", "expected 3, found 7"),
            ("reserved_equals_open_reservations", "expected 0, found 0.500")
        ]
    );
    assert_eq!(found[0].subject, "shop S01, sku BREAD");
}
