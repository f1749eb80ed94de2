//! The till rush: sales per second beside PostgreSQL's own transactions per second.

use anyhow::Result;

use crate::run::{
    Bench,
    generator::{Rounds, generate},
    seed,
    table::{Row, Wanted, median},
};

/// Rounds of TPC-B and of selling alternate, so that both see the same machine.
pub(in crate::run) fn sell(bench: &mut Bench) -> Result<()> {
    bench.open()?;
    let scale = bench.scale;
    let merchants = seed::merchants(bench, "bench", scale.tenants, scale.registers, scale.products)?;
    let database = bench.market.database()?;
    database.prepare_tpcb(scale.tpcb)?;
    let work = bench.sales(&database, seed::tills(&merchants), scale.products)?;
    let rush = bench.plan(scale.connections, None, work.clone())?;

    database.tpcb(scale.warmup)?;
    bench.warm_up(&rush)?;
    let (mut tpcb, mut sold) = (Vec::new(), Vec::new());
    for _ in 0..scale.rounds {
        database.settle()?;
        tpcb.push(database.tpcb(scale.seconds)?);
        database.settle()?;
        sold.push(generate(&rush)?);
    }
    let sold = Rounds(sold);
    let limit = median(&tpcb);
    let clients = "16 clients, prepared statements, same cluster";
    bench.add(Row::new("pgbench TPC-B", "/s", tpcb).note(format!("scale {}, {clients}", scale.tpcb)));
    let peak = Row::new("create sale", "/s", sold.rates())
        .compared_with("TPC-B", limit)
        .wanted(Wanted::AtLeast(1.0))
        .note(format!(
            "3 lines, {} tenants, {} SKUs each, {} connections; p99 {:.1} ms; {}",
            scale.tenants,
            scale.products,
            scale.connections,
            median(&sold.p99()),
            sold.note()
        ));
    let half = peak.value / 2.0;
    bench.add(peak);

    let steady = bench.plan(scale.connections, Some(half), work)?;
    database.settle()?;
    let steady = bench.rounds(&steady)?;
    let note = format!("constant {half:.0}/s, waiting included; {}", steady.note());
    bench.add(Row::new("create sale at half that rate, p50", "ms", steady.p50()).note(note));
    bench.add(Row::new("create sale at half that rate, p99", "ms", steady.p99()));
    Ok(())
}
