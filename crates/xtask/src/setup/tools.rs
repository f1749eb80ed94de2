//! What tests need from PyPI and npm, at pinned versions, kept under the target folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::apt;
use crate::shell;

const OLDEST_NODE: u32 = 20;

/// A Python environment in `<tools>/venv` with exactly `tests/requirements.txt`.
pub(crate) fn ensure_python(root: &Path, tools: &Path) -> Result<()> {
    let wanted = root.join("tests/requirements.txt");
    let venv = tools.join("venv");
    let stamp = Stamp::new(&venv, std::slice::from_ref(&wanted))?;
    let programs = ["bin/schemathesis", "bin/localstripe"].map(|name| venv.join(name));
    if stamp.is_current() && programs.iter().all(|program| shell::is_executable(program)) {
        return Ok(());
    }
    let python = Path::new("python3");
    if shell::probe(python, &["-c", "import ensurepip, venv"]).is_none() {
        apt::install(
            &["python3", "python3-venv"],
            "Python with venv (for the HTTP fuzzer and the fake of Stripe)",
        )?;
    }
    println!("setup: installing the HTTP fuzzer and the fake of Stripe into {}", venv.display());
    fs::create_dir_all(tools)?;
    shell::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&venv))?;
    shell::run(
        Command::new(venv.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(&wanted),
    )?;
    stamp.write()
}

/// The OpenID provider of `tests/oidc`, with its packages, in `<tools>/oidc`.
pub(crate) fn ensure_node(root: &Path, tools: &Path) -> Result<()> {
    let source = root.join("tests/oidc");
    let files = ["package.json", "package-lock.json", "provider.mjs"].map(|name| source.join(name));
    let home = tools.join("oidc");
    let stamp = Stamp::new(&home, &files)?;
    if stamp.is_current() && home.join("node_modules/oidc-provider").is_dir() {
        return Ok(());
    }
    if shell::find("node", &[]).is_none() || shell::find("npm", &[]).is_none() {
        apt::install(&["nodejs", "npm"], "Node.js with npm (for the OpenID provider of the tests)")?;
    }
    let version = shell::probe(Path::new("node"), &["--version"]).unwrap_or_default();
    if shell::major_version(&version).is_none_or(|major| major < OLDEST_NODE) {
        bail!(
            "Node.js {OLDEST_NODE} or newer is needed, this is {version:?}: see https://nodejs.org/en/download"
        );
    }
    println!("setup: installing the OpenID provider into {}", home.display());
    fs::create_dir_all(&home)?;
    for file in &files {
        let name = file.file_name().context("a file has a name")?;
        fs::copy(file, home.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    shell::run(Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&home))?;
    stamp.write()
}

/// Remembers from which files a folder was made.
struct Stamp {
    file: PathBuf,
    content: Vec<u8>,
}

impl Stamp {
    fn new(folder: &Path, sources: &[PathBuf]) -> Result<Self> {
        let mut content = Vec::new();
        for source in sources {
            content.extend(fs::read(source).with_context(|| format!("cannot read {}", source.display()))?);
        }
        Ok(Self { file: folder.join(".made-from"), content })
    }

    fn is_current(&self) -> bool {
        fs::read(&self.file).is_ok_and(|written| written == self.content)
    }

    fn write(&self) -> Result<()> {
        fs::write(&self.file, &self.content).with_context(|| format!("cannot write {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_pin_makes_the_tools_stale() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let pins = dir.path().join("pins.txt");
        fs::write(&pins, "a==1")?;
        let first = Stamp::new(dir.path(), std::slice::from_ref(&pins))?;
        assert!(!first.is_current());
        first.write()?;
        assert!(first.is_current());
        fs::write(&pins, "a==2")?;
        assert!(!Stamp::new(dir.path(), &[pins])?.is_current());
        Ok(())
    }
}
