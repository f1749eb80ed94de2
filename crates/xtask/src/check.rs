//! Everything a change must pass besides its tests.

use anyhow::Result;

use crate::{
    audit, requirements,
    setup::{self, Purpose},
    shell, tidy,
};

/// Runs every check, cheapest first, and stops at the first that fails.
pub(crate) fn check() -> Result<()> {
    setup::setup(Purpose::Check)?;
    shell::run(shell::cargo()?.args(["fmt", "--all", "--check"]))?;
    tidy::tidy()?;
    requirements::requirements()?;
    audit::audit()?;
    shell::run(shell::cargo()?.args([
        "clippy",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    println!("check: clippy is content");
    Ok(())
}
