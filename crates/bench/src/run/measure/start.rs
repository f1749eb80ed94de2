//! How soon it is ready, and how much memory it takes to be there.

use std::time::Duration;

use anyhow::Result;

use crate::run::{
    Bench,
    machine::pause,
    table::{Row, Wanted},
};

/// Starts on nothing, then again and again on what is there.
pub(in crate::run) fn start(bench: &mut Bench) -> Result<()> {
    let first = bench.market.start()?;
    bench.add(Row::new("ready on a new machine", "s", vec![first]).note("database made, schema migrated"));
    let again = (0..5).map(|_| bench.market.restart()).collect::<Result<_>>()?;
    bench.add(Row::new("ready on an existing database", "s", again).wanted(Wanted::AtMost(1.0)));
    pause(Duration::from_secs(3));
    let idle = bench.market.resident_mb()?;
    bench.add(Row::new("memory, idle", "MB", vec![idle]).wanted(Wanted::AtMost(100.0)));
    Ok(())
}
