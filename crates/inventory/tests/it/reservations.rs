//! The life of a reservation.

use std::time::Duration;

use inventory::{
    CloseReservationError, MovementFilter, Reason, ReservationId, ReservationState, ReserveStock,
    ReserveStockError,
};

use crate::fixture::{BREAD, Fixture, MILK};

// INV-1
#[tokio::test]
async fn all_lines_are_held_or_none() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 5).await;
    fixture.restock(1, MILK, 1).await;
    let lines = vec![fixture.hold_line(0, BREAD, 2), fixture.hold_line(1, MILK, 2)];
    let input = ReserveStock { reference: None, hold_for: Duration::from_secs(900), lines };
    let tx = fixture.begin().await;
    let refused = inventory::reserve_stock(&tx, input).await;
    let Err(ReserveStockError::OutOfStock(short)) = refused else { panic!("{refused:?}") };
    assert_eq!((short.len(), short[0].line, short[0].left), (1, 1, 1000));
    // Nothing was written, so even a commit keeps nothing.
    tx.commit().await.unwrap();
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (5, 0));
    assert_eq!(fixture.published("StockReserved").await, 0);
    assert_eq!(fixture.invariants().await, []);
}

// INV-1, INV-3
#[tokio::test]
async fn confirming_takes_the_units_from_the_shelf_once_with_a_movement_per_line() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 5).await;
    fixture.restock(1, MILK, 5).await;
    let lines =
        vec![fixture.hold_line(1, MILK, 1), fixture.hold_line(0, BREAD, 1), fixture.hold_line(0, BREAD, 1)];
    let id = fixture.reserve(lines, 900).await.unwrap();
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (5, 2));
    fixture.confirm(id).await.unwrap();
    fixture.confirm(id).await.unwrap();
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (3, 0));
    assert_eq!(fixture.on_hand_and_reserved(1, MILK).await, (4, 0));
    let tx = fixture.begin().await;
    let confirmed = MovementFilter { reason: Some(Reason::Confirmed), ..MovementFilter::default() };
    let book = inventory::list_movements(&tx, &confirmed, None, 10).await.unwrap();
    assert_eq!(book.len(), 2);
    assert!(book.iter().all(|row| row.reference == Some(id.0) && row.occurred_at == fixture.now));
    assert!(book.iter().all(|row| row.id.0.get_version_num() == 7));
    for (kind, count) in [("StockReserved", 1), ("StockConfirmed", 1), ("StockReleased", 0)] {
        assert_eq!(fixture.published(kind).await, count, "{kind}");
    }
    assert_eq!(fixture.invariants().await, []);
}

// INV-1
#[tokio::test]
async fn releasing_gives_the_units_back_once_and_what_was_released_cannot_be_confirmed() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 5).await;
    let id = fixture.reserve(vec![fixture.hold_line(0, BREAD, 5)], 900).await.unwrap();
    fixture.release(id).await.unwrap();
    fixture.release(id).await.unwrap();
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (5, 0));
    assert_eq!(fixture.published("StockReleased").await, 1);
    let refused = fixture.confirm(id).await;
    assert!(matches!(refused, Err(CloseReservationError::Closed(ReservationState::Released))), "{refused:?}");
    let confirmed = fixture.reserve(vec![fixture.hold_line(0, BREAD, 5)], 900).await.unwrap();
    fixture.confirm(confirmed).await.unwrap();
    let refused = fixture.release(confirmed).await;
    assert!(
        matches!(refused, Err(CloseReservationError::Closed(ReservationState::Confirmed))),
        "{refused:?}"
    );
    assert_eq!(fixture.invariants().await, []);
}

// INV-2
#[tokio::test]
async fn a_reservation_expires_at_its_time_and_not_before_and_its_units_can_be_had_again() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 1).await;
    let id = fixture.reserve(vec![fixture.hold_line(0, BREAD, 1)], 900).await.unwrap();
    assert_eq!(fixture.later(899).expire().await, 0);
    assert!(fixture.later(899).reserve(vec![fixture.hold_line(0, BREAD, 1)], 900).await.is_none());
    let late = fixture.later(900);
    // Too late to confirm, whether or not the job has run.
    let refused = late.confirm(id).await;
    assert!(matches!(refused, Err(CloseReservationError::Overdue)), "{refused:?}");
    assert_eq!(late.expire().await, 1);
    assert_eq!(late.expire().await, 0);
    let refused = late.confirm(id).await;
    assert!(matches!(refused, Err(CloseReservationError::Overdue)), "{refused:?}");
    late.release(id).await.unwrap();
    assert_eq!(fixture.published("StockReleased").await, 1);
    let again = late.reserve(vec![fixture.hold_line(0, BREAD, 1)], 900).await.unwrap();
    late.confirm(again).await.unwrap();
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (0, 0));
    assert_eq!(fixture.invariants().await, []);
}

// INV-1
#[tokio::test]
async fn a_shelf_that_nobody_counted_holds_nothing_for_checkouts() {
    let fixture = Fixture::new().await;
    let lines = vec![fixture.hold_line(0, BREAD, 1)];
    assert!(fixture.reserve(lines.clone(), 900).await.is_none());
    assert!(fixture.sell(&[(0, BREAD, 1)]).await);
    assert!(fixture.reserve(lines, 900).await.is_none());
}

// INV-1
#[tokio::test]
async fn unknown_skus_shops_and_reservations_are_told_apart_from_missing_stock() {
    let fixture = Fixture::new().await;
    let lines = vec![fixture.hold_line(0, "UNKNOWN-1", 1)];
    let input = ReserveStock { reference: None, hold_for: Duration::from_secs(900), lines };
    let tx = fixture.begin().await;
    let refused = inventory::reserve_stock(&tx, input).await;
    assert!(matches!(refused, Err(ReserveStockError::Unknown(_))), "{refused:?}");
    drop(tx);
    let refused = fixture.confirm(ReservationId::new()).await;
    assert!(matches!(refused, Err(CloseReservationError::NotFound)), "{refused:?}");
}

// INV-2
#[tokio::test]
async fn nobody_holds_units_for_longer_than_a_day() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 1).await;
    let id = fixture.reserve(vec![fixture.hold_line(0, BREAD, 1)], u64::MAX).await.unwrap();
    let tx = fixture.begin().await;
    let held = inventory::find_reservation(&tx, id).await.unwrap().unwrap();
    assert_eq!(held.expires_at, fixture.later(24 * 3600).now);
}

// INV-1: several reservations in one statement, as a combiner sends them.
#[tokio::test]
async fn a_batch_of_holds_is_granted_as_a_whole_or_not_at_all() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 3).await;
    let hold = |count| inventory::Hold {
        id: ReservationId::new(),
        reference: None,
        expires_at: fixture.later(900).now,
        lines: vec![fixture.hold_line(0, BREAD, count)],
    };
    let tx = fixture.begin().await;
    let run = async |holds: &[inventory::Hold]| {
        let rows = tx.run(inventory::hold_stmt(tx.ctx(), holds)).await.unwrap();
        inventory::decode_held(&rows).unwrap()
    };
    let refused = run(&[hold(2), hold(2)]).await;
    assert!(!refused[0].granted && refused[0].is_short() && refused[0].wanted == 4000);
    let granted = run(&[hold(2), hold(1)]).await;
    assert!(granted[0].granted && granted[0].applied.level.reserved == 3000);
    assert_eq!(inventory::invariants(&tx).await.unwrap(), []);
}

// INV-2, MSG-6: what the job does for one tenant.
#[tokio::test]
async fn a_great_many_due_reservations_are_expired_in_transactions_of_bounded_size() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 500).await;
    let hold = |_| inventory::Hold {
        id: ReservationId::new(),
        reference: None,
        expires_at: fixture.later(60).now,
        lines: vec![fixture.hold_line(0, BREAD, 1)],
    };
    let holds: Vec<inventory::Hold> = (0..450).map(hold).collect();
    let tx = fixture.begin().await;
    tx.run(inventory::hold_stmt(tx.ctx(), &holds)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (500, 450));
    let late = fixture.later(60).ctx();
    assert_eq!(inventory::expire_due(&fixture.db, &late).await.unwrap(), 450);
    assert_eq!(inventory::expire_due(&fixture.db, &late).await.unwrap(), 0);
    assert_eq!(fixture.on_hand_and_reserved(0, BREAD).await, (500, 0));
    assert_eq!(fixture.published("StockReleased").await, 450);
    assert_eq!(fixture.invariants().await, []);
}
