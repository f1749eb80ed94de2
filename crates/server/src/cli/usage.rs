//! `markethall usage`: what merchants used, without a running server (PLT-8, PLT-16).

use anyhow::Result;
use clap::Args;
use control::usage::{Days, TenantUsage, UsageFilter, add_up, list_usage};
use jiff::civil::Date;
use serde_json::json;

use super::{Outcome, output, session::Session};
use crate::config::Config;

/// The most merchants shown at once.
const MOST_SHOWN: i64 = 10_000;

/// Which days.
#[derive(Debug, Args)]
pub struct UsageArgs {
    /// Only of this merchant.
    #[arg(long)]
    tenant: Option<String>,
    /// The first day (UTC); the first of the month when left out.
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// The last day; today when left out.
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
}

pub(super) async fn run(config: Config, args: UsageArgs, json: bool) -> Result<Outcome> {
    let session = Session::open(config).await?;
    let done = show(&session, args, json).await;
    session.end(done).await
}

async fn show(session: &Session, args: UsageArgs, json: bool) -> Result<Outcome> {
    let now = session.app.clock.now();
    let days = Days::new(args.from, args.to, now).map_err(|error| output::usage(format!("--to: {error}")))?;
    let control = &session.app.control;
    add_up(control, now).await?;
    let tx = control.db().control().await?;
    let filter = UsageFilter { days, tenant: args.tenant, after: None, limit: MOST_SHOWN };
    let usage = list_usage(&tx, &filter).await?;
    tx.commit().await?;
    let rows: Vec<_> = usage.iter().map(cells).collect();
    let header = ["merchant", "tier", "calls", "bytes in", "bytes out", "ms at work"];
    output::print(json, &json!({ "items": usage }), output::table(&header, &rows))?;
    Ok(Outcome::Done)
}

fn cells(usage: &TenantUsage) -> Vec<String> {
    let used = usage.used;
    let amounts = [used.calls, used.received_bytes, used.sent_bytes, used.worked_ms];
    let names = [usage.tenant.clone(), format!("{:?}", usage.tier).to_lowercase()];
    names.into_iter().chain(amounts.iter().map(i64::to_string)).collect()
}
