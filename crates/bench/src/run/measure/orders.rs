//! The history of one customer among millions of orders.

use anyhow::{Context, Result};
use serde_json::json;

use crate::{
    load::Work,
    run::{
        Bench, seed,
        table::{Row, Wanted},
    },
};

use super::get;

const CONNECTIONS: usize = 16;
/// Requests per second: far from what makes them wait for each other.
const RATE: f64 = 200.0;
/// Customers looked at in turn.
const CUSTOMERS: usize = 500;

/// Pages of histories at a constant rate.
pub(in crate::run) fn orders(bench: &mut Bench) -> Result<()> {
    bench.open()?;
    let merchants = seed::merchants(bench, "orders", 1, 1, 100)?;
    let merchant = merchants.first().context("no merchant")?;
    let session = &merchant.session;
    let line = json!({ "lines": [{ "sku": format!("{}0", seed::SKU_PREFIX), "quantity": "1" }] });
    session.put("/api/v1/carts/me", &line)?;
    let pay = json!({ "cart": "me", "payment": { "provider": "test", "method": "card_approved" } });
    session.post("/api/v1/checkout", &pay)?;
    let owners = seed::orders(bench, merchant, bench.scale.history)?;
    let pages = owners.iter().take(CUSTOMERS);
    let pages =
        pages.map(|owner| get(format!("/api/v1/orders?customer={owner}&limit=20"), session.headers()));
    let plan = bench.plan(CONNECTIONS, Some(RATE), Work::Get(pages.collect()))?;
    bench.warm_up(&plan)?;
    let rounds = bench.rounds(&plan)?;
    let note = format!(
        "{} orders in the tenant, 20 a page, constant {RATE:.0}/s; {}",
        bench.scale.history,
        rounds.note()
    );
    bench.add(Row::new("order history p95", "ms", rounds.p95()).wanted(Wanted::AtMost(10.0)).note(note));
    Ok(())
}
