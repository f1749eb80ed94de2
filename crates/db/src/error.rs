//! What can go wrong at the database, sorted by what the caller can do about it.

use tokio_postgres::error::SqlState;

/// A failed unit of work; nothing of it is in the database (an unavailable database at commit may have kept it,
/// which is why every effect carries an idempotency key).
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached now, or has no connection to spare; trying again later may work.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Another transaction was in the way (serialisation failure, deadlock, lock timeout); trying again may work.
    #[error("a concurrent transaction was in the way ({0})")]
    Conflict(String),
    /// A unique constraint refused the write.
    #[error("unique constraint {constraint} refused the write")]
    Unique {
        /// The constraint's or index's name.
        constraint: String,
    },
    /// A check or foreign key constraint, or a rule raised in SQL, refused the write.
    #[error("constraint {constraint} refused the write")]
    Check {
        /// The constraint's name, or the message raised.
        constraint: String,
    },
    /// Row-level security or missing rights refused the statement: always a defect of the program.
    #[error("access refused by the database: {0}")]
    Forbidden(String),
    /// Anything else: a defect of the program or its installation.
    #[error("database error: {0}")]
    Other(String),
}

impl DbError {
    /// Whether the same work may succeed when tried again at once.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }

    /// Whether the named unique constraint refused the write.
    #[must_use]
    pub fn is_unique(&self, name: &str) -> bool {
        matches!(self, Self::Unique { constraint } if constraint == name)
    }

    /// Whether the named check constraint, foreign key or raised rule refused the write.
    #[must_use]
    pub fn is_check(&self, name: &str) -> bool {
        matches!(self, Self::Check { constraint } if constraint == name)
    }
}

impl From<tokio_postgres::Error> for DbError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(server) = error.as_db_error() else {
            let text = with_cause(&error);
            return if error.is_closed() || std::error::Error::source(&error).is_some_and(is_io) {
                Self::Unavailable(text)
            } else {
                Self::Other(text)
            };
        };
        let constraint = || server.constraint().unwrap_or_else(|| server.message()).to_owned();
        let state = server.code();
        match state {
            &SqlState::T_R_SERIALIZATION_FAILURE
            | &SqlState::T_R_DEADLOCK_DETECTED
            | &SqlState::LOCK_NOT_AVAILABLE => Self::Conflict(state.code().to_owned()),
            &SqlState::UNIQUE_VIOLATION => Self::Unique { constraint: constraint() },
            &SqlState::CHECK_VIOLATION
            | &SqlState::FOREIGN_KEY_VIOLATION
            | &SqlState::EXCLUSION_VIOLATION
            | &SqlState::RAISE_EXCEPTION => Self::Check { constraint: constraint() },
            &SqlState::INSUFFICIENT_PRIVILEGE => Self::Forbidden(server.message().to_owned()),
            &SqlState::QUERY_CANCELED
            | &SqlState::TOO_MANY_CONNECTIONS
            | &SqlState::ADMIN_SHUTDOWN
            | &SqlState::CRASH_SHUTDOWN
            | &SqlState::CANNOT_CONNECT_NOW
            | &SqlState::DISK_FULL
            | &SqlState::OUT_OF_MEMORY
            | &SqlState::READ_ONLY_SQL_TRANSACTION
            | &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
                Self::Unavailable(server.message().to_owned())
            }
            other if other.code().starts_with("08") => Self::Unavailable(server.message().to_owned()),
            other => Self::Other(format!("{}: {}", other.code(), server.message())),
        }
    }
}

/// The driver's words and what is behind them: its own say no more than "error performing TLS handshake".
pub(crate) fn with_cause(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn is_io(source: &(dyn std::error::Error + 'static)) -> bool {
    source.is::<std::io::Error>()
}

impl From<deadpool_postgres::PoolError> for DbError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => match Self::from(error) {
                Self::Other(text) => Self::Unavailable(text),
                known => known,
            },
            other => Self::Unavailable(other.to_string()),
        }
    }
}
