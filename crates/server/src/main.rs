//! The program `markethall`.

use std::process::ExitCode;

use clap::Parser;
use server::cli::{Cli, Outcome, Usage, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into(), false),
    };
    let json = cli.json;
    match runtime.block_on(run(cli)) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Err(error) => fail(&error, json),
    }
}

#[expect(clippy::print_stderr, reason = "the one place where a failed command says why")]
fn fail(error: &anyhow::Error, json: bool) -> ExitCode {
    let text = format!("{error:#}");
    if json {
        eprintln!("{}", serde_json::json!({ "error": text }));
    } else {
        eprintln!("markethall: {text}");
    }
    if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
