//! Every card of the test provider, and the promise never to charge twice.

use std::sync::Arc;

use futures::future::join_all;
use payments::{Outcome, PaymentState};

use crate::fixture::Fixture;

// PAY-1
#[tokio::test]
async fn an_approved_card_is_charged_and_a_declined_one_is_not() {
    let shop = Fixture::new().await;
    let paid = shop.pay("card_approved").await;
    assert_eq!((paid.state, paid.changed), (PaymentState::Succeeded, true));
    let refused = shop.pay("card_declined").await;
    assert_eq!(
        (refused.state, refused.failure_code.as_deref()),
        (PaymentState::Failed, Some("card_declined"))
    );
    assert_eq!(shop.ledger_total().await, 1000);
    let payment = shop.payment(paid.payment).await;
    assert_eq!((payment.captured, payment.settled_at), (1000, Some(shop.now)));
    assert_eq!(shop.published("PaymentSucceeded").await, 1);
    assert_eq!(shop.published("PaymentFailed").await, 1);
    assert_eq!(shop.invariants().await, []);
}

// PAY-1: fails after charging.
#[tokio::test]
async fn a_lost_reply_is_found_out_at_once() {
    let shop = Fixture::new().await;
    let order = shop.open("card_lost_reply").await;
    let outcome = shop.charge(&order).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    shop.settle(order.payment, outcome).await;
    assert_eq!(shop.ledger_total().await, 1000);
    assert_eq!(shop.invariants().await, []);
}

// PAY-1
#[tokio::test]
async fn silence_is_an_unknown_outcome_and_giving_up_makes_a_late_charge_impossible() {
    let shop = Fixture::new().await;
    let mut order = shop.open("card_timeout").await;
    let outcome = shop.charge(&order).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(shop.settle(order.payment, outcome).await.state, PaymentState::Unknown);
    let given_up = shop.payments.cancel(&shop.ctx(), &order, None).await;
    assert_eq!(given_up, payments::Cancelled::Cancelled);
    // The request that was thought lost arrives after all.
    order.method = "card_approved".to_owned();
    assert_eq!(shop.charge(&order).await, Outcome::Cancelled);
    assert_eq!(shop.settle(order.payment, Outcome::Cancelled).await.state, PaymentState::Cancelled);
    assert_eq!(shop.ledger_total().await, 0);
    assert_eq!(shop.invariants().await, []);
}

// PAY-1
#[tokio::test]
async fn a_card_that_wants_confirmation_waits_for_it_and_can_be_given_up() {
    let shop = Fixture::new().await;
    let order = shop.open("card_confirm").await;
    let outcome = shop.charge(&order).await;
    let Outcome::RequiresAction { action, .. } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(action["url"], format!("/api/v1/payments/{}/confirm", order.payment));
    assert_eq!(shop.settle(order.payment, outcome).await.state, PaymentState::RequiresAction);
    assert_eq!(shop.ledger_total().await, 0);
    assert_eq!(shop.payments.cancel(&shop.ctx(), &order, None).await, payments::Cancelled::Cancelled);
    assert_eq!(shop.charge(&order).await, Outcome::Cancelled);
    let paid = shop.open("card_approved").await;
    shop.charge(&paid).await;
    let late = shop.payments.cancel(&shop.ctx(), &paid, None).await;
    assert!(matches!(late, payments::Cancelled::AlreadySucceeded { .. }), "{late:?}");
}

// PAY-1: never charged twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_charges_with_one_key_take_the_money_once() {
    let shop = Arc::new(Fixture::new().await);
    let order = shop.open("card_approved").await;
    let outcomes = join_all((0..50).map(|_| shop.charge(&order))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
    assert_eq!(shop.ledger_total().await, 1000);
    let settled = join_all(outcomes.into_iter().map(|outcome| shop.settle(order.payment, outcome))).await;
    assert_eq!(settled.iter().filter(|settled| settled.changed).count(), 1);
    assert!(settled.iter().all(|settled| settled.state == PaymentState::Succeeded));
    assert_eq!(shop.published("PaymentSucceeded").await, 1);
    assert_eq!(shop.invariants().await, []);
}

// PAY-1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn merchants_that_charge_at_once_keep_their_ledgers_apart() {
    let acme = Fixture::new().await;
    let other = acme.neighbour("other");
    let mine = join_all((0..20).map(|_| acme.pay("card_approved"))).await;
    let (a, b) = tokio::join!(
        join_all((0..20).map(|_| acme.pay("card_approved"))),
        join_all((0..20).map(|_| other.pay("card_approved"))),
    );
    assert!(mine.iter().chain(&a).chain(&b).all(|paid| paid.changed));
    assert_eq!((acme.ledger_total().await, other.ledger_total().await), (40_000, 20_000));
    let stolen = other.begin().await;
    assert_eq!(payments::find_payment(&stolen, mine[0].payment).await.unwrap(), None);
}
