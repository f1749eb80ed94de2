//! Statements that take long are told of in the log and counted (OBS-3): by a name that stays the same, for whom, and how
//! long, never with a parameter.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use kernel::{Ctx, TraceParent};
use sha2::{Digest as _, Sha256};
use traces::Span;

use crate::{DbError, spans};

/// The limit of this process in microseconds. One for all its pools, as the log is.
static LIMIT_US: AtomicU64 = AtomicU64::new(500_000);
/// Lines per second at most: a database in trouble makes every statement slow, and the log must not make it worse.
const MOST_LINES: u64 = 20;
/// Characters of a statement that are shown.
const MOST_SHOWN: usize = 120;
const SLOW: &str = "markethall_db_slow_statements_total";

/// From now on statements of this process that take longer are told of; [`Duration::ZERO`] stops it.
pub fn tell_of_statements_slower_than(limit: Duration) {
    let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
    LIMIT_US.store(if micros == 0 { u64::MAX } else { micros }, Ordering::Relaxed);
}

/// A statement on its way. Looking at the clock twice is all it costs while statements are fast and nothing is traced.
pub(crate) struct Watch {
    begun: Instant,
    /// One for each trace that waits for it; they end with it, however it ends.
    spans: Vec<Span>,
}

impl Watch {
    /// Of a statement that belongs to no request.
    pub(crate) fn start() -> Self {
        Self { begun: Instant::now(), spans: Vec::new() }
    }

    /// Of the statement `sql` in the context of a tenant, or of none.
    pub(crate) fn of(sql: &'static str, ctx: Option<&Ctx>) -> Self {
        let spans = match ctx {
            Some(ctx) if traces::is_on() => spans::of(sql, ctx),
            _ => Vec::new(),
        };
        Self { begun: Instant::now(), spans }
    }

    /// Of several statements in one pipeline, for these traces.
    pub(crate) fn batch(traces: &[TraceParent], statements: impl Iterator<Item = &'static str>) -> Self {
        let spans = if traces.is_empty() { Vec::new() } else { spans::of_batch(traces, statements) };
        Self { begun: Instant::now(), spans }
    }

    /// The statement has been answered; of several in one pipeline, the first stands for all.
    pub(crate) fn end<'a>(
        mut self,
        statements: impl Iterator<Item = &'a str>,
        ctx: Option<&Ctx>,
        error: Option<&DbError>,
    ) {
        let took = self.begun.elapsed();
        if let Some(error) = error {
            self.spans.iter_mut().for_each(|span| spans::fail(span, error));
        }
        if took.as_micros() > u128::from(LIMIT_US.load(Ordering::Relaxed)) {
            tell(took, statements, ctx);
        }
    }
}

#[cold]
fn tell<'a>(took: Duration, mut statements: impl Iterator<Item = &'a str>, ctx: Option<&Ctx>) {
    metrics::counter!(SLOW).increment(1);
    if !may_speak() {
        return;
    }
    let Some(sql) = statements.next() else { return };
    let trace = ctx.and_then(|ctx| ctx.caller.trace.as_ref());
    tracing::warn!(
        plan = plan_id(sql),
        statement = shown(sql),
        statements = 1 + statements.count(),
        duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        tenant = ctx.map(|ctx| &*ctx.tenant.slug),
        correlation_id = ctx.map(|ctx| &*ctx.caller.correlation_id),
        trace_id = trace.and_then(|trace| trace.0.get(3..35)),
        "slow statement"
    );
}

/// Whether this second has room for another line.
fn may_speak() -> bool {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    /// The second in the upper half, lines of it in the lower one.
    static LINES: AtomicU64 = AtomicU64::new(0);
    let second = BEGIN.elapsed().as_secs() << 32;
    let count = |lines: u64| if lines >> 32 << 32 == second { lines + 1 } else { second + 1 };
    let counted = LINES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |lines| Some(count(lines)));
    count(counted.unwrap_or(0)) & u64::from(u32::MAX) <= MOST_LINES
}

/// A name of the statement that stays the same from start to start and process to process: a hash of its text, whatever
/// its spaces. All values are parameters, so that one text is one plan.
pub(crate) fn plan_id(sql: &str) -> String {
    let mut hash = Sha256::new();
    for word in sql.split_whitespace() {
        hash.update(word);
        hash.update(b" ");
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The beginning of a statement on one line, without its comments; it holds no values.
fn shown(sql: &str) -> String {
    let code = sql.lines().map(|line| line.split("--").next().unwrap_or(""));
    let words: Vec<&str> = code.flat_map(str::split_whitespace).collect();
    words.join(" ").chars().take(MOST_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // OBS-3
    #[test]
    fn a_statement_has_one_name_whatever_its_spaces() {
        assert_eq!(plan_id("select 1\n  from x"), plan_id("select 1 from x\n"));
        assert_ne!(plan_id("select 1 from x"), plan_id("select 1 from y"));
        assert_eq!(plan_id("select 1").len(), 16);
        assert_eq!(shown("-- Why.\nselect a, -- what\n       b\n  from c"), "select a, b from c");
        assert_eq!(shown(&"x".repeat(1000)).len(), MOST_SHOWN);
    }

    #[test]
    fn a_storm_of_slow_statements_does_not_flood_the_log() {
        let begun = Instant::now();
        let spoken = (0..1_000_000).filter(|_| may_speak()).count() as u64;
        assert!(spoken >= MOST_LINES && spoken <= MOST_LINES * (begun.elapsed().as_secs() + 2), "{spoken}");
    }
}
