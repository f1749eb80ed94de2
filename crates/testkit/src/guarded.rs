//! A process that ends with us, however we end.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
};

use anyhow::{Context as _, bail};

/// Waits until we are gone, whatever the reason (its input closes), then sends the signal.
const WATCHDOG: &str = r#"read -r _; kill "$1" "$2" 2>/dev/null"#;

/// A server and the watchdog that ends it when this value is dropped or this process dies.
#[derive(Debug)]
pub(crate) struct Guarded {
    server: Child,
    watchdog: Child,
}

impl Guarded {
    /// Runs `command` without input and output; `signal` (`-KILL`) ends it.
    ///
    /// # Errors
    /// When it cannot be run.
    pub(crate) fn spawn(command: &mut Command, signal: &str) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = command.spawn().with_context(|| format!("cannot run {name}"))?;
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "sh", signal, &server.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What is typed to end the tests must not end it before its server.
            .process_group(0)
            .spawn();
        match watchdog {
            Ok(watchdog) => Ok(Self { server, watchdog }),
            Err(error) => {
                let _ = server.kill();
                let _ = server.wait();
                Err(error).context("cannot run sh")
            }
        }
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.server.try_wait()
    }

    /// Sends a signal such as `-STOP`.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub(crate) fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let pid = self.server.id().to_string();
        let sent = Command::new("sh").args(["-c", "kill \"$1\" \"$2\"", "sh", signal, &pid]).status()?;
        if sent.success() { Ok(()) } else { bail!("cannot send {signal}") }
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Its input closes, and it ends the server. Both may have ended by themselves.
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
        let _ = self.server.wait();
    }
}
