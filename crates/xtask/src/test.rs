//! The whole test suite on one private PostgreSQL that lives as long as the run.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result, bail};

use crate::{
    setup::{self, Purpose},
    shell,
};

/// Where the running cluster is, for testkit.
const CLUSTER_VARIABLE: &str = "MARKETHALL_TEST_CLUSTER_DIR";

/// Builds once, starts the cluster, runs `cargo test --workspace <args>`, stops the cluster whatever happened.
pub(crate) fn test(args: &[String]) -> Result<()> {
    run(args, &[])
}

/// Goes through all faults several times, in the order of the seed that `MARKETHALL_TEST_CHAOS_SEED` may name.
pub(crate) fn chaos(args: &[String]) -> Result<()> {
    let rounds = args.first().map_or("2", String::as_str);
    let words = ["--test", "it", "--", "chaos::", "--nocapture"].map(str::to_owned);
    run(&words, &[("MARKETHALL_TEST_CHAOS_ROUNDS", rounds)])
}

fn run(args: &[String], environment: &[(&str, &str)]) -> Result<()> {
    setup::setup(Purpose::Test)?;
    let target = shell::target()?;
    fs::create_dir_all(&target)?;
    let lock = File::create(target.join("test-cluster.lock"))?;
    if lock.try_lock().is_err() {
        println!("test: another run is under way, waiting for it");
        lock.lock().context("cannot wait for the other run")?;
    }
    // All targets at once, so that everything is built with the same features, `test-cluster` included.
    shell::run(shell::cargo()?.args(["build", "--quiet", "--locked", "--workspace", "--all-targets"]))?;

    let interrupted = Interrupt::install()?;
    let cluster = Cluster::start(&target)?;
    let mut cargo = shell::cargo()?;
    cargo.args(["test", "--locked", "--workspace", "--no-fail-fast"]).args(args);
    cargo.env(CLUSTER_VARIABLE, &cluster.dir).envs(environment.iter().copied());
    let outcome = interrupted.wait_for(&mut cargo);
    cluster.stop()?;
    outcome
}

/// The cluster of a run, started and stopped by testkit's own program.
struct Cluster {
    program: PathBuf,
    dir: PathBuf,
    stopped: bool,
}

impl Cluster {
    fn start(target: &Path) -> Result<Self> {
        let cluster = Self {
            program: target.join("debug/test-cluster"),
            dir: target.join("test-cluster"),
            stopped: false,
        };
        if cluster.dir.exists() {
            println!("test: clearing away the cluster of a run that was killed");
            // What lay in memory may be gone by now, and a test may still use it; then the start says what is wrong.
            if let Err(error) = cluster.clear_away() {
                eprintln!("test: {error:#}");
            }
        }
        cluster.tell("start")?;
        Ok(cluster)
    }

    fn stop(mut self) -> Result<()> {
        self.stopped = true;
        self.clear_away()
    }

    fn clear_away(&self) -> Result<()> {
        let told = if self.dir.join("pg").exists() { self.tell("stop") } else { Ok(()) };
        if told.is_ok() {
            fs::remove_dir_all(&self.dir).with_context(|| format!("cannot remove {}", self.dir.display()))?;
        }
        told
    }

    fn tell(&self, word: &str) -> Result<()> {
        shell::run(Command::new(&self.program).arg(word).arg(&self.dir))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.stopped
            && let Err(error) = self.clear_away()
        {
            eprintln!("test: {error:#}");
        }
    }
}

/// Lets Ctrl-C and termination end the tests but not the clearing away.
struct Interrupt {
    asked: Arc<AtomicBool>,
    child: Arc<Mutex<Option<u32>>>,
}

impl Interrupt {
    fn install() -> Result<Self> {
        let interrupt = Self { asked: Arc::default(), child: Arc::default() };
        let (asked, child) = (Arc::clone(&interrupt.asked), Arc::clone(&interrupt.child));
        ctrlc::set_handler(move || {
            asked.store(true, Ordering::SeqCst);
            let pid = child.lock().ok().and_then(|pid| *pid);
            if let Some(pid) = pid {
                terminate(pid);
            }
        })?;
        Ok(interrupt)
    }

    fn wait_for(&self, command: &mut Command) -> Result<()> {
        let mut running: Child = command.process_group(0).spawn().context("cannot start cargo test")?;
        self.remember(Some(running.id()));
        if self.asked.load(Ordering::SeqCst) {
            terminate(running.id());
        }
        let status = running.wait()?;
        self.remember(None);
        if self.asked.load(Ordering::SeqCst) {
            bail!("interrupted");
        }
        if !status.success() {
            bail!("tests failed");
        }
        Ok(())
    }

    fn remember(&self, pid: Option<u32>) {
        if let Ok(mut child) = self.child.lock() {
            *child = pid;
        }
    }
}

/// Ends the child and what it has started; nothing to do when they ended by themselves meanwhile.
fn terminate(group: u32) {
    drop(Command::new("kill").args(["-TERM", "--"]).arg(format!("-{group}")).status());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_of_a_killed_run_is_stopped_before_a_new_one_starts() -> Result<()> {
        let target = tempfile::tempdir()?;
        let log = target.path().join("log");
        let program = target.path().join("debug/test-cluster");
        fs::create_dir_all(target.path().join("debug"))?;
        // Written by another process: a file that this one has open for writing could not be started.
        let script = format!("#!/bin/sh\nmkdir -p $2/pg && echo $1 >> {}\n", log.display());
        let write = r#"printf '%s' "$0" > "$1" && chmod +x "$1""#;
        shell::run(Command::new("sh").args(["-c", write, &script]).arg(&program))?;
        fs::create_dir_all(target.path().join("test-cluster/pg"))?;

        Cluster::start(target.path())?.stop()?;
        assert_eq!(fs::read_to_string(&log)?, "stop\nstart\nstop\n");
        assert!(!target.path().join("test-cluster").exists());
        // What lay in memory is gone after the machine was started anew.
        fs::create_dir(target.path().join("test-cluster"))?;
        Cluster::start(target.path())?.stop()?;
        assert_eq!(fs::read_to_string(&log)?, "stop\nstart\nstop\nstart\nstop\n");
        Ok(())
    }

    #[test]
    fn failing_tests_are_a_failure() {
        let interrupt = Interrupt { asked: Arc::default(), child: Arc::default() };
        assert!(interrupt.wait_for(&mut Command::new("false")).is_err());
        assert!(interrupt.wait_for(&mut Command::new("true")).is_ok());
    }
}
