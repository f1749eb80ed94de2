//! What a payment may become, and what it may not.

use payments::{Outcome, PaymentState, find_history};
use serde_json::json;

use crate::fixture::{Fixture, new_payment};

fn succeeded() -> Outcome {
    Outcome::Succeeded { provider_ref: "ref".to_owned() }
}

fn declined() -> Outcome {
    Outcome::Declined { code: "no".to_owned(), detail: "No.\0".repeat(300) }
}

fn unknown() -> Outcome {
    Outcome::Unknown { detail: "?".to_owned() }
}

fn action() -> Outcome {
    Outcome::RequiresAction { provider_ref: "ref".to_owned(), action: json!({ "type": "confirm" }) }
}

// PAY-2
#[tokio::test]
async fn payments_move_to_their_outcome_once_and_success_is_never_left() {
    use PaymentState::{Cancelled, Failed, RequiresAction, Succeeded, Unknown};
    let shop = Fixture::new().await;
    let steps: [(&[Outcome], &[PaymentState]); 7] = [
        (&[unknown(), unknown(), succeeded(), declined()], &[Unknown, Unknown, Succeeded, Succeeded]),
        (&[action(), unknown(), declined(), unknown()], &[RequiresAction, RequiresAction, Failed, Failed]),
        (&[unknown(), action(), Outcome::Cancelled], &[Unknown, RequiresAction, Cancelled]),
        (&[declined(), succeeded()], &[Failed, Succeeded]),
        (&[Outcome::Cancelled, declined(), succeeded()], &[Cancelled, Cancelled, Succeeded]),
        (&[succeeded(), Outcome::Cancelled, action()], &[Succeeded, Succeeded, Succeeded]),
        (&[declined(), action(), Outcome::Cancelled], &[Failed, Failed, Failed]),
    ];
    for (outcomes, states) in steps {
        let order = shop.open("card_approved").await;
        let mut was = PaymentState::Pending;
        for (outcome, state) in outcomes.iter().zip(states) {
            let settled = shop.settle(order.payment, outcome.clone()).await;
            assert_eq!((settled.was, settled.state, settled.changed), (was, *state, was != *state));
            was = *state;
        }
        let payment = shop.payment(order.payment).await;
        assert_eq!(payment.captured, if payment.state == Succeeded { 1000 } else { 0 });
        assert_eq!(payment.next_check_at.is_none(), payment.state.is_settled());
    }
    let mut wrong = shop.invariants().await;
    wrong.retain(|violation| violation.invariant != "payments_match_test_ledger");
    assert_eq!(wrong, []);
}

// PAY-2
#[tokio::test]
async fn the_history_tells_every_step_with_its_source_and_late_money_is_reported() {
    let shop = Fixture::new().await;
    let order = shop.open("card_approved").await;
    shop.settle(order.payment, declined()).await;
    let late = shop.settle(order.payment, succeeded()).await;
    assert_eq!((late.changed, late.was), (true, PaymentState::Failed));
    assert_eq!((late.purpose.as_deref(), late.owner.as_deref()), (Some("chk_1"), Some("cus_1")));
    let tx = shop.begin().await;
    let history = find_history(&tx, order.payment).await.unwrap();
    let steps: Vec<_> = history.iter().map(|step| (&*step.from, &*step.to, &*step.source)).collect();
    assert_eq!(steps, [("pending", "failed", "checkout"), ("failed", "succeeded", "checkout")]);
    assert_eq!(shop.published("PaymentSucceeded").await, 1);
}

// PAY-2
#[tokio::test]
async fn opening_again_changes_nothing_and_many_settle_in_one_statement() {
    let shop = Fixture::new().await;
    let (one, two) = (shop.open("card_approved").await, shop.open("card_declined").await);
    shop.settle(one.payment, succeeded()).await;
    let tx = shop.begin().await;
    let again = [new_payment(&one), new_payment(&two)];
    tx.run(payments::open_payments_stmt(tx.ctx(), &again)).await.unwrap();
    let settlement =
        |payment, outcome| payments::Settlement { payment, outcome, source: payments::Source::Webhook };
    let missing = payments::PaymentId::new();
    let all = [
        settlement(two.payment, declined()),
        settlement(missing, succeeded()),
        settlement(one.payment, declined()),
    ];
    let settled = payments::settle(&tx, &all).await.unwrap();
    tx.commit().await.unwrap();
    let found: Vec<_> = settled.iter().map(|it| (it.payment, it.state, it.changed)).collect();
    let (succeeded, failed) = (PaymentState::Succeeded, PaymentState::Failed);
    assert_eq!(found, [(one.payment, succeeded, false), (two.payment, failed, true)]);
}
