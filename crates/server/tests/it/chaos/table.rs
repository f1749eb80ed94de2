//! What was seen, for people.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{faults::Fault, load::Seen};

/// One fault.
pub struct Row {
    fault: Fault,
    requests: usize,
    errors: BTreeMap<String, usize>,
    recovered: Duration,
}

impl Row {
    pub fn new(fault: Fault, seen: &Seen, begun: Instant, recovered: Duration) -> Self {
        let mut errors: BTreeMap<String, usize> = BTreeMap::new();
        let felt = |status: u16| status == 0 || status >= 500;
        for event in seen.events.iter().filter(|event| event.at >= begun && felt(event.status)) {
            *errors.entry(event.code.clone()).or_default() += 1;
        }
        Self { fault, requests: seen.events.len(), errors, recovered }
    }
}

/// The table; what is lost, doubled or violated would have ended the test before.
pub fn print(rows: &[Row], seed: u64) {
    println!("chaos, seed {seed}");
    println!("| fault | requests | errors | served again after | lost | doubled | violations |");
    println!("|---|---:|---|---:|---:|---:|---:|");
    for Row { fault, requests, errors, recovered } in rows {
        let errors: Vec<_> = errors.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let errors = if errors.is_empty() { "none".to_owned() } else { errors.join(", ") };
        let name = fault.name();
        println!("| {name} | {requests} | {errors} | {} ms | 0 | 0 | 0 |", recovered.as_millis());
    }
}
