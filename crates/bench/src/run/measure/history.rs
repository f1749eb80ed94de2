//! Whether a long history makes selling slower.

use anyhow::{Context, Result, ensure};

use crate::run::{
    Bench,
    generator::{Rounds, generate},
    seed,
    table::{Row, Wanted, median},
};

const CONNECTIONS: usize = 64;

/// The same constant load on a tenant with millions of sales and on one without, in turn.
pub(in crate::run) fn history(bench: &mut Bench) -> Result<()> {
    bench.open()?;
    let scale = bench.scale;
    let merchants = seed::merchants(bench, "history", 2, scale.registers, scale.products)?;
    let [full, empty] = merchants.as_slice() else { return Err(anyhow::anyhow!("not two merchants")) };
    seed::history(bench, full, scale.history)?;
    bench.market.restart()?;
    let check = bench.market.tell(&["check", "--tenant", &full.session.tenant]);
    check.context("the generated history is not in order")?;

    let database = bench.market.database()?;
    let plans = [full, empty].map(|merchant| {
        let work = bench.sales(&database, merchant.tills.clone(), scale.products)?;
        bench.plan(CONNECTIONS, Some(scale.steady_rate), work)
    });
    let [full, empty] = plans;
    let plans = [full?, empty?];
    database.settle()?;
    for plan in &plans {
        bench.warm_up(plan)?;
    }
    let mut outcomes = [Vec::new(), Vec::new()];
    for _ in 0..scale.rounds {
        for (plan, outcomes) in plans.iter().zip(&mut outcomes) {
            outcomes.push(generate(plan)?);
        }
    }
    let [full, empty] = outcomes.map(Rounds);
    let base = median(&empty.p99());
    ensure!(base > 0.0, "nothing was measured");
    let medians = format!("p50 {:.1} ms, without {:.1} ms", median(&full.p50()), median(&empty.p50()));
    let note =
        format!("{} sales in the tenant, constant {:.0}/s; {medians}", scale.history, scale.steady_rate);
    let row = Row::new("create sale p99 with a history", "ms", full.p99()).compared_with("without", base);
    bench.add(row.wanted(Wanted::AtMost(1.3)).note(note));
    Ok(())
}
