//! `markethall usage`: what merchants used, without a running server (PLT-8, PLT-16).

use anyhow::Result;
use clap::Args;
use control::{
    Control,
    usage::{CostLine, Days, TenantUsage, UsageFilter, add_up, count_facts_of, list_usage, report_costs},
};
use edge::Registry as _;
use jiff::civil::Date;
use kernel::Timestamp;
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
    /// What the use of the merchant cost, line by line, instead of what was used.
    #[arg(long, requires = "tenant")]
    cost: bool,
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
    if let (true, Some(slug)) = (args.cost, &args.tenant) {
        return show_costs(control, slug, days, now, json).await;
    }
    let tx = control.db().control().await?;
    let filter = UsageFilter { days, tenant: args.tenant, after: None, limit: MOST_SHOWN };
    let usage = list_usage(&tx, &filter).await?;
    tx.commit().await?;
    let rows: Vec<_> = usage.iter().map(cells).collect();
    let header = [
        "merchant",
        "tier",
        "calls",
        "bytes in",
        "bytes out",
        "ms at work",
        "messages",
        "rows",
        "bytes",
        "database ms",
    ];
    output::print(json, &json!({ "items": usage }), output::table(&header, &rows))?;
    Ok(Outcome::Done)
}

fn cells(usage: &TenantUsage) -> Vec<String> {
    let used = usage.used;
    let amounts = [used.calls, used.received_bytes, used.sent_bytes, used.worked_ms, used.messages];
    let held = [used.stored_rows, used.stored_bytes];
    let held = held.map(|amount| amount.map_or_else(|| "-".to_owned(), |amount| amount.to_string()));
    let names = [usage.tenant.clone(), format!("{:?}", usage.tier).to_lowercase()];
    names
        .into_iter()
        .chain(amounts.iter().map(i64::to_string))
        .chain(held)
        .chain([used.database_ms.to_string()])
        .collect()
}

/// The cost report of one merchant, its facts counted just now.
async fn show_costs(
    control: &Control,
    slug: &str,
    days: Days,
    now: Timestamp,
    json: bool,
) -> Result<Outcome> {
    let unknown = || output::usage(format!("there is no merchant {slug}"));
    let tenant = control.find_tenant(slug).await?.ok_or_else(unknown)?;
    count_facts_of(control, &tenant, now).await?;
    let tx = control.db().control().await?;
    let report = report_costs(&tx, control.config(), slug, days).await?.ok_or_else(unknown)?;
    tx.commit().await?;
    let mut rows: Vec<_> = report.lines.iter().map(cost_cells).collect();
    let total = ["total", "", "", "", "", "", &report.total.to_string()];
    rows.push(total.map(str::to_owned).to_vec());
    let header = ["item", "tier", "from", "to", "quantity", "price", "amount"];
    output::print(json, &json!(report), output::table(&header, &rows))?;
    Ok(Outcome::Done)
}

fn cost_cells(line: &CostLine) -> Vec<String> {
    let price = line.price.map_or_else(String::new, |it| format!("{} for {}", it.amount, it.per));
    vec![
        line.item.clone(),
        format!("{:?}", line.tier).to_lowercase(),
        line.from.to_string(),
        line.to.to_string(),
        line.quantity.to_string(),
        price,
        line.amount.to_string(),
    ]
}
