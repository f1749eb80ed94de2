//! The rules of architecture and style that a machine can hold. There is no list of old sins.

mod crates;
mod nouns;
mod rust;
mod size;
mod source;
mod sql;
mod text;
mod words;

use std::{collections::BTreeSet, fmt};

use anyhow::{Result, bail};

use crate::shell;

pub(crate) use crates::metadata;
use source::SourceFile;

/// Something that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, rule: &'static str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, rule, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: [{}] {}", self.path, self.line, self.rule, self.message)
    }
}

/// Checks the whole workspace.
///
/// # Errors
/// When anything breaks a rule; each finding is printed with its place.
pub(crate) fn tidy() -> Result<()> {
    let root = shell::root()?;
    let metadata = metadata(&root)?;
    let files = source::collect(&root)?;
    let mut findings = crates::check(&metadata, &root)?;
    for file in &files {
        findings.extend(check_file(file));
    }
    if findings.is_empty() {
        println!("tidy: {} files in order", files.len());
        return Ok(());
    }
    let sorted: BTreeSet<_> = findings.into_iter().collect();
    for finding in &sorted {
        eprintln!("{finding}");
    }
    bail!("tidy: {} findings", sorted.len())
}

fn check_file(file: &SourceFile) -> Vec<Finding> {
    let mut findings = size::check(file);
    findings.extend(text::check(file));
    match file.extension() {
        "rs" => findings.extend(rust::check(file)),
        "sql" => findings.extend(sql::check_file(file)),
        _ => {}
    }
    findings
}

#[cfg(test)]
pub(crate) mod testing {
    use super::{Finding, SourceFile};

    /// What `check` finds in `text` as if it stood at `path`, each as `line rule`.
    pub(crate) fn found(check: impl Fn(&SourceFile) -> Vec<Finding>, path: &str, text: &str) -> Vec<String> {
        let file = SourceFile::new(path, text);
        check(&file).into_iter().map(|finding| format!("{} {}", finding.line, finding.rule)).collect()
    }
}
