//! The Redis server and the sentinels that tests start.

use anyhow::{Result, bail};

use super::apt;
use crate::shell;

/// Sees to it that `redis-server` and `redis-sentinel` are there.
pub(crate) fn ensure() -> Result<()> {
    let there = || ["redis-server", "redis-sentinel"].iter().all(|name| shell::find(name, &[]).is_some());
    if there() {
        return Ok(());
    }
    apt::install(&["redis-server", "redis-sentinel"], "Redis (for the tests of limits, caches and carts)")?;
    if !there() {
        bail!("the packages of Redis have no programs of that name: see https://redis.io/downloads");
    }
    Ok(())
}
