//! Payments that nobody settled are found out.

use payments::{Outcome, PaymentState, Source};

use crate::fixture::Fixture;

// PAY-1: a crash between the charge and its settlement.
#[tokio::test]
async fn a_charge_that_nobody_settled_is_found_and_told_to_who_waits_for_it() {
    let shop = Fixture::new().await;
    let order = shop.open("card_approved").await;
    shop.charge(&order).await;
    assert_eq!(shop.later(59).reconcile().await, 0);
    let later = shop.later(60);
    assert_eq!(later.reconcile().await, 1);
    assert_eq!(shop.payment(order.payment).await.state, PaymentState::Succeeded);
    assert_eq!(shop.told(), [(order.payment, "chk_1".to_owned())]);
    assert_eq!(shop.later(3600).reconcile().await, 0);
    assert_eq!(shop.published("PaymentSucceeded").await, 1);
    assert_eq!(shop.invariants().await, []);
}

// PAY-1
#[tokio::test]
async fn a_charge_that_never_arrived_is_given_up_for_good() {
    let shop = Fixture::new().await;
    let mut order = shop.open("card_timeout").await;
    let outcome = shop.charge(&order).await;
    shop.settle(order.payment, outcome).await;
    assert_eq!(shop.later(60).reconcile().await, 1);
    assert_eq!(shop.payment(order.payment).await.state, PaymentState::Cancelled);
    order.method = "card_approved".to_owned();
    assert_eq!(shop.charge(&order).await, Outcome::Cancelled);
    assert_eq!(shop.published("PaymentFailed").await, 1);
    assert_eq!(shop.invariants().await, []);
}

// PAY-1
#[tokio::test]
async fn a_payer_who_never_confirms_is_waited_for_with_growing_pauses_for_a_day() {
    let shop = Fixture::new().await;
    let order = shop.open("card_confirm").await;
    let outcome = shop.charge(&order).await;
    shop.settle(order.payment, outcome).await;
    let mut asked = 0;
    for minute in 0..24 * 60 {
        asked += shop.later(minute * 60).reconcile().await;
        if minute < 24 * 60 - 1 {
            continue;
        }
        assert_eq!(shop.payment(order.payment).await.state, PaymentState::RequiresAction);
    }
    // After 1, 2, 4, 8 .. minutes, then every six hours.
    assert!((8..=13).contains(&asked), "{asked}");
    shop.later(31 * 3600).reconcile().await;
    assert_eq!(shop.payment(order.payment).await.state, PaymentState::Cancelled);
}

// PAY-1: a provider that is not there any more.
#[tokio::test]
async fn after_three_days_a_person_has_to_look_and_may_have_it_asked_again() {
    let shop = Fixture::new().await;
    let order = shop.open_with("gone", "x").await;
    let mut hours = 0;
    while shop.payment(order.payment).await.next_check_at.is_some() {
        shop.later(hours * 3600).reconcile().await;
        hours += 1;
        assert!(hours < 100);
    }
    assert!(hours > 72, "{hours}");
    let payment = shop.payment(order.payment).await;
    assert_eq!((payment.state, payment.needs_attention()), (PaymentState::Unknown, true));
    assert_eq!(shop.told().len(), 1);
    let checked = shop.payments.check(&shop.ctx(), order.payment, Source::Api).await.unwrap().unwrap();
    assert_eq!(checked.state, PaymentState::Unknown);
}

// PLT-2
#[tokio::test]
async fn one_merchants_job_does_not_touch_anothers_payments() {
    let shop = Fixture::new().await;
    let order = shop.open("card_approved").await;
    shop.charge(&order).await;
    assert_eq!(shop.neighbour("other").later(600).reconcile().await, 0);
    assert_eq!(shop.payment(order.payment).await.state, PaymentState::Pending);
}

impl Fixture {
    async fn reconcile(&self) -> usize {
        self.payments.reconcile_due(&self.ctx()).await.unwrap()
    }
}
