//! The benchmark table: what Markethall does, beside what the machine can do at all, measured in the same run.

mod client;
mod database;
mod generator;
mod machine;
mod market;
mod measure;
mod scale;
mod seed;
mod table;

use std::{
    fs::{self, File},
    path::PathBuf,
};

use anyhow::{Context, Result, bail};
use market::Market;
use scale::Scale;
use table::Row;

/// How much to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Short rounds and little data: to see that everything works, not to be quoted
    #[arg(long)]
    quick: bool,
    /// Only these groups: start, sell, checkout, orders, messages, read, search, history, tenants, crowd, cost; repeatable
    #[arg(long)]
    only: Vec<String>,
    /// The Complete Journey study, for import and search
    #[arg(long, default_value = "../shared/data/complete-journey")]
    data: PathBuf,
    /// Sales of the tenant with a history; by default five million
    #[arg(long)]
    history: Option<u64>,
    /// Tenants of the large platform; by default a thousand
    #[arg(long)]
    many: Option<usize>,
    /// Rounds of each measurement; by default three
    #[arg(long)]
    rounds: Option<usize>,
    /// Length of one round in seconds; by default thirty
    #[arg(long)]
    seconds: Option<u64>,
    /// The program to measure; beside this one when not given
    #[arg(long)]
    program: Option<PathBuf>,
}

/// What the measurements share.
struct Bench {
    market: Market,
    scale: Scale,
    data: PathBuf,
    home: PathBuf,
    rows: Vec<Row>,
}

type Measure = fn(&mut Bench) -> Result<()>;

const GROUPS: [(&str, Measure); 11] = [
    ("start", measure::start),
    ("sell", measure::sell),
    ("checkout", measure::checkout),
    ("orders", measure::orders),
    ("messages", measure::messages),
    ("read", measure::read),
    ("search", measure::search),
    ("history", measure::history),
    ("tenants", measure::tenants),
    ("crowd", measure::crowd),
    ("cost", measure::cost),
];

/// Measures, prints the table, and writes it beside as `target/bench/result.{md,json}`.
///
/// # Errors
/// When a group cannot be measured; the others are printed all the same.
pub(crate) fn run(args: &Args) -> Result<()> {
    for name in &args.only {
        if !GROUPS.iter().any(|(group, _)| group == name) {
            bail!("no group {name:?}");
        }
    }
    let own = std::env::current_exe()?;
    let release = own.parent().context("this program lies nowhere")?;
    let home = release.parent().context("this program lies nowhere")?.join("bench");
    fs::create_dir_all(&home)?;
    let lock = File::create(home.join("lock"))?;
    lock.try_lock().context("another bench is running")?;

    let program = args.program.clone().unwrap_or_else(|| release.join("markethall"));
    let market = Market::new(&program, &home)?;
    let mut scale = if args.quick { Scale::quick() } else { Scale::full() };
    scale.history = args.history.unwrap_or(scale.history);
    scale.many = args.many.unwrap_or(scale.many);
    scale.rounds = args.rounds.unwrap_or(scale.rounds).max(1);
    scale.seconds = args.seconds.unwrap_or(scale.seconds).max(1);
    let mut bench = Bench { market, scale, data: args.data.clone(), home, rows: Vec::new() };
    // Whoever interrupts us has interrupted what we started too: it fails, and all is cleared away.
    ctrlc::set_handler(market::interrupt)?;
    let mut failed = Vec::new();
    for (name, measure) in GROUPS {
        if market::interrupted() {
            bail!("interrupted");
        }
        if !args.only.is_empty() && !args.only.iter().any(|only| only == name) {
            continue;
        }
        eprintln!("bench: {name}");
        if let Err(error) = measure(&mut bench) {
            eprintln!("bench: {name}: {error:#}");
            failed.push(name);
        }
    }
    bench.report(args.quick)?;
    if !failed.is_empty() {
        bail!("not measured: {}", failed.join(", "));
    }
    Ok(())
}

impl Bench {
    /// Opens the market unless it is open.
    fn open(&mut self) -> Result<()> {
        if self.market.address().is_err() {
            self.market.start()?;
        }
        Ok(())
    }

    fn add(&mut self, row: Row) {
        eprintln!("bench: {}: {:.2} {}", row.name, row.value, row.unit);
        self.rows.push(row);
    }

    fn report(&self, quick: bool) -> Result<()> {
        let postgres = self.market.database().and_then(|database| database.version()).unwrap_or_default();
        let mut facts = machine::facts(&postgres);
        if quick {
            facts.insert("quick".to_owned(), "not to be quoted".to_owned());
        }
        let text = table::markdown(&facts, &self.rows);
        println!("{text}");
        fs::write(self.home.join("result.md"), text)?;
        let json = serde_json::json!({ "machine": facts, "rows": self.rows });
        fs::write(self.home.join("result.json"), serde_json::to_string_pretty(&json)?)?;
        Ok(())
    }
}
