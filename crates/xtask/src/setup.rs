//! Finds out what a purpose needs, and installs what is missing. The second time it only looks.

mod apt;
mod faketime;
mod nats;
mod postgres;
mod prometheus;
mod redis;
mod tools;

use std::str::FromStr;

use anyhow::{Result, bail};

use crate::shell;

/// What the machine is to be made ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Run,
    Test,
    Check,
    Bench,
}

impl FromStr for Purpose {
    type Err = anyhow::Error;

    fn from_str(word: &str) -> Result<Self> {
        Ok(match word {
            "run" => Self::Run,
            "test" => Self::Test,
            "check" => Self::Check,
            "bench" => Self::Bench,
            _ => bail!("unknown purpose {word:?}: run, test, check or bench"),
        })
    }
}

/// Makes the machine ready for `purpose`; quick and silent when it already is.
///
/// # Errors
/// Says what is missing, why it is needed and what to type, where it cannot be installed from here.
pub(crate) fn setup(purpose: Purpose) -> Result<()> {
    match purpose {
        Purpose::Run => postgres::ensure(&["initdb", "pg_ctl", "postgres"]),
        Purpose::Bench => {
            postgres::ensure(&["initdb", "pg_ctl", "postgres", "psql", "pgbench"])?;
            nats::ensure()
        }
        Purpose::Check => {
            component("rustfmt", "fmt")?;
            component("clippy", "clippy")
        }
        Purpose::Test => {
            postgres::ensure(&["initdb", "pg_ctl", "postgres", "psql", "pg_basebackup"])?;
            nats::ensure()?;
            faketime::ensure()?;
            redis::ensure()?;
            prometheus::ensure()?;
            let tools = shell::target()?.join("test-tools");
            tools::ensure_python(&shell::root()?, &tools)?;
            tools::ensure_node(&shell::root()?, &tools)
        }
    }
}

fn component(name: &str, subcommand: &str) -> Result<()> {
    let mut ask = shell::cargo()?;
    if ask.args([subcommand, "--version"]).output().is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    println!("setup: adding the Rust component {name}");
    shell::run(std::process::Command::new("rustup").args(["component", "add", name]))
}
