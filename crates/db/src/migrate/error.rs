//! Why a schema cannot be made or brought up to date.

/// Setting up or migrating failed; a failed step has changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Nobody answers, or the sign-in is refused.
    #[error("cannot connect to database {database}: {reason}")]
    Connect {
        /// Which.
        database: String,
        /// What was said.
        reason: String,
    },
    /// A statement of setting up failed.
    #[error("{action}: {reason}")]
    Setup {
        /// What was tried.
        action: String,
        /// What PostgreSQL said.
        reason: String,
    },
    /// A step failed.
    #[error("migration {step} failed: {reason}")]
    Step {
        /// Which, `domain/0001_name`.
        step: String,
        /// What PostgreSQL said.
        reason: String,
    },
    /// A step that was applied reads differently now.
    #[error("migration {step} was changed after it had been applied; put it back and add a new step")]
    Changed {
        /// Which.
        step: String,
    },
    /// The program's own list of steps is not 1, 2, 3, or a later step was applied before an earlier one.
    #[error("migration {step} is out of order: {reason}")]
    OutOfOrder {
        /// Which.
        step: String,
        /// How.
        reason: &'static str,
    },
    /// Another process has been migrating this database for too long.
    #[error("another process has been migrating database {0} for too long")]
    Busy(String),
    /// The name cannot be a database's.
    #[error(
        "`{0}` is not a database name: lower-case letters, digits and _, at most 63, starting with a letter"
    )]
    Name(String),
    /// A placement names a cluster that is not configured.
    #[error("no shard {0} is configured")]
    UnknownShard(String),
    /// The database belongs to somebody else.
    #[error("database {0} is not owned by markethall_owner and is left alone")]
    NotOurs(String),
}

impl MigrateError {
    pub(super) fn setup(action: impl Into<String>) -> impl FnOnce(tokio_postgres::Error) -> MigrateError {
        let action = action.into();
        move |error| Self::Setup { action, reason: reason(&error) }
    }
}

/// The server's words in full: the driver's own text is often just "db error".
pub(super) fn reason(error: &tokio_postgres::Error) -> String {
    let Some(server) = error.as_db_error() else {
        return crate::error::with_cause(error);
    };
    let mut text = format!("{} ({})", server.message(), server.code().code());
    for more in [server.detail(), server.hint(), server.where_()].into_iter().flatten() {
        text.push_str("; ");
        text.push_str(more);
    }
    text
}
