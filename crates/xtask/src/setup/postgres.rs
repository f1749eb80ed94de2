//! PostgreSQL's server binaries. Only the files are needed: Markethall starts its own private cluster.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use super::apt;
use crate::shell;

const OLDEST: u32 = 15;

/// Sees to it that all `programs` of one PostgreSQL 15 or newer are there.
pub(crate) fn ensure(programs: &[&str]) -> Result<()> {
    if find(programs).is_some() {
        return Ok(());
    }
    apt::install(&["postgresql"], "PostgreSQL 15 or newer (server binaries)")?;
    if find(programs).is_none() {
        bail!(
            "this system's `postgresql` package is older than {OLDEST} or incomplete (needed: {}): install \
             PostgreSQL {OLDEST} or newer from https://www.postgresql.org/download/",
            programs.join(", ")
        );
    }
    Ok(())
}

/// The folder with all `programs`, the newest version first.
pub(crate) fn find(programs: &[&str]) -> Option<PathBuf> {
    let mut dirs = versioned(Path::new("/usr/lib/postgresql"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    dirs.extend(std::env::split_paths(&path));
    dirs.into_iter().find(|dir| {
        programs.iter().all(|program| shell::is_executable(&dir.join(program)))
            && shell::probe(&dir.join("postgres"), &["--version"])
                .and_then(|text| shell::major_version(&text))
                .is_some_and(|version| version >= OLDEST)
    })
}

/// `<base>/<version>/bin`, newest first.
fn versioned(base: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(base)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, dir)| dir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_servers_come_first_and_other_folders_are_ignored() -> Result<()> {
        let base = tempfile::tempdir()?;
        for name in ["9", "15", "17", "common"] {
            fs::create_dir(base.path().join(name))?;
        }
        let names: Vec<_> = versioned(base.path());
        let expected: Vec<_> = ["17", "15", "9"].map(|v| base.path().join(v).join("bin")).into();
        assert_eq!(names, expected);
        assert!(versioned(&base.path().join("nowhere")).is_empty());
        Ok(())
    }
}
