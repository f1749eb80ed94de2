//! The command line. One JSON document on standard output with `--json`; logs go to standard error.

mod check;
mod dead_letters;
mod export;
mod flag;
mod import;
mod migrate;
mod output;
mod serve;
mod session;
mod stuck;
mod tenant;
mod token;
mod usage;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Config;
pub use output::{Outcome, Usage};
pub(crate) use tenant::operator;

/// Commerce for many merchants under one roof.
#[derive(Debug, Parser)]
#[command(name = "markethall", version, about)]
pub struct Cli {
    /// The configuration file (TOML); defaults < file < environment < flags.
    #[arg(long, global = true, env = "MARKETHALL_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One JSON document on standard output.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve until interrupted.
    Serve(serve::ServeArgs),
    /// Merchants.
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// Sign a token with the built-in issuer.
    Token(token::TokenArgs),
    /// Take data in from CSV.
    Import(import::ImportArgs),
    /// Write data out as CSV.
    Export(export::ExportArgs),
    /// Feature flags.
    #[command(subcommand)]
    Flag(flag::FlagCommand),
    /// What merchants used.
    Usage(usage::UsageArgs),
    /// Messages that were given up.
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLettersCommand),
    /// Money that is stuck between payment and order.
    #[command(subcommand)]
    Stuck(stuck::StuckCommand),
    /// Prove every invariant; exit code 1 on any violation.
    Check(check::CheckArgs),
    /// Schema versions.
    #[command(subcommand)]
    Migrate(migrate::MigrateCommand),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the OpenAPI document.
    Openapi,
    /// Print the catalogue of problem codes (Markdown).
    Errors,
    /// Print the catalogue of messages (AsyncAPI).
    Asyncapi,
}

/// The configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read it, refuse what is wrong, and show what is in force, secrets masked.
    Check,
}

/// A file and the merchant it belongs to.
#[derive(Debug, Args)]
pub struct TenantFile {
    /// The merchant's slug.
    #[arg(long)]
    pub tenant: String,
    /// The CSV file, plain or gzip.
    pub file: PathBuf,
}

/// What can be imported or exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The catalog.
    Products,
    /// Levels per shop.
    Stock,
    /// History.
    Sales,
}

/// Runs a command; the error is what to print, the outcome what to exit with.
///
/// # Errors
/// Whatever stopped it, in words for the operator.
pub async fn run(cli: Cli) -> anyhow::Result<Outcome> {
    let mut config = Config::load(cli.config.as_deref()).map_err(output::usage)?;
    if let Command::Serve(args) = &cli.command {
        args.apply(&mut config);
    }
    crate::logging::begin(&config.log, matches!(cli.command, Command::Serve(_)));
    let json = cli.json;
    match cli.command {
        Command::Serve(args) => serve::run(config, args).await,
        Command::Tenant(command) => tenant::run(config, command, json).await,
        Command::Token(args) => token::run(config, args, json).await,
        Command::Import(args) => import::run(config, args, json).await,
        Command::Export(args) => export::run(config, args, json).await,
        Command::Flag(command) => flag::run(config, command, json).await,
        Command::Usage(args) => usage::run(config, args, json).await,
        Command::DeadLetters(command) => dead_letters::run(config, command, json).await,
        Command::Stuck(command) => stuck::run(config, command, json).await,
        Command::Check(args) => check::run(config, args, json).await,
        Command::Migrate(command) => migrate::run(config, command, json).await,
        Command::Config(ConfigCommand::Check) => {
            crate::installation::check_places(&config)
                .map_err(|error| output::usage(format!("{error:#}")))?;
            edge::serve::check_files(&config.serve).map_err(|error| output::usage(error.to_string()))?;
            output::show_config(&config, json)
        }
        Command::Openapi => output::text(&crate::documents::openapi()?),
        Command::Errors => output::text(&crate::documents::errors()?),
        Command::Asyncapi => output::text(&crate::documents::asyncapi()?),
    }
}
