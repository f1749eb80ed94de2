//! Real data, load and measurements. `bench help` lists the commands.
#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, reason = "a command line tool speaks on stdout")]

mod broken;
mod convert;
mod hello;
mod load;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Real data, load and measurements.
#[derive(Parser)]
#[command(name = "bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The benchmark table, with the machine's own limits beside
    Run(run::Args),
    /// Grocery baskets of the Complete Journey study as CSV files that `markethall import` takes
    Convert(convert::Args),
    /// A sales file with every kind of broken row between good ones, and a manifest of what must be rejected
    Broken(broken::Args),
    /// Load on one HTTP server, described by a plan file; prints the result as JSON
    Load(load::Args),
    /// A bare axum server: the machine's limit for answering requests
    Hello,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Convert(args) => convert::convert(&args),
        Command::Broken(args) => broken::broken(&args),
        Command::Load(args) => load::load(&args),
        Command::Hello => hello::hello(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
