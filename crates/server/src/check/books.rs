//! What no domain can prove alone about money and goods of orders: charges = paid orders = sales, holds = open checkouts.

use std::collections::{HashMap, HashSet};

use db::{DbError, TenantTx};
use kernel::{Violation, encode_id};
use uuid::Uuid;

/// Rows looked at together.
const PAGE: i64 = 1000;
/// Violations named of each kind.
const MOST: usize = 100;

/// Collects violations, of each kind so many.
#[derive(Default)]
struct Findings(Vec<Violation>);

impl Findings {
    fn add(&mut self, invariant: &'static str, subject: String, detail: String) {
        if self.0.iter().filter(|found| found.invariant == invariant).count() < MOST {
            self.0.push(Violation { invariant, subject, detail });
        }
    }
}

/// Every order with its sale and its payment, and every checkout that failed with what must not have come of it.
///
/// # Errors
/// [`DbError`].
pub(super) async fn orders_match_money(tx: &TenantTx) -> Result<Vec<Violation>, DbError> {
    let mut found = Findings::default();
    let orders = paid_orders(tx, &mut found).await?;
    let sales = sales::sum_orders(tx).await?;
    if sales != orders.sales {
        let detail =
            format!("orders say {:?} (count, minor units), the sales of orders {sales:?}", orders.sales);
        found.add("sales_match_orders", "all orders".to_owned(), detail);
    }
    let failed = failed_checkouts(tx, &mut found).await?;
    let charges = payments::sum_captured(tx, "chk_").await?;
    let expected = (orders.charges.0 + failed.0, orders.charges.1 + failed.1);
    if charges != expected {
        let detail = format!(
            "{charges:?} (count, minor units) were charged, orders and failed checkouts say {expected:?}"
        );
        found.add("charges_match_orders", "all checkouts".to_owned(), detail);
    }
    holds(tx, &mut found).await?;
    Ok(found.0)
}

/// Counts and sums of what paid orders say was sold and charged.
#[derive(Default)]
struct Paid {
    sales: (i64, i64),
    charges: (i64, i64),
}

async fn paid_orders(tx: &TenantTx, found: &mut Findings) -> Result<Paid, DbError> {
    let (mut sums, mut after) = (Paid::default(), Uuid::nil());
    loop {
        let page = orders::list_paid(tx, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(sums) };
        after = last.id;
        let sales: Vec<Uuid> = page.iter().map(|order| order.sale).collect();
        let sales: HashMap<Uuid, i64> = sales::find_gross(tx, &sales).await?.into_iter().collect();
        let payments: Vec<Uuid> = page.iter().filter_map(|order| order.payment).collect();
        let captured = captured(tx, &payments).await?;
        for order in &page {
            let subject = encode_id("ord", order.id);
            sums.sales = (sums.sales.0 + 1, sums.sales.1 + order.gross);
            let sold = sales.get(&order.sale).copied();
            if sold != Some(order.gross) {
                let detail = format!("it comes to {}, its sale to {sold:?}", order.gross);
                found.add("paid_orders_have_their_sale", subject.clone(), detail);
            }
            let Some(payment) = order.payment else { continue };
            sums.charges = (sums.charges.0 + 1, sums.charges.1 + order.gross);
            let charge = captured.get(&payment).copied().unwrap_or_default();
            if charge.taken != order.gross {
                let detail = format!("it comes to {}, {} was charged", order.gross, charge.taken);
                found.add("paid_orders_are_charged_once", subject.clone(), detail);
            }
            if order.undone && charge.back < order.gross {
                let detail = format!("it was undone, {} of {} goes back", charge.back, order.gross);
                found.add("undone_orders_are_paid_back", subject, detail);
            }
        }
    }
}

/// What was taken by one payment, and what of it went back or is on its way.
#[derive(Debug, Clone, Copy, Default)]
struct Charge {
    taken: i64,
    back: i64,
}

async fn captured(tx: &TenantTx, payments: &[Uuid]) -> Result<HashMap<Uuid, Charge>, DbError> {
    let found = payments::find_captured(tx, payments).await?;
    Ok(found.into_iter().map(|(id, taken, back)| (id, Charge { taken, back })).collect())
}

/// Of a checkout that failed there is no order, and what was taken goes back; counts and sums what was taken.
async fn failed_checkouts(tx: &TenantTx, found: &mut Findings) -> Result<(i64, i64), DbError> {
    let (mut sum, mut after) = ((0, 0), Uuid::nil());
    loop {
        let page = checkout::list_failed(tx, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(sum) };
        after = last.id;
        let wanted: Vec<Uuid> = page.iter().map(|failed| failed.order).collect();
        let orders: HashSet<Uuid> = orders::find_existing(tx, &wanted).await?.into_iter().collect();
        let payments: Vec<Uuid> = page.iter().filter_map(|failed| failed.payment).collect();
        let captured = captured(tx, &payments).await?;
        for failed in &page {
            let subject = encode_id("chk", failed.id);
            if orders.contains(&failed.order) {
                found.add("failed_checkouts_made_no_order", subject.clone(), "there is an order".to_owned());
            }
            let charge =
                failed.payment.and_then(|payment| captured.get(&payment).copied()).unwrap_or_default();
            if charge.taken > 0 {
                sum = (sum.0 + 1, sum.1 + charge.taken);
            }
            if charge.back != charge.taken {
                let detail = format!("{} was charged, {} goes back", charge.taken, charge.back);
                found.add("failed_checkouts_are_paid_back", subject, detail);
            }
        }
    }
}

/// What is held for checkouts is held for running ones, and each of these holds something.
async fn holds(tx: &TenantTx, found: &mut Findings) -> Result<(), DbError> {
    const ALL: i64 = 1_000_000;
    let running: HashMap<Uuid, checkout::CheckoutId> =
        checkout::list_held(tx, ALL).await?.into_iter().map(|(checkout, held)| (held, checkout)).collect();
    let open: HashMap<Uuid, String> = inventory::list_open(tx, "chk_", ALL).await?.into_iter().collect();
    for (reservation, reference) in &open {
        if !running.contains_key(reservation) {
            let detail = format!("it is held for {reference}, which does not run");
            found.add("holds_are_of_open_checkouts", encode_id("rsv", *reservation), detail);
        }
    }
    // One whose time ran out lately may have been given back: it is taken anew when the checkout goes on.
    Ok(())
}
