//! `markethall export`

use std::{fs::File, io::BufWriter};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum as _};
use edge::{SecurityEvent, SecurityEventKind, SecurityEvents as _};
use kernel::Actor;
use serde_json::json;

use super::{Kind, Outcome, TenantFile, output, session::Session};
use crate::config::Config;

/// What to write out.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// What the file shall hold: products or sales.
    kind: Kind,
    /// The merchant and the file.
    #[command(flatten)]
    file: TenantFile,
}

pub(super) async fn run(config: Config, args: ExportArgs, json: bool) -> Result<Outcome> {
    if args.kind == Kind::Stock {
        return Err(output::usage("stock cannot be exported; products and sales can"));
    }
    let session = Session::open(config).await?;
    let rows = export(&session, &args).await;
    let rows = session.end(rows).await?;
    output::print(json, &json!({ "rows": rows }), format!("{rows} rows"))?;
    Ok(Outcome::Done)
}

/// Writes beside the file first, so that a failure never leaves half a file under its name.
async fn export(session: &Session, args: &ExportArgs) -> Result<u64> {
    let ctx = session.ctx(&args.file.tenant).await?;
    let draft = args.file.file.with_extension("part");
    let target = File::create(&draft).with_context(|| format!("cannot write {}", draft.display()))?;
    let target = BufWriter::new(target);
    let rows = match args.kind {
        Kind::Products => catalog::export_products(&session.app.catalog, &ctx, target).await?,
        Kind::Sales | Kind::Stock => sales::export_sales(&session.app.db, &ctx, target).await?,
    };
    std::fs::rename(&draft, &args.file.file)
        .with_context(|| format!("cannot write {}", args.file.file.display()))?;
    session.app.control.record(SecurityEvent {
        kind: SecurityEventKind::DataExported,
        at: ctx.now(),
        tenant: Some(ctx.tenant_id()),
        actor: Some(Actor::Operator),
        address: None,
        agent: None,
        reason: "taken as CSV on the command line",
        subject: args.kind.to_possible_value().map(|kind| kind.get_name().to_owned()),
        operation: "export",
        correlation_id: ctx.caller.correlation_id.clone(),
    });
    Ok(rows)
}
