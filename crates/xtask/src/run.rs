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
    let mut build = shell::cargo()?;
    shell::run(build.args(["build", "--release", "--locked", "--package", "server"]))?;
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
    let mut build = shell::cargo()?;
    build.args(["build", "--release", "--locked"]);
    // In one go: each choice of packages has its own features, and would build much of it again.
    for package in ["server", "bench", "messages", "edge", "kernel"] {
        build.args(["--package", package]);
    }
    build.args(["--bin", "markethall", "--bin", "bench"]);
    for example in ["latency", "overhead", "flags"] {
        build.args(["--example", example]);
    }
    shell::run(&mut build)?;
    let mut bench = Command::new(shell::target()?.join("release/bench"));
    become_program(bench.arg("run").args(args).current_dir(shell::root()?))
}

/// Replaces this process, so that signals and the exit code are the program's own.
fn become_program(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_owned();
    Err(command.exec()).with_context(|| format!("cannot start {}", name.display()))
}
