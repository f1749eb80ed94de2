//! The desk of stuck money: what is stuck is listed, and a repair is safe whenever it is done (PAY-3).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use checkout::{CheckoutId, Faults, Step, When};
use db::DbError;
use http::Method;

use crate::support::{WebShop, check_out};

/// While it is on, nothing comes after a charge.
#[derive(Default)]
struct AfterCharge(AtomicBool);

impl Faults for AfterCharge {
    fn at(&self, _checkout: CheckoutId, step: Step, when: When) -> Result<(), DbError> {
        match (step, when) {
            (Step::Charge, When::Committed) if self.0.load(Ordering::SeqCst) => {
                Err(DbError::Unavailable("broken on purpose".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

// PAY-3
#[tokio::test(flavor = "multi_thread")]
async fn what_was_charged_without_anybody_knowing_becomes_an_order_by_one_click() {
    let broken = Arc::new(AfterCharge::default());
    let web = WebShop::open_with(|_| {}, broken.clone()).await;
    let guest = web.guest(&[("PEN", "1")]).await;
    broken.0.store(true, Ordering::SeqCst);
    let stuck = check_out(&guest, "card_approved").await.is(202);
    broken.0.store(false, Ordering::SeqCst);
    assert_eq!(
        web.staff.get("/payments/stuck").await.is(200).json["items"].as_array().unwrap().len(),
        0,
        "too young"
    );
    web.app.clock.advance_seconds(301);
    let listed = web.staff.get("/payments/stuck").await.is(200);
    assert_eq!(listed.text("/items/0/kind"), "unknown_outcome");
    assert_eq!(listed.text("/items/0/paymentId"), stuck.text("/paymentId"));
    let repair = format!("/payments/stuck/{}/repair", stuck.text("/paymentId"));
    for _ in 0..3 {
        let done = web.staff.api(Method::POST, &repair).send().await.is(200);
        assert_eq!(done.json["repaired"], true, "{}", done.json);
    }
    let counts = web.counts().await;
    assert_eq!((counts["orders"], counts["charges"], counts["back"], counts["holds"]), (1, 1, 0, 0));
    assert_eq!(web.staff.get("/payments/stuck").await.is(200).json["items"].as_array().unwrap().len(), 0);
    web.end().await;
}

// PAY-3: a provider that is silent for good: what was not taken is called off and cannot be taken later.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_of_which_nobody_knows_is_called_off_by_one_click() {
    let web = WebShop::open().await;
    let guest = web.guest(&[("PEN", "1")]).await;
    let failed = check_out(&guest, "card_timeout").await.is(201);
    web.app.clock.advance_seconds(301);
    let listed = web.staff.get("/payments/stuck").await.is(200);
    assert_eq!(listed.text("/items/0/paymentId"), failed.text("/paymentId"));
    let repair = format!("/payments/stuck/{}/repair", failed.text("/paymentId"));
    let done = web.staff.api(Method::POST, &repair).send().await.is(200);
    assert_eq!(done.json["repaired"], true, "{}", done.json);
    assert_eq!(web.staff.get("/payments/stuck").await.is(200).json["items"].as_array().unwrap().len(), 0);
    assert_eq!(web.counts().await["charges"], 0);
    guest.get("/payments/stuck").await.is_problem(403, "PERMISSION_DENIED");
    web.end().await;
}
