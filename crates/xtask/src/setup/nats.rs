//! The NATS server that tests start.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::apt;
use crate::shell;

/// Sees to it that `nats-server` is there.
pub(crate) fn ensure() -> Result<()> {
    if find().is_some() {
        return Ok(());
    }
    apt::install(&["nats-server"], "the NATS server (for the tests of messages)")?;
    if find().is_none() {
        bail!("the package `nats-server` has no program of that name: see https://nats.io/download");
    }
    Ok(())
}

/// Debian puts it where only root looks.
fn find() -> Option<PathBuf> {
    shell::find("nats-server", &[PathBuf::from("/usr/sbin")])
}
