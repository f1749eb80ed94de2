//! The postmaster as a process: is it there, send it a signal, what did it leave behind.

use std::{fs, path::Path};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// What a process asks of a postmaster or a backend.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    /// Roll back what is open, write everything down, end.
    Fast,
    /// End at once; the next start recovers from the log.
    Immediate,
}

/// The postmaster that owns `database`, when it is alive.
pub(super) fn running(database: &Path) -> Option<i32> {
    let pid =
        fs::read_to_string(database.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()?;
    (alive(pid) && serves(pid, database)).then_some(pid)
}

/// The folder of the socket that a running postmaster listens on.
pub(super) fn socket_dir(database: &Path) -> Option<String> {
    let note = fs::read_to_string(database.join("postmaster.pid")).ok()?;
    note.lines().nth(4).map(str::trim).filter(|dir| !dir.is_empty()).map(str::to_owned)
}

/// Removes the notes of a postmaster that is gone but whose number lives on.
///
/// PostgreSQL clears up after itself unless the number now belongs to another process of the same user, which is
/// usual in containers, where numbers start anew, or was never waited for: it would then refuse to start.
pub(super) fn forget_dead(database: &Path, socket_dir: &Path) {
    if running(database).is_some() {
        return;
    }
    for note in [database.join("postmaster.pid"), socket_dir.join(".s.PGSQL.5432.lock")] {
        let pid = fs::read_to_string(&note).ok().and_then(|text| text.lines().next()?.trim().parse().ok());
        if pid.is_some_and(|pid: i32| pid > 0 && kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH)) {
            // Should it fail, PostgreSQL says so better than we could.
            let _ = fs::remove_file(note);
        }
    }
}

/// Sends a signal; a process that has just ended is no error.
pub(super) fn signal(pid: i32, stop: Stop) -> std::io::Result<()> {
    let signal = match stop {
        Stop::Fast => Signal::SIGINT,
        Stop::Immediate => Signal::SIGQUIT,
    };
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Processes that a dead postmaster left working on `database`; they keep its shared memory and so the next start out.
pub(super) fn orphans(database: &Path) -> Vec<i32> {
    if running(database).is_some() {
        return Vec::new();
    }
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| works_in(*pid, database) && is_postgres(*pid)).collect()
}

fn alive(pid: i32) -> bool {
    if pid <= 0 || matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH)) {
        return false;
    }
    // Ended but not yet waited for by its parent: `123 (postgres) Z 1 ...`.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// Whether the process is a postmaster on this very database, not a stranger who got the number later.
fn serves(pid: i32, database: &Path) -> bool {
    if !Path::new("/proc/self").exists() || works_in(pid, database) {
        return true;
    }
    // Root in a container may not look at a foreign process' folder, but everybody may read its arguments.
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    arguments.split(|byte| *byte == 0).any(|word| word == database.as_os_str().as_encoded_bytes())
}

fn works_in(pid: i32, database: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|dir| dir == database)
}

fn is_postgres(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_names_a_stranger_is_not_a_running_database() {
        let dir = tempfile::tempdir().unwrap();
        let note = dir.path().join("postmaster.pid");
        fs::write(&note, format!("{}\n{}\n1\n5432\n/run\n", std::process::id(), dir.path().display()))
            .unwrap();
        assert_eq!(running(dir.path()), None);
        assert_eq!(socket_dir(dir.path()).as_deref(), Some("/run"));
        forget_dead(dir.path(), dir.path());
        assert!(!note.exists());
    }

    #[test]
    fn nonsense_in_the_note_is_not_a_running_database() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "-1\n", "0\n", "word\n", "99999999999999\n"] {
            fs::write(dir.path().join("postmaster.pid"), text).unwrap();
            assert_eq!(running(dir.path()), None, "{text:?}");
        }
    }
}
