//! What commands print and exit with.

use std::io::Write;

use anyhow::Result;
use serde::Serialize;

use crate::config::Config;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0.
    Done,
    /// Exit code 1: failed, violated or partly rejected.
    Failed,
}

/// Wrong usage: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// A sentence about wrong usage as an error.
pub(super) fn usage(text: impl Into<String>) -> anyhow::Error {
    Usage(text.into()).into()
}

/// Prints `text` as it is.
pub(super) fn text(text: &str) -> Result<Outcome> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(Outcome::Done)
}

/// Prints `value` as one JSON document, or `lines` for people.
pub(super) fn print(json: bool, value: &impl Serialize, lines: impl AsRef<str>) -> Result<()> {
    if json { text(&serde_json::to_string(value)?) } else { text(lines.as_ref()) }.map(drop)
}

/// A table with aligned columns.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([header[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(header.to_vec())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

/// Shows the settings in force, as they could stand in the configuration file; secrets are masked.
pub(super) fn show_config(config: &Config, as_json: bool) -> Result<Outcome> {
    print(as_json, config, toml::to_string_pretty(config)?)?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_their_columns() {
        let shown = table(&["slug", "tier"], &[vec!["a-long-one".into(), "free".into()]]);
        assert_eq!(shown, "slug        tier\na-long-one  free");
    }
}
