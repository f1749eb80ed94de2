//! Money that goes back: never more than was taken.

use std::sync::Arc;

use futures::future::join_all;
use kernel::{Currency, Money};
use payments::{PaymentId, RefundError, RefundId, RefundState, Source};

use crate::fixture::{Fixture, eur};

impl Fixture {
    async fn request(&self, payment: PaymentId, amount: Option<Money>) -> Result<RefundId, RefundError> {
        let tx = self.begin().await;
        let id = payments::request_refund(&tx, payment, amount, "came back", Source::Api).await?;
        tx.commit().await?;
        Ok(id)
    }

    async fn run(&self, id: RefundId) -> RefundState {
        self.payments.run_refund(&self.ctx(), id).await.unwrap().unwrap().state
    }
}

// PAY-2, PAY-3
#[tokio::test]
async fn refunds_go_back_in_pieces_up_to_what_was_taken() {
    let shop = Fixture::new().await;
    let paid = shop.pay("card_approved").await.payment;
    let first = shop.request(paid, Some(eur(300))).await.unwrap();
    assert_eq!(shop.payment(paid).await.refunding, 300);
    assert_eq!(shop.invariants().await, []);
    let beyond = shop.request(paid, Some(eur(701))).await;
    assert!(matches!(beyond, Err(RefundError::Exceeds { left }) if left == eur(700)), "{beyond:?}");
    assert_eq!(shop.run(first).await, RefundState::Succeeded);
    assert_eq!(shop.run(first).await, RefundState::Succeeded);
    let rest = shop.request(paid, None).await.unwrap();
    assert_eq!(shop.run(rest).await, RefundState::Succeeded);
    let payment = shop.payment(paid).await;
    assert_eq!((payment.refunded, payment.refunding), (1000, 0));
    assert!(matches!(shop.request(paid, None).await, Err(RefundError::Exceeds { left }) if left == eur(0)));
    assert_eq!(shop.ledger_total().await, 0);
    assert_eq!(shop.published("RefundProcessed").await, 2);
    assert_eq!(shop.invariants().await, []);
}

// PAY-3: two refunds racing never exceed the capture.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_refunds_racing_only_as_many_are_promised_as_the_payment_covers() {
    let shop = Arc::new(Fixture::new().await);
    let paid = shop.pay("card_approved").await.payment;
    let tasks = (0..50).map(|_| {
        let shop = shop.clone();
        tokio::spawn(async move {
            let id = shop.request(paid, Some(eur(300))).await.ok()?;
            shop.run(id).await;
            Some(id)
        })
    });
    let granted: Vec<_> = join_all(tasks).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(granted.len(), 3);
    let payment = shop.payment(paid).await;
    assert_eq!((payment.refunded, payment.refunding), (900, 0));
    assert_eq!(shop.ledger_total().await, 100);
    assert_eq!(shop.invariants().await, []);
}

// PAY-3
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_refund_carried_out_by_many_at_once_goes_back_once() {
    let shop = Arc::new(Fixture::new().await);
    let paid = shop.pay("card_approved").await.payment;
    let id = shop.request(paid, Some(eur(400))).await.unwrap();
    let states = join_all((0..20).map(|_| shop.run(id))).await;
    assert!(states.iter().all(|state| *state == RefundState::Succeeded), "{states:?}");
    assert_eq!((shop.payment(paid).await.refunded, shop.ledger_total().await), (400, 600));
    assert_eq!(shop.published("RefundProcessed").await, 1);
    assert_eq!(shop.invariants().await, []);
}

// PAY-2
#[tokio::test]
async fn what_was_not_taken_or_is_another_currency_or_merchant_is_not_given_back() {
    let shop = Fixture::new().await;
    let refused = shop.pay("card_declined").await.payment;
    assert!(matches!(shop.request(refused, None).await, Err(RefundError::NotCaptured(_))));
    let paid = shop.pay("card_approved").await.payment;
    let dollars = Some(Money::new(100, Currency::USD));
    assert!(matches!(shop.request(paid, dollars).await, Err(RefundError::Currency(Currency::EUR))));
    assert!(matches!(shop.request(paid, Some(eur(0))).await, Err(RefundError::Exceeds { .. })));
    let other = shop.neighbour("other");
    assert!(matches!(other.request(paid, None).await, Err(RefundError::NotFound)));
    let id = shop.request(paid, None).await.unwrap();
    assert_eq!(other.payments.run_refund(&other.ctx(), id).await.unwrap(), None);
}

// PAY-2: a step that is run again has no second effect.
#[tokio::test]
async fn a_refund_asked_for_again_under_its_id_is_one_refund() {
    let shop = Fixture::new().await;
    let paid = shop.pay("card_approved").await.payment;
    let refunds = [payments::NewRefund {
        id: RefundId::new(),
        payment: paid,
        amount: Some(eur(1000)),
        reason: "no order".to_owned(),
        source: Source::Checkout,
    }];
    for _ in 0..2 {
        let tx = shop.begin().await;
        let rows = tx.run(payments::request_refunds_stmt(tx.ctx(), &refunds)).await.unwrap();
        let answers = payments::decode_refunds(&rows, &refunds).unwrap();
        assert!(matches!(answers[..], [(id, Ok(()))] if id == refunds[0].id), "{answers:?}");
        tx.commit().await.unwrap();
    }
    assert_eq!(shop.payment(paid).await.refunding, 1000);
    assert_eq!(shop.invariants().await, []);
}

// PAY-2: what nobody carries out is carried out by the job.
#[tokio::test]
async fn the_job_carries_out_what_was_promised() {
    let shop = Fixture::new().await;
    let paid = shop.pay("card_approved").await.payment;
    shop.request(paid, Some(eur(250))).await.unwrap();
    assert_eq!(shop.payments.run_due_refunds(&shop.ctx()).await.unwrap(), 1);
    assert_eq!(shop.payments.run_due_refunds(&shop.ctx()).await.unwrap(), 0);
    assert_eq!(shop.payment(paid).await.refunded, 250);
    assert_eq!(shop.invariants().await, []);
}
