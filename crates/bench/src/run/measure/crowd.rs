//! Many at once: crowds of readers and tills, and one merchant that is far too loud for the others.

use anyhow::{Result, ensure};

use crate::{
    load::{Get, Work},
    run::{
        Bench,
        generator::{Rounds, generate, generate_any, generate_both},
        seed::{self, Merchant},
        table::{Row, Wanted, median},
    },
};

use super::get;

const TENANTS: usize = 20;
const PRODUCTS: u32 = 1_000;
/// Connections at once; four fifths of them read.
const CROWDS: [usize; 2] = [500, 1_000];
/// Requests per second of a crowd; four fifths of them are reads.
const RATE: f64 = 1_000.0;
/// What the loud merchant may do per second; it tries twice as much.
const ALLOWED: u32 = 200;
/// Sales per second of all others together.
const QUIET: f64 = 100.0;

/// Crowds first, then one merchant against the others.
pub(in crate::run) fn crowd(bench: &mut Bench) -> Result<()> {
    bench.open()?;
    let merchants = seed::merchants(bench, "crowd", TENANTS, 5, PRODUCTS)?;
    for connections in CROWDS {
        crowds(bench, &merchants, connections)?;
    }
    noise(bench, &merchants)
}

/// Products of all merchants, and of each some.
fn reads(merchants: &[Merchant]) -> Work {
    let of = |number: u32| merchants.iter().map(move |merchant| read(merchant, number * 7));
    Work::Get((0..50).flat_map(of).collect())
}

fn read(merchant: &Merchant, number: u32) -> Get {
    get(format!("/api/v1/products/sku/{}{number}", seed::SKU_PREFIX), merchant.session.headers())
}

fn crowds(bench: &mut Bench, merchants: &[Merchant], connections: usize) -> Result<()> {
    let sales = bench.sales(&bench.market.database()?, seed::tills(merchants), PRODUCTS)?;
    let reading = bench.plan(connections * 4 / 5, Some(RATE * 0.8), reads(merchants))?;
    let selling = bench.plan(connections / 5, Some(RATE * 0.2), sales)?;
    bench.warm_up(&reading)?;
    bench.warm_up(&selling)?;
    let (mut read, mut sold) = (Vec::new(), Vec::new());
    for _ in 0..bench.scale.rounds {
        bench.market.database()?.settle()?;
        let [reads, sales] = generate_both(&reading, &selling)?;
        read.push(reads);
        sold.push(sales);
    }
    let memory = bench.market.resident_mb()?;
    let note = format!("{TENANTS} tenants, {RATE:.0} requests/s, 80 of 100 read; memory {memory:.0} MB");
    let (read, sold) = (Rounds(read), Rounds(sold));
    bench.add(Row::new(&format!("{connections} connections, read p95"), "ms", read.p95()).note(note));
    bench.add(Row::new(&format!("{connections} connections, create sale p95"), "ms", sold.p95()));
    Ok(())
}

/// The others sell at a constant rate, alone and beside one that calls at twice its limit.
fn noise(bench: &mut Bench, merchants: &[Merchant]) -> Result<()> {
    let [loud, others @ ..] = merchants else { return Ok(()) };
    let limit = ALLOWED.to_string();
    bench.market.tell(&["tenant", "limit", &loud.session.tenant, "--limit", &limit, "--window", "1"])?;
    bench.market.restart_with(&[])?;
    let sales = bench.sales(&bench.market.database()?, seed::tills(others), PRODUCTS)?;
    let quiet = bench.plan(64, Some(QUIET), sales)?;
    let calls = bench.sales(&bench.market.database()?, loud.tills.clone(), PRODUCTS)?;
    let noisy = bench.plan(64, Some(f64::from(ALLOWED) * 2.0), calls)?;
    bench.warm_up(&quiet)?;
    let (mut alone, mut beside, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.scale.rounds {
        bench.market.database()?.settle()?;
        alone.push(generate(&quiet)?);
        let (together, noise) = std::thread::scope(|scope| {
            let noise = scope.spawn(|| generate_any(&noisy));
            (generate(&quiet), noise.join())
        });
        beside.push(together?);
        let noise = noise.map_err(|_| anyhow::anyhow!("the load generator failed"))??;
        let count = noise.by_status.get(&429).copied().unwrap_or(0);
        refused.push(count as f64 / noise.requests.max(1) as f64);
    }
    let refused = median(&refused);
    ensure!(refused > 0.2, "the loud merchant was refused {:.0} of 100 calls only", refused * 100.0);
    let (alone, beside) = (Rounds(alone), Rounds(beside));
    let row = Row::new("create sale p99 beside a loud merchant", "ms", beside.p99());
    let row = row.compared_with("without it", median(&alone.p99())).wanted(Wanted::AtMost(1.5));
    bench.add(row.note(format!(
        "{} merchants, {QUIET:.0} sales/s; one more with twice the {ALLOWED} sales/s it may do, {:.0} of 100 refused",
        others.len(),
        refused * 100.0
    )));
    Ok(())
}
