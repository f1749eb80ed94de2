//! What came of a load.

use std::{collections::BTreeMap, fs, time::Duration};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The result of one run, as printed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcome {
    /// Answers in the measured time.
    pub(crate) requests: u64,
    /// Answers per second.
    pub(crate) rate: f64,
    /// Answers by status; 0 counts broken connections.
    pub(crate) by_status: BTreeMap<u16, u64>,
    /// Microseconds, of answers that are no failure.
    pub(crate) p50_us: u64,
    pub(crate) p95_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) max_us: u64,
    /// The generator's own processor time by wall time: near 1 it was the bottleneck itself.
    pub(crate) own_cpu: f64,
    /// The first failure, to see what went wrong.
    pub(crate) first_failure: Option<String>,
}

impl Outcome {
    /// The share of answers that are a success.
    pub(crate) fn success(&self) -> f64 {
        let good: u64 = self.by_status.range(200..400).map(|(_, count)| count).sum();
        if self.requests == 0 { 0.0 } else { good as f64 / self.requests as f64 }
    }
}

/// Collects while the load runs.
pub(super) struct Tally {
    latencies: Histogram<u64>,
    by_status: BTreeMap<u16, u64>,
    first_failure: Option<String>,
}

impl Tally {
    pub(super) fn new() -> Result<Self> {
        // Up to two minutes, to three digits.
        let latencies = Histogram::new_with_bounds(1, 120_000_000, 3)?;
        Ok(Self { latencies, by_status: BTreeMap::new(), first_failure: None })
    }

    pub(super) fn answer(&mut self, status: u16, body: Option<String>, latency: Duration) {
        *self.by_status.entry(status).or_insert(0) += 1;
        if let Some(body) = body {
            self.first_failure.get_or_insert_with(|| format!("{status}: {body}"));
        } else {
            let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
            self.latencies.saturating_record(micros);
        }
    }

    pub(super) fn broken(&mut self, error: &anyhow::Error) {
        *self.by_status.entry(0).or_insert(0) += 1;
        self.first_failure.get_or_insert_with(|| format!("{error:#}"));
    }

    pub(super) fn outcome(self, measured: Duration, own_cpu: Duration) -> Outcome {
        let requests = self.by_status.values().sum::<u64>();
        let quantile = |q| self.latencies.value_at_quantile(q);
        Outcome {
            requests,
            rate: requests as f64 / measured.as_secs_f64(),
            p50_us: quantile(0.5),
            p95_us: quantile(0.95),
            p99_us: quantile(0.99),
            max_us: self.latencies.max(),
            own_cpu: own_cpu.as_secs_f64() / measured.as_secs_f64(),
            by_status: self.by_status,
            first_failure: self.first_failure,
        }
    }
}

/// Processor time that this process's main thread has had, to the nanosecond.
pub(super) fn own_cpu() -> Result<Duration> {
    let text = fs::read_to_string("/proc/self/schedstat").context("no processor times")?;
    let first = text.split_whitespace().next().context("no processor times")?;
    Ok(Duration::from_nanos(first.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_answers_and_failures_are_counted_apart() -> Result<()> {
        let mut tally = Tally::new()?;
        for micros in 1..=100 {
            tally.answer(201, None, Duration::from_micros(micros * 100));
        }
        tally.answer(503, Some("busy".into()), Duration::from_secs(9));
        tally.broken(&anyhow::anyhow!("gone"));
        let outcome = tally.outcome(Duration::from_secs(2), Duration::from_secs(1));
        assert_eq!((outcome.requests, outcome.own_cpu), (102, 0.5));
        assert!((outcome.rate - 51.0).abs() < 0.001);
        assert!((4990..=5010).contains(&outcome.p50_us), "{}", outcome.p50_us);
        assert!((9890..=9910).contains(&outcome.p99_us), "{}", outcome.p99_us);
        assert_eq!(outcome.by_status, BTreeMap::from([(0, 1), (201, 100), (503, 1)]));
        assert_eq!(outcome.first_failure.as_deref(), Some("503: busy"));
        assert!((outcome.success() - 100.0 / 102.0).abs() < 1e-9);
        Ok(())
    }

    #[test]
    fn own_processor_time_grows_with_work() -> Result<()> {
        let before = own_cpu()?;
        assert!(before <= own_cpu()?);
        Ok(())
    }
}
