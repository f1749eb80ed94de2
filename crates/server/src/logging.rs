//! Logs to standard error: JSON lines for machines, text for people. Never personal data, never secrets.

mod json;

use std::{io::IsTerminal, time::Duration};

use tracing::{Level, Metadata};
use tracing_subscriber::{EnvFilter, filter::filter_fn, fmt, prelude::*};

use crate::config::LogConfig;
use json::JsonLines;

/// The crates of this program, which log nothing about people at any level.
const OURS: [&str; 12] = [
    "kernel",
    "csvio",
    "db",
    "traces",
    "messages",
    "edge",
    "control",
    "catalog",
    "customers",
    "inventory",
    "sales",
    "reporting",
];

/// Whether an event may be logged whatever the configuration asks for.
///
/// Other people's crates log what passes through them when they are asked to be talkative: the driver its parameters,
/// HTTP its headers. That is personal data and tokens, so they are not asked (DPR-4).
fn is_discreet(metadata: &Metadata<'_>) -> bool {
    let name = metadata.target().split("::").next().unwrap_or_default();
    let most = match name {
        "server" | "markethall" => Level::TRACE,
        name if OURS.contains(&name) => Level::TRACE,
        // Notices of the database may quote values.
        "tokio_postgres" => Level::WARN,
        _ => Level::INFO,
    };
    *metadata.level() <= most
}

/// Starts logging; commands other than `serve` say only what went wrong. A second call changes nothing.
pub fn begin(config: &LogConfig, serving: bool) {
    db::tell_of_statements_slower_than(Duration::from_millis(config.slow_statement_ms));
    let filter = if serving { config.filter.as_str() } else { "warn" };
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let registry = tracing_subscriber::registry().with(filter).with(filter_fn(is_discreet));
    // Tests may have begun before; their choice stands.
    let begun = if config.json {
        let lines = JsonLines { service: config.service.clone() };
        registry.with(layer.with_ansi(false).event_format(lines)).try_init()
    } else {
        registry.with(layer.with_target(false)).try_init()
    };
    drop(begun);
}
