//! Finds PostgreSQL's server binaries: `initdb` and `postgres`.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::ClusterError;

/// The oldest major version that Markethall runs on.
const OLDEST: u32 = 15;
/// Where distributions put several versions side by side.
const VERSIONED: [&str; 2] = ["/usr/lib/postgresql", "/opt/homebrew/opt"];

/// A folder with server binaries of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    dir: PathBuf,
    major: u32,
}

impl Binaries {
    /// Looks in `configured` alone when given, else in the usual places, `PATH` and where `pg_config` points.
    ///
    /// An existing data directory of version `needed` takes exactly that version; else the newest wins.
    pub(super) fn find(configured: Option<&Path>, needed: Option<u32>) -> Result<Self, ClusterError> {
        let candidates = match configured {
            Some(dir) => vec![dir.to_owned()],
            None => candidates(),
        };
        let found = candidates.iter().filter_map(|dir| Self::inspect(dir));
        let fits = |found: &Self| match needed {
            Some(needed) => found.major == needed,
            None => found.major >= OLDEST,
        };
        found.filter(fits).max_by_key(|found| found.major).ok_or_else(|| ClusterError::NoBinaries {
            wanted: needed.map_or_else(|| format!("{OLDEST} or newer"), |needed| needed.to_string()),
            searched: candidates.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(", "),
        })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Whether this build can compress its log with lz4.
    pub(super) fn has_lz4(&self) -> bool {
        output(self.program("pg_config").as_os_str(), &["--configure"])
            .is_some_and(|configure| configure.contains("--with-lz4"))
    }

    fn inspect(dir: &Path) -> Option<Self> {
        let dir = dir.canonicalize().ok()?;
        if !dir.join("initdb").is_file() {
            return None;
        }
        let version = output(dir.join("postgres").as_os_str(), &["--version"])?;
        Some(Self { major: major(&version)?, dir })
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    for root in VERSIONED {
        let entries = fs::read_dir(root).into_iter().flatten().flatten();
        dirs.extend(entries.map(|entry| entry.path().join("bin")).filter(|dir| dir.is_dir()));
    }
    for dir in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        // A link such as /usr/local/bin/postgres leads to the folder that has initdb too.
        if let Ok(program) = dir.join("postgres").canonicalize() {
            dirs.extend(program.parent().map(Path::to_owned));
        }
    }
    dirs.extend(output(OsStr::new("pg_config"), &["--bindir"]).map(|dir| PathBuf::from(dir.trim())));
    dirs.sort();
    dirs.dedup();
    dirs
}

fn output(program: &OsStr, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).env("LC_ALL", "C").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is 15; `17beta1` is 17.
fn major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta2"), Some(18));
        assert_eq!(major("postgres"), None);
    }

    #[test]
    fn a_folder_without_binaries_is_refused_with_advice() {
        let error = Binaries::find(Some(Path::new("/nonexistent")), None).unwrap_err().to_string();
        assert!(error.contains("15 or newer") && error.contains("apt-get install"), "{error}");
    }

    #[test]
    fn a_data_directory_of_another_version_asks_for_exactly_that_version() {
        let error = Binaries::find(None, Some(9)).unwrap_err().to_string();
        assert!(error.contains("no PostgreSQL 9 server"), "{error}");
    }
}
