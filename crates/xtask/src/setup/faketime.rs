//! libfaketime, by which the fault test has one process' clock go wrong.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::apt;

const NAME: &str = "libfaketimeMT.so.1";

/// Sees to it that it is there if it can be had; without it the test leaves that fault out and says so.
pub(crate) fn ensure() -> Result<()> {
    if is_there(Path::new("/usr")) {
        return Ok(());
    }
    if let Err(error) = apt::install(&["libfaketime"], "libfaketime (for the fault test's wrong clocks)") {
        println!("setup: {error:#}\nsetup: clocks will not go wrong in the fault test");
    }
    Ok(())
}

/// In `lib/faketime`, `lib64/faketime` or `lib/<architecture>/faketime` below `base`.
fn is_there(base: &Path) -> bool {
    let lib = base.join("lib");
    let by_architecture = std::fs::read_dir(&lib).into_iter().flatten().flatten().map(|entry| entry.path());
    let folders = by_architecture.chain([lib.clone(), base.join("lib64"), base.join("local/lib")]);
    let files = folders.map(|folder: PathBuf| folder.join("faketime").join(NAME));
    files.into_iter().any(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_found_where_distributions_have_it() -> Result<()> {
        for folder in ["lib/x86_64-linux-gnu/faketime", "lib64/faketime", "lib/faketime"] {
            let base = tempfile::tempdir()?;
            assert!(!is_there(base.path()));
            std::fs::create_dir_all(base.path().join(folder))?;
            std::fs::write(base.path().join(folder).join(NAME), "")?;
            assert!(is_there(base.path()), "{folder}");
        }
        Ok(())
    }
}
