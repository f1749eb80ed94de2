//! `markethall import`

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
};

use anyhow::{Context, Result};
use clap::Args;
use csvio::RejectWriter;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{Kind, Outcome, TenantFile, output, session::Session};
use crate::config::Config;

/// What to take in.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What the file holds.
    kind: Kind,
    /// The merchant and the file.
    #[command(flatten)]
    file: TenantFile,
    /// Where rows that are not taken are written; FILE.rejects.csv when not given.
    #[arg(long)]
    rejects: Option<PathBuf>,
}

/// Shows how far an import is, on a terminal only.
struct Progress(ProgressBar);

impl Progress {
    fn begin() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} rows  {per_sec}  {elapsed}") {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

pub(super) async fn run(config: Config, args: ImportArgs, json: bool) -> Result<Outcome> {
    if !args.file.file.is_file() {
        return Err(output::usage(format!("there is no file {}", args.file.file.display())));
    }
    let path = args.rejects.clone().unwrap_or_else(|| {
        let mut name = args.file.file.as_os_str().to_owned();
        name.push(".rejects.csv");
        name.into()
    });
    let draft = path.with_extension("part");
    let session = Session::open(config).await?;
    let done = import(&session, &args, &draft).await;
    let (summary, rejected) = session.end(done).await?;
    if rejected > 0 {
        std::fs::rename(&draft, &path).with_context(|| format!("cannot write {}", path.display()))?;
    } else {
        std::fs::remove_file(&draft).with_context(|| format!("cannot remove {}", draft.display()))?;
    }
    let mut lines = serde_json::to_string_pretty(&summary)?;
    if rejected > 0 {
        lines.push_str(&format!("\n{rejected} rows were not taken, see {}", path.display()));
    }
    output::print(json, &summary, lines)?;
    Ok(if rejected == 0 { Outcome::Done } else { Outcome::Failed })
}

async fn import(
    session: &Session,
    args: &ImportArgs,
    rejects: &std::path::Path,
) -> Result<(serde_json::Value, u64)> {
    let ctx = session.ctx(&args.file.tenant).await?;
    let target = File::create(rejects).with_context(|| format!("cannot write {}", rejects.display()))?;
    let target = BufWriter::new(target);
    let progress = Progress::begin();
    let app = &session.app;
    let open = || File::open(&args.file.file);
    match args.kind {
        Kind::Products => {
            let mut rejects = RejectWriter::new(target)?;
            let told = |done: &catalog::ProductImport| progress.0.set_position(done.rows);
            let source = csvio::open(open()?)?;
            let summary = catalog::import_products(&app.catalog, &ctx, source, &mut rejects, told).await?;
            finish(&summary, rejects)
        }
        Kind::Stock => {
            let mut rejects = RejectWriter::new(target)?;
            let told = |done: &inventory::StockImport| progress.0.set_position(done.rows);
            let source = csvio::open(open()?)?;
            let summary = inventory::import_stock(&app.db, &ctx, source, &mut rejects, told).await?;
            finish(&summary, rejects)
        }
        Kind::Sales => {
            let told = |rows| progress.0.set_position(rows);
            let done =
                sales::import_sales(&app.db, &app.catalog, &ctx, &args.file.file, target, told).await?;
            Ok((serde_json::to_value(done)?, done.rejected))
        }
    }
}

fn finish<W: Write>(
    summary: &impl Serialize,
    mut rejects: RejectWriter<W>,
) -> Result<(serde_json::Value, u64)> {
    rejects.flush()?;
    Ok((serde_json::to_value(summary)?, rejects.count()))
}
