//! Logs to standard error: JSON lines for machines, text for people. Never personal data, never secrets.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::config::LogConfig;

/// Starts logging; commands other than `serve` say only what went wrong. A second call changes nothing.
pub fn begin(config: &LogConfig, serving: bool) {
    let filter = if serving { config.filter.as_str() } else { "warn" };
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let registry = tracing_subscriber::registry().with(filter);
    // Tests may have begun before; their choice stands.
    let begun = if config.json {
        registry.with(layer.json().flatten_event(true)).try_init()
    } else {
        registry.with(layer.with_target(false)).try_init()
    };
    drop(begun);
}
