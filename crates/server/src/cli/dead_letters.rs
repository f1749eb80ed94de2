//! `markethall dead-letters`: messages that were given up, without a running server (MSG-4).

use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Subcommand;
use messages::{
    DEAD_LETTERS_PAGE_MAX, DeadLetter, DeadLetterFilter, DeadLetterId, DeadLetterPage, DeadLetters,
};
use serde_json::json;

use super::{Outcome, output, session::Session};
use crate::config::Config;

/// Messages that were given up.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them, latest first.
    List {
        /// Only of the merchant with this slug.
        #[arg(long)]
        tenant: Option<String>,
        /// Only of this consumer.
        #[arg(long)]
        consumer: Option<String>,
        /// Only those given up before this one.
        #[arg(long, value_name = "ID")]
        before: Option<DeadLetterId>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = limit)]
        limit: usize,
    },
    /// Show one with its data and its error.
    Show {
        /// The dead letter.
        id: DeadLetterId,
    },
    /// Have one delivered again, with all tries before it.
    Replay {
        /// The dead letter.
        id: DeadLetterId,
    },
    /// Delete one for good.
    Drop {
        /// The dead letter.
        id: DeadLetterId,
    },
}

fn limit(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=DEAD_LETTERS_PAGE_MAX).contains(number));
    number.ok_or_else(|| format!("must be between 1 and {DEAD_LETTERS_PAGE_MAX}"))
}

pub(super) async fn run(config: Config, command: DeadLettersCommand, json: bool) -> Result<Outcome> {
    let session = Session::open(config).await?;
    let done = act(&session, command, json).await;
    session.end(done).await
}

async fn act(session: &Session, command: DeadLettersCommand, json: bool) -> Result<Outcome> {
    let letters = DeadLetters::new(session.app.db.clone(), Arc::new(session.app.control.clone()));
    match command {
        DeadLettersCommand::List { tenant, consumer, before, limit } => {
            let tenant = match tenant {
                Some(slug) => Some(session.ctx(&slug).await?.tenant_id()),
                None => None,
            };
            let page = letters.list(&DeadLetterFilter { tenant, consumer, before, limit }).await?;
            list(&page, json)?;
        }
        DeadLettersCommand::Show { id } => {
            let Some(letter) = letters.find(id).await? else { bail!("there is no dead letter {id}") };
            output::print(json, &letter, serde_json::to_string_pretty(&letter)?)?;
        }
        DeadLettersCommand::Replay { id } => {
            let found = letters.replay(id, session.app.clock.now()).await?;
            done(found, id, "replayed", json)?;
        }
        DeadLettersCommand::Drop { id } => done(letters.discard(id).await?, id, "dropped", json)?,
    }
    Ok(Outcome::Done)
}

fn done(found: bool, id: DeadLetterId, what: &'static str, json: bool) -> Result<()> {
    if !found {
        bail!("there is no dead letter {id}");
    }
    output::print(json, &json!({ "id": id, what: true }), format!("{id} is {what}"))
}

fn list(page: &DeadLetterPage, json: bool) -> Result<()> {
    let shown = json!({ "items": page.items, "hasMore": page.has_more, "unreachable": page.unreachable });
    let cells = |letter: &DeadLetter| {
        vec![
            letter.id.to_string(),
            letter.consumer.clone(),
            letter.kind.clone(),
            letter.failed_at.to_string(),
            letter.attempts.to_string(),
            letter.error.lines().next().unwrap_or_default().chars().take(80).collect(),
        ]
    };
    let rows: Vec<_> = page.items.iter().map(cells).collect();
    let mut lines = output::table(&["id", "consumer", "type", "given up", "tries", "error"], &rows);
    for database in &page.unreachable {
        lines.push_str(&format!("\n{database} cannot be reached now: its dead letters are missing"));
    }
    if page.has_more {
        lines.push_str("\nthere are more: --before the last id");
    }
    output::print(json, &shown, lines)
}
