//! Why a private cluster cannot be had; each text says what to do.

use std::{io, path::PathBuf};

/// The private cluster cannot be started, joined or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No usable server binaries.
    #[error(
        "no PostgreSQL {wanted} server binaries found (looked in {searched}); install them (Debian: apt-get install \
         postgresql) or set their folder in the configuration"
    )]
    NoBinaries {
        /// `15 or newer`, or the exact version that an existing data directory needs.
        wanted: String,
        /// Where was looked.
        searched: String,
    },
    /// Running as root, and there is nobody to run PostgreSQL as.
    #[error("PostgreSQL refuses to run as root and neither user `postgres` nor `nobody` exists; create one")]
    NoAccount,
    /// The account that runs PostgreSQL cannot get to the data directory.
    #[error(
        "user {user}, who runs PostgreSQL because it refuses to run as root, may not pass through {dir}; \
         choose another data directory or run: chmod o+x {dir}"
    )]
    NotTraversable {
        /// The account.
        user: String,
        /// The folder without search permission.
        dir: PathBuf,
    },
    /// A file or folder could not be read, written or owned.
    #[error("{action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The password file exists but cannot be understood.
    #[error("the password file {0} is damaged; restore it from a backup")]
    Secrets(PathBuf),
    /// The database exists but its password file does not.
    #[error("the database {0} exists but its password file does not; restore it from a backup")]
    SecretsMissing(PathBuf),
    /// Another process has been starting or stopping the cluster for too long.
    #[error("another process holds {0} for too long; is it hanging?")]
    Locked(PathBuf),
    /// `initdb` failed.
    #[error("initdb failed: {0}")]
    Initialize(String),
    /// The postmaster could not be run or gave up.
    #[error("PostgreSQL did not start: {0}")]
    Start(String),
    /// The postmaster runs but nobody can sign in.
    #[error("PostgreSQL runs but refuses the connection: {0}")]
    Refused(String),
    /// The postmaster does not get ready or does not go away.
    #[error("PostgreSQL is not {state} after {seconds} s")]
    Timeout {
        /// `ready` or `stopped`.
        state: &'static str,
        /// How long was waited.
        seconds: u64,
    },
}

impl ClusterError {
    pub(super) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> ClusterError {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
