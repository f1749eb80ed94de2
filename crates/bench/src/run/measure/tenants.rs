//! Whether many tenants make selling slower, or memory larger.

use std::time::Duration;

use anyhow::Result;

use crate::{
    load::Plan,
    run::{
        Bench,
        generator::{Rounds, generate},
        machine::pause,
        seed::{self, Merchant},
        table::{Row, Wanted, median},
    },
};

const CONNECTIONS: usize = 64;

/// The same constant load on one tenant and spread over many, in turn.
pub(in crate::run) fn tenants(bench: &mut Bench) -> Result<()> {
    bench.open()?;
    let scale = bench.scale;
    let one = seed::merchants(bench, "one", 1, scale.registers, scale.many_products)?;
    let many = seed::merchants(bench, "many", scale.many, 1, scale.many_products)?;
    bench.market.restart()?;
    bench.market.database()?.settle()?;
    memory(bench, &many)?;

    let plans = [steady(bench, &many)?, steady(bench, &one)?];
    for plan in &plans {
        bench.warm_up(plan)?;
    }
    let mut outcomes = [Vec::new(), Vec::new()];
    for _ in 0..scale.rounds {
        for (plan, outcomes) in plans.iter().zip(&mut outcomes) {
            outcomes.push(generate(plan)?);
        }
    }
    let [many, one] = outcomes.map(Rounds);
    let medians = format!("p50 {:.1} ms, with one {:.1} ms", median(&many.p50()), median(&one.p50()));
    let note = format!("{} shared tenants, constant {:.0}/s; {medians}", scale.many, scale.steady_rate);
    let row = Row::new("create sale p99 with many tenants", "ms", many.p99());
    bench.add(row.compared_with("with one", median(&one.p99())).wanted(Wanted::AtMost(1.3)).note(note));
    Ok(())
}

/// After each of them has sold a few times.
fn memory(bench: &mut Bench, many: &[Merchant]) -> Result<()> {
    let mut plan = steady(bench, many)?;
    plan.duration_ms = u64::try_from(many.len())? * 10;
    generate(&plan)?;
    pause(Duration::from_secs(3));
    let resident = bench.market.resident_mb()?;
    let name = format!("memory, {} tenants that have sold", many.len());
    bench.add(Row::new(&name, "MB", vec![resident]).wanted(Wanted::AtMost(150.0)));
    Ok(())
}

fn steady(bench: &Bench, merchants: &[Merchant]) -> Result<Plan> {
    let work = bench.sales(&bench.market.database()?, seed::tills(merchants), bench.scale.many_products)?;
    bench.plan(CONNECTIONS, Some(bench.scale.steady_rate), work)
}
