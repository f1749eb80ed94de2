//! What protection costs: rate limits and feature flags for each call, the audit log for each sale.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::run::{
    Bench,
    generator::{Rounds, generate},
    seed,
    table::{Row, Wanted, median},
};

/// What the examples of `edge` and `kernel` print, which lie beside this program.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    nanoseconds: f64,
}

/// Measured in a process of their own, without network or database.
pub(in crate::run) fn cost(bench: &mut Bench) -> Result<()> {
    for (name, example, note) in [
        (
            "two rate limits and their headers",
            "overhead",
            "in one process, beside the same request without limits",
        ),
        ("feature flag", "flags", "the slowest of four kinds, 50 decisions for each of 1,000 tenants"),
    ] {
        let rounds = (0..bench.scale.rounds).map(|_| nanoseconds(example)).collect::<Result<_>>()?;
        bench.add(Row::new(name, "ns", rounds).wanted(Wanted::AtMost(1_000.0)).note(note));
    }
    audit(bench)
}

fn nanoseconds(example: &str) -> Result<f64> {
    let program = std::env::current_exe()?.with_file_name("examples").join(example);
    let mut asked = Command::new(&program);
    asked.arg("--json").stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = asked.output().with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(output.status.success(), "{} failed: {}", program.display(), output.status);
    let line: Line = serde_json::from_slice(&output.stdout).context("not a result")?;
    Ok(line.nanoseconds)
}

/// Rounds with the audit log and without alternate, on the same data.
fn audit(bench: &mut Bench) -> Result<()> {
    bench.open()?;
    let scale = bench.scale;
    let merchants = seed::merchants(bench, "audited", scale.shops, scale.registers, scale.products)?;
    let work = bench.sales(&bench.market.database()?, seed::tills(&merchants), scale.products)?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..scale.rounds {
        for (enabled, outcomes) in [("true", &mut with), ("false", &mut without)] {
            bench.market.restart_with(&[("MARKETHALL_AUDIT__ENABLED", enabled)])?;
            let rush = bench.plan(scale.connections, None, work.clone())?;
            bench.warm_up(&rush)?;
            bench.market.database()?.settle()?;
            outcomes.push(generate(&rush)?);
        }
    }
    bench.market.restart_with(&[])?;
    let (with, without) = (Rounds(with), Rounds(without));
    let row = Row::new("create sale, each in the audit log", "/s", with.rates());
    let row =
        row.compared_with("without the audit log", median(&without.rates())).wanted(Wanted::AtLeast(0.95));
    bench.add(row.note(format!("{} connections, {} tenants", scale.connections, scale.shops)));
    Ok(())
}
