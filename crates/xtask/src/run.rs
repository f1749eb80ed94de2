//! Building in release mode and handing over to the built program.

use std::{os::unix::process::CommandExt, process::Command};

use anyhow::{Context, Result};

use crate::{
    setup::{self, Purpose},
    shell,
};

/// Sets up, builds and becomes `markethall serve`, with the demo market unless arguments say otherwise.
pub(crate) fn run(args: &[String]) -> Result<()> {
    setup::setup(Purpose::Run)?;
    build(&["server"])?;
    let mut serve = Command::new(shell::target()?.join("release/markethall"));
    serve.arg("serve");
    if args.is_empty() {
        serve.arg("--demo");
    }
    become_program(serve.args(args).current_dir(shell::root()?))
}

/// Sets up, builds and becomes `bench run`.
pub(crate) fn bench(args: &[String]) -> Result<()> {
    setup::setup(Purpose::Bench)?;
    build(&["server", "bench"])?;
    let mut latency = shell::cargo()?;
    latency.args(["build", "--release", "--locked", "--package", "messages", "--example", "latency"]);
    shell::run(&mut latency)?;
    let mut bench = Command::new(shell::target()?.join("release/bench"));
    become_program(bench.arg("run").args(args).current_dir(shell::root()?))
}

fn build(packages: &[&str]) -> Result<()> {
    let mut build = shell::cargo()?;
    build.args(["build", "--release", "--locked"]);
    for package in packages {
        build.args(["--package", package]);
    }
    shell::run(&mut build)
}

/// Replaces this process, so that signals and the exit code are the program's own.
fn become_program(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_owned();
    Err(command.exec()).with_context(|| format!("cannot start {}", name.display()))
}
