//! What was seen, for people.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{faults::Fault, load::Seen, site::Verdict};

/// One fault.
pub struct Row {
    fault: Fault,
    outcome: Result<Outcome, String>,
}

struct Outcome {
    requests: usize,
    /// How many by code; without an answer is a code too.
    errors: BTreeMap<String, usize>,
    recovered: Duration,
    verdict: Verdict,
}

impl Row {
    pub fn new(fault: Fault, seen: &Seen, begun: Instant, recovered: Duration, verdict: Verdict) -> Self {
        let mut errors: BTreeMap<String, usize> = BTreeMap::new();
        let felt = |status: u16| matches!(status, 0 | 401 | 500..);
        for event in seen.events.iter().filter(|event| event.at >= begun && felt(event.status)) {
            *errors.entry(event.code.clone()).or_default() += 1;
        }
        Self { fault, outcome: Ok(Outcome { requests: seen.events.len(), errors, recovered, verdict }) }
    }

    /// A fault that this machine cannot have.
    pub fn left_out(fault: Fault, why: String) -> Self {
        Self { fault, outcome: Err(why) }
    }

    fn print(&self) {
        let name = self.fault.name();
        let Outcome { requests, errors, recovered, verdict } = match &self.outcome {
            Ok(outcome) => outcome,
            Err(why) => {
                println!("| {name} | not possible here: {why} | | | | | |");
                return;
            }
        };
        let errors: Vec<_> = errors.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let errors = if errors.is_empty() { "none".to_owned() } else { errors.join(", ") };
        let (lost, doubled, violations) =
            (verdict.lost.len(), verdict.doubled.len(), verdict.violations.len());
        println!(
            "| {name} | {requests} | {errors} | {} ms | {lost} | {doubled} | {violations} |",
            recovered.as_millis()
        );
    }
}

pub fn print(rows: &[Row], seed: u64) {
    println!("chaos, seed {seed}");
    println!(
        "| fault | requests | errors by code | time to recover | acknowledged writes lost | doubled \
         | violations of check |"
    );
    println!("|---|---:|---|---:|---:|---:|---:|");
    rows.iter().for_each(Row::print);
}
