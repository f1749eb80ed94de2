//! Facts about the machine, and about processes on it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};

/// What stands above the table, so that numbers of different machines are not compared by mistake.
pub(super) fn facts(postgres: &str) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let mut set = |name: &str, value: String| facts.insert(name.to_owned(), value);
    set("cpu", field("/proc/cpuinfo", "model name").unwrap_or_default());
    set("cpus", cpus().to_string());
    set("memory", field("/proc/meminfo", "MemTotal").unwrap_or_default());
    set("kernel", read("/proc/sys/kernel/osrelease"));
    set("postgresql", postgres.to_owned());
    facts
}

/// Processors that we may use.
pub(super) fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Resident memory of a process in MB (10^6 bytes).
pub(super) fn resident_mb(pid: u32) -> Result<f64> {
    let text = field(&format!("/proc/{pid}/status"), "VmRSS").context("the process is gone")?;
    let kib: f64 = text.trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024.0 / 1e6)
}

/// The first executable called `name` in `PATH`.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// A command that runs `program` on one processor only, where that can be said and there is more than one.
pub(super) fn pinned(program: &Path) -> Command {
    match find("taskset") {
        Some(taskset) if cpus() > 1 => {
            let mut command = Command::new(taskset);
            command.args(["--cpu-list", &(cpus() - 1).to_string()]).arg(program);
            command
        }
        _ => Command::new(program),
    }
}

/// Ends a process in an orderly way; nothing to do when it has ended already.
pub(super) fn terminate(pid: u32, signal: &str) {
    drop(Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status());
}

/// Waits a moment before looking again whether something has happened.
#[expect(clippy::disallowed_methods, reason = "one thread that has nothing else to do")]
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_that_of_the_process() -> Result<()> {
        let own = resident_mb(std::process::id())?;
        assert!((1.0..10_000.0).contains(&own), "{own}");
        assert!(resident_mb(u32::MAX).is_err());
        Ok(())
    }
}
