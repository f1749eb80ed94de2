//! From cart to paid order, and holds on one shelf, beside PostgreSQL's own transactions per second.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::{
    load::{Checkouts, Outcome, Plan, Post, Shopper, Work},
    run::{
        Bench,
        database::SHARED,
        generator::{Rounds, generate},
        seed::{self, Merchant},
        table::{Row, Wanted, median},
    },
};

const CONNECTIONS: usize = 256;
const LINES: u32 = 3;

/// Rounds of TPC-B, of checkouts at one merchant and at all of them, and of holds alternate, so that all see the same
/// machine.
pub(in crate::run) fn checkout(bench: &mut Bench) -> Result<()> {
    bench.open()?;
    let scale = bench.scale;
    let merchants = seed::merchants(bench, "shop", scale.shops, 1, scale.products)?;
    let database = bench.market.database()?;
    database.prepare_tpcb(scale.tpcb)?;
    let buying_at = |merchants: &[Merchant]| {
        bench.plan(CONNECTIONS, None, Work::Checkouts(shoppers(merchants, scale.products)?))
    };
    let (at_one, at_all) = (buying_at(&merchants[..1])?, buying_at(&merchants)?);
    let holding = bench.plan(CONNECTIONS, None, Work::Post(vec![one_shelf(&merchants)?]))?;

    database.tpcb(scale.warmup)?;
    for plan in [&at_one, &at_all, &holding] {
        bench.warm_up(plan)?;
    }
    let (mut tpcb, mut one, mut all, mut held) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.rounds {
        database.settle()?;
        tpcb.push(database.tpcb(scale.seconds)?);
        database.settle()?;
        one.push(paid(bench, &at_one)?);
        database.settle()?;
        all.push(paid(bench, &at_all)?);
        database.settle()?;
        held.push(generate(&holding)?);
    }
    let limit = median(&tpcb);
    bench.add(Row::new("pgbench TPC-B", "/s", tpcb).note(format!("scale {}, 16 clients", scale.tpcb)));
    let row = bought("cart to paid order", &Rounds(one), limit, "one merchant");
    bench.add(row.wanted(Wanted::AtLeast(0.35)));
    let name = format!("cart to paid order, {} merchants", scale.shops);
    bench.add(bought(&name, &Rounds(all), limit, "the shoppers evenly spread"));
    let held = Rounds(held);
    let note = format!(
        "all on one SKU, {CONNECTIONS} connections; p99 {:.1} ms; {}",
        median(&held.p99()),
        held.note()
    );
    let row = Row::new("holds on one shelf", "/s", held.rates()).compared_with("TPC-B", limit);
    bench.add(row.wanted(Wanted::AtLeast(0.5)).note(note));
    Ok(())
}

/// Checkouts per second; a cart and a checkout are two requests.
fn bought(name: &str, rounds: &Rounds, limit: f64, how: &str) -> Row {
    let rate = rounds.rates().into_iter().map(|rate| rate / 2.0).collect();
    let note = format!(
        "cart of {LINES} lines, then checkout, test provider; {how}, {CONNECTIONS} shoppers at once; p50 {:.1} ms, \
         p99 {:.1} ms a request; {}",
        median(&rounds.p50()),
        median(&rounds.p99()),
        rounds.note()
    );
    Row::new(name, "/s", rate).compared_with("TPC-B", limit).note(note)
}

/// A round of checkouts; every second answer must have become a paid order.
fn paid(bench: &Bench, plan: &Plan) -> Result<Outcome> {
    let count = || -> Result<u64> {
        let orders = bench
            .market
            .database()?
            .ask(SHARED, "select count(*) from orders.customer_order where status = 'paid'");
        Ok(orders?.parse()?)
    };
    let before = count()?;
    let outcome = generate(plan)?;
    let orders = count()? - before;
    let answered = outcome.rate * plan.duration().as_secs_f64() / 2.0;
    ensure!(
        orders as f64 >= answered * 0.99,
        "{answered} checkouts were answered, {orders} orders were paid"
    );
    Ok(outcome)
}

/// A guest for each connection, the merchants in turn.
fn shoppers(merchants: &[Merchant], products: u32) -> Result<Checkouts> {
    let guest = |number: usize| {
        let session = &merchants[number % merchants.len()].session;
        let pass = session.post("/api/v1/customers/guest", &json!({}))?;
        Ok(Shopper { tenant: session.tenant.clone(), token: seed::text(&pass, "token")? })
    };
    let shoppers = (0..CONNECTIONS).map(guest).collect::<Result<_>>()?;
    Ok(Checkouts { shoppers, sku_prefix: seed::SKU_PREFIX.to_owned(), sku_count: products, lines: LINES })
}

fn one_shelf(merchants: &[Merchant]) -> Result<Post> {
    let merchant = merchants.first().context("no merchants")?;
    let till = merchant.tills.first().context("a merchant without tills")?;
    let line = json!({ "shopId": till.shop, "sku": format!("{}0", seed::SKU_PREFIX), "quantity": "1" });
    Ok(Post {
        path: "/api/v1/inventory/reserve".to_owned(),
        headers: merchant.session.headers(),
        body: json!({ "lines": [line], "expiresInSeconds": 3600 }).to_string(),
    })
}
