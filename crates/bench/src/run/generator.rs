//! Starting the load generator as a process of its own, and making rounds of it.

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, Stdio},
};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::{machine::pinned, table::median};
use crate::load::{Get, Outcome, Plan, Work};

/// Carries out one plan in a process pinned to one processor.
///
/// # Errors
/// When it fails, or more than one in a thousand answers is no success: rates of failures mean nothing.
pub(super) fn generate(plan: &Plan) -> Result<Outcome> {
    let outcome = generate_any(plan)?;
    if outcome.success() < 0.999 {
        let failure = outcome.first_failure.as_deref().unwrap_or_default();
        bail!("answers by status: {:?}; the first failure: {failure}", outcome.by_status);
    }
    Ok(outcome)
}

/// The same, both plans at once.
///
/// # Errors
/// As [`generate`].
pub(super) fn generate_both(one: &Plan, other: &Plan) -> Result<[Outcome; 2]> {
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| generate(other));
        let one = generate(one)?;
        let other = beside.join().map_err(|_| anyhow!("the load generator failed"))??;
        Ok([one, other])
    })
}

/// Carries out one plan, whatever is answered.
///
/// # Errors
/// When it fails.
pub(super) fn generate_any(plan: &Plan) -> Result<Outcome> {
    let mut file = tempfile::NamedTempFile::new()?;
    serde_json::to_writer(&mut file, plan)?;
    file.flush()?;
    let mut command = pinned(&std::env::current_exe()?);
    let output = command.arg("load").arg("--plan").arg(file.path()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the load generator failed");
    serde_json::from_slice(&output.stdout).context("no outcome")
}

/// Outcomes of some rounds of the same plan.
pub(super) struct Rounds(pub(super) Vec<Outcome>);

impl Rounds {
    pub(super) fn of(&self, value: impl Fn(&Outcome) -> f64) -> Vec<f64> {
        self.0.iter().map(value).collect()
    }

    pub(super) fn rates(&self) -> Vec<f64> {
        self.of(|outcome| outcome.rate)
    }

    /// Milliseconds.
    pub(super) fn p50(&self) -> Vec<f64> {
        self.of(|outcome| outcome.p50_us as f64 / 1000.0)
    }

    /// Milliseconds.
    pub(super) fn p95(&self) -> Vec<f64> {
        self.of(|outcome| outcome.p95_us as f64 / 1000.0)
    }

    /// Milliseconds.
    pub(super) fn p99(&self) -> Vec<f64> {
        self.of(|outcome| outcome.p99_us as f64 / 1000.0)
    }

    /// How busy the generator was itself.
    pub(super) fn note(&self) -> String {
        format!("generator at {:.0}% of a processor", median(&self.of(|outcome| outcome.own_cpu)) * 100.0)
    }
}

/// The bare axum server, as long as this lives.
pub(super) struct Hello {
    server: Child,
    address: SocketAddr,
}

impl Hello {
    pub(super) fn start() -> Result<Self> {
        let mut command = std::process::Command::new(std::env::current_exe()?);
        let mut server = command.arg("hello").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut port = String::new();
        BufReader::new(server.stdout.take().context("no output")?).read_line(&mut port)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port.trim().parse()?));
        Ok(Self { server, address })
    }

    pub(super) fn plan(&self, connections: usize, warmup_ms: u64, duration_ms: u64) -> Plan {
        let work = Work::Get(vec![Get { path: "/".to_owned(), headers: Vec::new() }]);
        Plan { address: self.address.to_string(), connections, rate: None, warmup_ms, duration_ms, work }
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        // It ends when its input closes.
        drop(self.server.stdin.take());
        drop(self.server.wait());
    }
}
