//! `markethall migrate`

use anyhow::Result;
use clap::Subcommand;
use db::migrate::{self, Migrations};
use messages::TenantLookup;
use serde::Serialize;

use super::{Outcome, output, session::Session};
use crate::{
    config::Config,
    installation::{control_migrations, tenant_migrations},
};

/// Schema versions.
#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// Show which steps each database has and lacks.
    Status,
    /// Run the missing steps in every database.
    Up,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    shard: String,
    database: String,
    applied: usize,
    pending: Vec<String>,
    ran: Vec<String>,
}

/// Opening the installation brings the databases up that every merchant shares; dedicated ones are looked at here.
pub(super) async fn run(config: Config, command: MigrateCommand, json: bool) -> Result<Outcome> {
    let session = Session::open(config).await?;
    let rows = look(&session, matches!(command, MigrateCommand::Up)).await;
    let rows = session.end(rows).await?;
    let cells = |row: &Row| {
        let (applied, pending) = (row.applied.to_string(), row.pending.join(" "));
        vec![row.shard.clone(), row.database.clone(), applied, pending, row.ran.join(" ")]
    };
    let cells: Vec<_> = rows.iter().map(cells).collect();
    output::print(json, &rows, output::table(&["shard", "database", "applied", "pending", "ran"], &cells))?;
    Ok(Outcome::Done)
}

async fn look(session: &Session, up: bool) -> Result<Vec<Row>> {
    let names = &session.app.config.database.names;
    let first = session.app.config.database.shard.clone();
    let mut wanted = vec![(first, names.control.clone(), control_migrations())];
    for shard in session.app.db.shard_names() {
        wanted.push((shard.to_string(), names.template.clone(), tenant_migrations()));
        wanted.push((shard.to_string(), names.shared.clone(), tenant_migrations()));
    }
    for placement in session.app.control.list_databases().await? {
        if placement.dedicated {
            wanted.push((placement.shard.to_string(), placement.database.to_string(), tenant_migrations()));
        }
    }
    let mut rows = Vec::with_capacity(wanted.len());
    for (shard, database, steps) in wanted {
        rows.push(one(session, shard, database, &steps, up).await?);
    }
    Ok(rows)
}

async fn one(
    session: &Session,
    shard: String,
    database: String,
    steps: &Migrations,
    up: bool,
) -> Result<Row> {
    let Some(access) = session.installation.shards.get(shard.as_str()) else {
        anyhow::bail!("shard {shard} is not configured");
    };
    let owner = access.owner(&database);
    let ran = if up { migrate::up(&owner, steps).await? } else { Vec::new() };
    let status = migrate::status(&owner, steps).await?;
    let names = |steps: &[migrate::StepId]| steps.iter().map(ToString::to_string).collect();
    let pending = names(&status.pending);
    Ok(Row { shard, database, applied: status.applied.len(), pending, ran: names(&ran) })
}
