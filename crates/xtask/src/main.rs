//! What `make` calls: set-up, tests, checks and the rules of the house. `cargo xtask help` lists it.
#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, reason = "a command line tool speaks on stdout")]

mod audit;
mod check;
mod requirements;
mod run;
mod setup;
mod shell;
mod test;
mod tidy;

use std::process::ExitCode;

use setup::Purpose;

const USAGE: &str = "\
cargo xtask <command>

  setup [--for run|test|check|bench]   install what is missing
  run [ARGS..]                         build and start Markethall with a demo market
  test [ARGS..]                        every test, on one private PostgreSQL; ARGS go to `cargo test`
  chaos [ROUNDS]                       kill, freeze, fill and slow down everything under load; prints a table
  check                                format, lints, tidy, requirements, audit
  tidy                                 the architecture and style rules
  requirements                         docs/requirements.md against the specification's ids
  audit                                licences and origins of all dependencies
  bench [ARGS..]                       the benchmark table; ARGS go to `bench run`";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.split_first().map(|(command, rest)| (command.as_str(), rest)) {
        Some(("setup", rest)) => purposes(rest).and_then(|all| all.into_iter().try_for_each(setup::setup)),
        Some(("run", rest)) => run::run(rest),
        Some(("bench", rest)) => run::bench(rest),
        Some(("test", rest)) => test::test(rest),
        Some(("chaos", rest)) => test::chaos(rest),
        Some(("check", [])) => check::check(),
        Some(("tidy", [])) => tidy::tidy(),
        Some(("requirements", [])) => requirements::requirements(),
        Some(("audit", [])) => audit::audit(),
        Some(("help" | "--help" | "-h", _)) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn purposes(args: &[String]) -> anyhow::Result<Vec<Purpose>> {
    match args {
        [] => Ok(vec![Purpose::Run, Purpose::Test, Purpose::Check, Purpose::Bench]),
        [flag, word] if flag == "--for" => Ok(vec![word.parse()?]),
        _ => anyhow::bail!("usage: cargo xtask setup [--for run|test|check|bench]"),
    }
}
