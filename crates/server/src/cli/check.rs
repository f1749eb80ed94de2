//! `markethall check`

use anyhow::Result;
use clap::Args;
use messages::TenantLookup;
use serde::Serialize;

use super::{Outcome, output, session::Session};
use crate::{
    check::{Finding, check_platform, check_tenant},
    config::Config,
};

/// What to prove.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Only this merchant.
    #[arg(long)]
    tenant: Option<String>,
}

#[derive(Serialize)]
struct Report {
    tenants: usize,
    violations: Vec<Finding>,
}

pub(super) async fn run(config: Config, args: CheckArgs, json: bool) -> Result<Outcome> {
    let session = Session::open(config).await?;
    let report = prove(&session, &args).await;
    let report = session.end(report).await?;
    let mut lines: Vec<String> = report
        .violations
        .iter()
        .map(|found| {
            let violation = &found.violation;
            format!("{}: {}: {}: {}", found.place, violation.invariant, violation.subject, violation.detail)
        })
        .collect();
    lines.push(format!("{} violations in {} merchants", report.violations.len(), report.tenants));
    output::print(json, &report, lines.join("\n"))?;
    Ok(if report.violations.is_empty() { Outcome::Done } else { Outcome::Failed })
}

async fn prove(session: &Session, args: &CheckArgs) -> Result<Report> {
    if let Some(slug) = &args.tenant {
        let ctx = session.ctx(slug).await?;
        return Ok(Report { tenants: 1, violations: check_tenant(&session.app, &ctx).await? });
    }
    let mut report = Report { tenants: 0, violations: check_platform(&session.app).await? };
    let mut after = None;
    loop {
        let page = TenantLookup::list_tenants(&session.app.control, after, 200).await?;
        let Some(last) = page.last() else { return Ok(report) };
        after = Some(last.id);
        for tenant in page {
            report.tenants += 1;
            let ctx = session.operator(tenant);
            report.violations.extend(check_tenant(&session.app, &ctx).await?);
        }
    }
}
