//! How soon after a commit a message reaches its handler, in process and over NATS.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::run::{
    Bench,
    table::{Row, Wanted, median},
};

/// Messages per second.
const RATE: u64 = 1000;
/// The buses as the program names them, and the most that the median may be, in milliseconds.
const BUSES: [(&str, f64); 2] = [("in process", 5.0), ("over NATS", 15.0)];

/// A line of `messages/examples/latency.rs`, which lies beside this program.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    bus: String,
    rate: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// Rounds of both buses alternate, on a cluster of their own.
pub(in crate::run) fn messages(bench: &mut Bench) -> Result<()> {
    let program = std::env::current_exe()?.with_file_name("examples").join("latency");
    let seconds = bench.scale.seconds.max(2).to_string();
    let mut lines = Vec::new();
    for _ in 0..bench.scale.rounds {
        let mut latency = Command::new(&program);
        latency.args([RATE.to_string(), seconds.clone()]).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = latency.output().with_context(|| format!("cannot start {}", program.display()))?;
        ensure!(output.status.success(), "{} failed: {}", program.display(), output.status);
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            lines.push(serde_json::from_str::<Line>(line).with_context(|| format!("not a result: {line}"))?);
        }
    }
    for (bus, most) in BUSES {
        let of_bus = || lines.iter().filter(|line| line.bus == bus);
        let slowest = of_bus().map(|line| line.rate).fold(f64::INFINITY, f64::min);
        ensure!(slowest > RATE as f64 * 0.95 && slowest.is_finite(), "{bus}: only {slowest:.0} messages/s");
        let p99: Vec<f64> = of_bus().map(|line| line.p99_ms).collect();
        let row =
            Row::new(&format!("message {bus}, median"), "ms", of_bus().map(|line| line.p50_ms).collect());
        let note = format!("commit to handler, {RATE} messages/s; p99 {:.1} ms", median(&p99));
        bench.add(row.wanted(Wanted::AtMost(most)).note(note));
    }
    Ok(())
}
