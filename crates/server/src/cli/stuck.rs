//! `markethall stuck`: money that is stuck, without a running server (PAY-3).

use anyhow::{Result, bail};
use checkout::{StuckMoney, list_stuck};
use clap::Subcommand;
use payments::PaymentId;
use serde_json::json;

use super::{Outcome, output, session::Session};
use crate::config::Config;

/// Money that is stuck.
#[derive(Debug, Subcommand)]
pub enum StuckCommand {
    /// List what was paid without an order, ordered without a payment, or of which nobody knows.
    List {
        /// The merchant's slug.
        #[arg(long)]
        tenant: String,
    },
    /// Repair what is stuck about a payment; safe, and may be repeated.
    Repair {
        /// The merchant's slug.
        #[arg(long)]
        tenant: String,
        /// The payment.
        payment: PaymentId,
    },
}

pub(super) async fn run(config: Config, command: StuckCommand, json: bool) -> Result<Outcome> {
    let session = Session::open(config).await?;
    let done = act(&session, command, json).await;
    session.end(done).await
}

async fn act(session: &Session, command: StuckCommand, json: bool) -> Result<Outcome> {
    match command {
        StuckCommand::List { tenant } => {
            let ctx = session.ctx(&tenant).await?;
            let tx = session.app.db.begin_report(&ctx).await?;
            let found = list_stuck(&tx).await?;
            tx.commit().await?;
            let lines: Vec<String> = found.iter().map(line).collect();
            output::print(json, &json!({ "items": found }), lines.join("\n"))?;
            Ok(Outcome::Done)
        }
        StuckCommand::Repair { tenant, payment } => {
            let ctx = session.ctx(&tenant).await?;
            let Some(repaired) = session.app.checkouts.repair(&ctx, payment).await? else {
                bail!("{tenant} has no payment {payment}")
            };
            output::print(json, &repaired, &repaired.detail)?;
            Ok(if repaired.repaired { Outcome::Done } else { Outcome::Failed })
        }
    }
}

fn line(stuck: &StuckMoney) -> String {
    let kind = serde_json::to_value(stuck.kind).unwrap_or_default();
    let kind = kind.as_str().unwrap_or_default().replace('_', " ");
    format!(
        "{}  {:>12} {}  {kind} since {}: {}",
        stuck.payment_id, stuck.amount.amount, stuck.amount.currency, stuck.since, stuck.repair
    )
}
