//! A lean load generator: one thread, hand-built requests over kept-alive connections.
//!
//! It runs as a process of its own, so that its processor time can be told from the server's.

mod connection;
mod drive;
mod outcome;
mod plan;
mod request;
mod response;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

pub(crate) use outcome::Outcome;
pub(crate) use plan::{Checkouts, Get, Plan, Post, Sales, Shopper, Till, Work};
pub(crate) use response::parse as parse_response;

/// Where the plan is.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A plan as JSON
    #[arg(long)]
    plan: PathBuf,
}

/// Carries out the plan and prints the outcome as JSON.
pub(crate) fn load(args: &Args) -> Result<()> {
    let text = fs::read(&args.plan).with_context(|| format!("cannot read {}", args.plan.display()))?;
    let plan: Plan = serde_json::from_slice(&text).context("not a plan")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(drive::drive(plan))?;
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}
