//! Prometheus' `promtool`, by which the alert rules are tested.

use anyhow::{Result, bail};

use super::apt;
use crate::shell;

/// Sees to it that `promtool` is there.
pub(crate) fn ensure() -> Result<()> {
    if shell::find("promtool", &[]).is_some() {
        return Ok(());
    }
    apt::install(&["prometheus"], "promtool (for the tests of the alert rules)")?;
    if shell::find("promtool", &[]).is_none() {
        bail!("the package `prometheus` has no `promtool`: see https://prometheus.io/download");
    }
    Ok(())
}
