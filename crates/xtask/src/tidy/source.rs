//! The files that the rules look at.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use walkdir::WalkDir;

const EXTENSIONS: [&str; 14] =
    ["rs", "sql", "ts", "tsx", "md", "toml", "sh", "yml", "yaml", "json", "mjs", "html", "css", "txt"];

/// Folders that hold nothing written by people.
const SKIPPED: [&str; 5] = ["target", "node_modules", ".git", "var", "dist"];

/// A text file, by its path from the workspace's folder.
#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The part of the name after the last dot; empty without one.
    pub(crate) fn extension(&self) -> &str {
        Path::new(&self.path).extension().and_then(|extension| extension.to_str()).unwrap_or_default()
    }

    /// The crate that the file is in, if it is in one.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Whether the whole file is test code: an integration test, not a `#[cfg(test)]` module.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
            || self.path.ends_with("_tests.rs")
    }
}

/// Reads every file of a kind that has rules.
pub(crate) fn collect(root: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let walk = WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !SKIPPED.iter().any(|name| entry.file_name() == *name));
    for entry in walk {
        let entry = entry?;
        let path = entry.path().strip_prefix(root)?.to_string_lossy().into_owned();
        let mut file = SourceFile::new(&path, "");
        let named = matches!(entry.file_name().to_str(), Some("Makefile" | "Dockerfile" | "run"));
        if !entry.file_type().is_file() || !(named || EXTENSIONS.contains(&file.extension())) {
            continue;
        }
        file.text = fs::read_to_string(entry.path())
            .with_context(|| format!("{} cannot be read as UTF-8", file.path))?;
        files.push(file);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_collected_and_what_tools_made_is_not() -> Result<()> {
        let root = tempfile::tempdir()?;
        for path in ["crates/a/src/lib.rs", "target/x.rs", "crates/a/node_modules/y.ts", "Makefile", "a.png"]
        {
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().context("a folder")?)?;
            fs::write(file, "x")?;
        }
        let names: Vec<_> = collect(root.path())?.into_iter().map(|file| file.path).collect();
        assert_eq!(names, ["Makefile", "crates/a/src/lib.rs"]);
        Ok(())
    }

    #[test]
    fn a_file_knows_its_crate_and_whether_it_is_a_test() {
        let file = SourceFile::new("crates/sales/tests/it/main.rs", "");
        assert_eq!(file.crate_name(), Some("sales"));
        assert!(file.is_test());
        assert!(!SourceFile::new("crates/sales/src/model.rs", "").is_test());
        assert_eq!(SourceFile::new("Makefile", "").extension(), "");
    }
}
