//! What we build upon: allowed licences, one known origin.
//!
//! `cargo metadata` has all it takes, so that the check needs neither a long installation of cargo-deny nor a network.
//! Security advisories are not covered here: they need the advisory database at hand.

use anyhow::{Result, bail};
use cargo_metadata::Package;

use crate::{shell, tidy};

/// Licences that let the program be given away under Apache-2.0.
const LICENCES: [&str; 15] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MIT",
    "MIT-0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    // The Boost licence, as free as MIT; the Business Source License is BUSL.
    "BSL-1.0",
    "ISC",
    "Zlib",
    "0BSD",
    "Unicode-3.0",
    "Unlicense",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
];

/// Weak copyleft and others, allowed for one crate each.
const EXCEPTIONS: [(&str, &str); 0] = [];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks every package of the lock file.
///
/// # Errors
/// Names each package with a licence or an origin that is not allowed.
pub(crate) fn audit() -> Result<()> {
    let metadata = tidy::metadata(&shell::root()?)?;
    let problems: Vec<String> = metadata.packages.iter().filter_map(problem).collect();
    if problems.is_empty() {
        println!("audit: {} packages, licences and origins in order", metadata.packages.len());
        return Ok(());
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    bail!("audit: {} packages may not be used", problems.len())
}

fn problem(package: &Package) -> Option<String> {
    let Some(source) = &package.source else {
        return None; // Ours.
    };
    let name = format!("{} {}", package.name, package.version);
    if source.repr != REGISTRY {
        return Some(format!("{name}: comes from {source}, not from crates.io"));
    }
    let Some(licence) = &package.license else {
        return Some(format!("{name}: says nothing about its licence"));
    };
    let excepted =
        EXCEPTIONS.iter().any(|(crate_name, allowed)| package.name == *crate_name && licence == allowed);
    (!excepted && !is_allowed(licence)).then(|| format!("{name}: licence {licence}"))
}

/// Whether an SPDX expression can be met with allowed licences only; the old `/` means `OR`.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    split(expression, " OR ").is_some_and(|parts| parts.iter().any(|part| is_allowed(part)))
        || split(expression, " AND ").is_some_and(|parts| parts.iter().all(|part| is_allowed(part)))
        || stripped(expression).is_some_and(is_allowed)
        || LICENCES.contains(&expression)
}

/// The parts between `word`s outside parentheses; none when there is no such word.
fn split<'a>(expression: &'a str, word: &str) -> Option<Vec<&'a str>> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (at, letter) in expression.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 0 && expression[at..].starts_with(word) => {
                parts.push(&expression[start..at]);
                start = at + word.len();
            }
            _ => {}
        }
    }
    parts.push(&expression[start..]);
    (parts.len() > 1).then_some(parts)
}

/// The inside of `(..)`.
fn stripped(expression: &str) -> Option<&str> {
    expression.strip_prefix('(')?.strip_suffix(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_allowed_choice_is_enough() {
        for licence in ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
            assert!(is_allowed(licence), "{licence}");
        }
        assert!(is_allowed("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"));
    }

    #[test]
    fn copyleft_that_cannot_be_avoided_is_found() {
        for licence in ["GPL-3.0", "AGPL-3.0-only", "MIT AND GPL-3.0", "(MIT OR ISC) AND SSPL-1.0", ""] {
            assert!(!is_allowed(licence), "{licence}");
        }
    }

    fn package(source: &str, licence: &str) -> Result<Package> {
        let text = r#"{"name":"x","version":"1.0.0","id":"x 1","license":LICENCE,"source":SOURCE,"dependencies":[],
            "targets":[],"features":{},"manifest_path":"/x/Cargo.toml"}"#;
        let text = text.replace("LICENCE", licence).replace("SOURCE", source);
        cargo_metadata::MetadataCommand::parse(format!(
            r#"{{"packages":[{text}],"workspace_members":[],"workspace_root":"/","target_directory":"/t","version":1,
            "resolve":null,"workspace_default_members":[]}}"#
        ))?
        .packages
        .pop()
        .ok_or_else(|| anyhow::anyhow!("no package"))
    }

    #[test]
    fn a_package_from_elsewhere_or_without_licence_is_found() -> Result<()> {
        let crates_io = format!("{REGISTRY:?}");
        assert_eq!(problem(&package(&crates_io, r#""MIT""#)?), None);
        assert_eq!(problem(&package("null", "null")?), None);
        for (source, licence) in
            [(r#""git+https://x.org/y""#, r#""MIT""#), (&crates_io, "null"), (&crates_io, r#""GPL-3.0""#)]
        {
            assert!(problem(&package(source, licence)?).is_some(), "{source} {licence}");
        }
        Ok(())
    }
}
