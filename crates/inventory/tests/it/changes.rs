//! Restocks, adjustments, transfers and counts.

use inventory::{
    AdjustReason, AdjustStock, ChangeStockError, CountStock, Restock, Target, TransferStock, UnknownTarget,
};

use crate::fixture::{BREAD, Fixture, MILK, units};

// INV-1
#[tokio::test]
async fn goods_arrive_are_adjusted_sent_and_counted_and_the_book_adds_up() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 10).await;
    let tx = fixture.begin().await;
    let damaged = AdjustStock {
        reason: AdjustReason::Damaged,
        lines: vec![fixture.line(0, BREAD, -2)],
        note: Some("fell off the shelf".to_owned()),
    };
    inventory::adjust_stock(&tx, damaged).await.unwrap();
    let [from, to] = fixture.shops;
    let lines = vec![(BREAD.to_owned(), units(3))];
    let (_, levels) =
        inventory::transfer_stock(&tx, TransferStock { from, to, lines, note: None }).await.unwrap();
    assert_eq!(levels.len(), 2);
    let counted = CountStock { lines: vec![fixture.line(0, BREAD, 4)], note: None };
    inventory::count_stock(&tx, counted).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (4, 0));
    assert_eq!(fixture.on_hand_and_reserved(1, BREAD).await, (3, 0));
    assert_eq!(fixture.invariants().await, []);
}

// INV-1
#[tokio::test]
async fn a_transfer_of_more_than_is_available_moves_nothing_at_either_end() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 5).await;
    fixture.restock(0, MILK, 1).await;
    let [from, to] = fixture.shops;
    let lines = vec![(BREAD.to_owned(), units(2)), (MILK.to_owned(), units(2))];
    let tx = fixture.begin().await;
    let refused = inventory::transfer_stock(&tx, TransferStock { from, to, lines, note: None }).await;
    let Err(ChangeStockError::OutOfStock(short)) = refused else { panic!("{refused:?}") };
    assert_eq!((short.len(), short[0].line, short[0].left), (1, 1, 1000));
    drop(tx);
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (5, 0));
    assert_eq!(fixture.level(1, BREAD).await, None);
    assert_eq!(fixture.invariants().await, []);
}

// INV-1
#[tokio::test]
async fn sending_goods_from_a_shop_to_itself_is_refused() {
    let fixture = Fixture::new().await;
    let [from, _] = fixture.shops;
    let lines = vec![(BREAD.to_owned(), units(1))];
    let tx = fixture.begin().await;
    let refused = inventory::transfer_stock(&tx, TransferStock { from, to: from, lines, note: None }).await;
    assert!(matches!(refused, Err(ChangeStockError::SameShop)), "{refused:?}");
}

// INV-1, HTTP-8
#[tokio::test]
async fn unknown_shops_and_skus_are_named_by_line_and_nothing_is_written() {
    let fixture = Fixture::new().await;
    let mut lines =
        vec![fixture.line(0, BREAD, 1), fixture.line(0, "UNKNOWN-1", 1), fixture.line(1, MILK, 1)];
    lines[2].shop = inventory::ShopId::new();
    let tx = fixture.begin().await;
    let refused = inventory::restock(&tx, Restock { lines, note: None }).await;
    let Err(ChangeStockError::Unknown(unknown)) = refused else { panic!("{refused:?}") };
    assert_eq!(
        unknown,
        [UnknownTarget { line: 1, target: Target::Sku }, UnknownTarget { line: 2, target: Target::Shop }]
    );
    drop(tx);
    assert_eq!(fixture.level(0, BREAD).await, None);
}

// INV-1
#[tokio::test]
async fn a_count_is_the_truth_even_when_more_is_reserved_than_was_found() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 10).await;
    fixture.reserve(vec![fixture.hold_line(0, BREAD, 8)], 900).await.unwrap();
    let tx = fixture.begin().await;
    let count = CountStock { lines: vec![fixture.line(0, BREAD, 5)], note: None };
    let levels = inventory::count_stock(&tx, count).await.unwrap();
    assert_eq!(levels[0].level.available(), -3000);
    tx.commit().await.unwrap();
    assert!(!fixture.sell(&[(0, BREAD, 1)]).await);
    assert_eq!(fixture.invariants().await, []);
}

// INV-1
#[tokio::test]
async fn counting_what_the_book_says_leaves_no_movement_but_the_shelf_is_tracked_from_then_on() {
    let fixture = Fixture::new().await;
    let tx = fixture.begin().await;
    let count = CountStock { lines: vec![fixture.line(0, BREAD, 0)], note: None };
    let levels = inventory::count_stock(&tx, count).await.unwrap();
    assert!(levels[0].level.tracked);
    let book = inventory::list_movements(&tx, &Default::default(), None, 10).await.unwrap();
    assert!(book.is_empty());
    tx.commit().await.unwrap();
    assert!(!fixture.sell(&[(0, BREAD, 1)]).await);
}

// INV-1
#[tokio::test]
async fn counting_one_shelf_twice_in_one_request_is_refused() {
    let fixture = Fixture::new().await;
    let tx = fixture.begin().await;
    let lines = vec![fixture.line(0, BREAD, 1), fixture.line(0, MILK, 1), fixture.line(0, BREAD, 2)];
    let refused = inventory::count_stock(&tx, CountStock { lines, note: None }).await;
    assert!(matches!(refused, Err(ChangeStockError::Duplicate { line: 2 })), "{refused:?}");
}

// INV-1, HTTP-8
#[tokio::test]
async fn absurd_levels_are_refused_and_not_a_server_error() {
    let fixture = Fixture::new().await;
    let tx = fixture.begin().await;
    let lines = (0..1001).map(|_| fixture.line(0, BREAD, 1_000_000_000)).collect();
    let refused = inventory::restock(&tx, Restock { lines, note: None }).await;
    assert!(matches!(refused, Err(ChangeStockError::OutOfRange)), "{refused:?}");
}
