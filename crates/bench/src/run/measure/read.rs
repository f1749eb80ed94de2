//! Reading one thing that was read before, beside a bare axum server.

use anyhow::{Context, Result};

use crate::{
    load::Work,
    run::{
        Bench,
        generator::{Hello, Rounds, generate},
        seed::{self, Merchant},
        table::{Row, Wanted, median},
    },
};

use super::get;

const CONNECTIONS: usize = 64;
const TENANTS: usize = 4;

/// Rounds of axum, of sales and of products alternate.
pub(in crate::run) fn read(bench: &mut Bench) -> Result<()> {
    bench.open()?;
    let merchants = seed::merchants(bench, "read", TENANTS, 1, 100)?;
    let sales = merchants.iter().map(a_sale).collect::<Result<_>>()?;
    let products = merchants.iter().map(a_product).collect::<Result<_>>()?;
    let sales = bench.plan(CONNECTIONS, None, Work::Get(sales))?;
    let products = bench.plan(CONNECTIONS, None, Work::Get(products))?;

    let mut outcomes = [Vec::new(), Vec::new(), Vec::new()];
    let server = Hello::start()?;
    let hello = server.plan(CONNECTIONS, 1000, bench.scale.seconds * 1000);
    for plan in [&hello, &sales, &products] {
        bench.warm_up(plan)?;
    }
    for _ in 0..bench.scale.rounds {
        for (plan, outcomes) in [&hello, &sales, &products].into_iter().zip(&mut outcomes) {
            outcomes.push(generate(plan)?);
        }
    }
    let [bare, sales, products] = outcomes.map(Rounds);
    let limit = median(&bare.rates());
    bench.add(
        Row::new("bare axum", "/s", bare.rates())
            .note(format!("650 bytes of JSON, {CONNECTIONS} connections; {}", bare.note())),
    );
    for (name, rounds) in [("read one sale", sales), ("read one product", products)] {
        let row = Row::new(name, "/s", rounds.rates()).compared_with("bare axum", limit);
        let note = format!("signed in, warm; p99 {:.1} ms; {}", median(&rounds.p99()), rounds.note());
        bench.add(row.wanted(Wanted::AtLeast(0.5)).note(note));
    }
    Ok(())
}

fn a_sale(merchant: &Merchant) -> Result<crate::load::Get> {
    let till = merchant.tills.first().context("a merchant without tills")?;
    let sale = merchant.session.post("/api/v1/sales", &seed::one_line_sale(till, 1))?;
    Ok(get(format!("/api/v1/sales/{}", seed::text(&sale, "id")?), merchant.session.headers()))
}

fn a_product(merchant: &Merchant) -> Result<crate::load::Get> {
    let product = merchant.session.get(&format!("/api/v1/products/sku/{}1", seed::SKU_PREFIX))?;
    Ok(get(format!("/api/v1/products/{}", seed::text(&product, "id")?), merchant.session.headers()))
}
