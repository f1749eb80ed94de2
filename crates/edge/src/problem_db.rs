//! What a failed unit of work means to the caller; said once.

use db::DbError;

use crate::{Problem, codes};

impl From<DbError> for Problem {
    /// Unavailable and conflict become 503 with `Retry-After`, a unique constraint nobody mapped 409, the rest 500.
    fn from(error: DbError) -> Self {
        let code = match &error {
            DbError::Unavailable(_) => codes::DATABASE_UNAVAILABLE,
            DbError::Conflict(_) => codes::DATABASE_BUSY,
            DbError::Unique { .. } => codes::CONFLICT,
            DbError::Check { .. } | DbError::Forbidden(_) | DbError::Other(_) => codes::INTERNAL,
        };
        Self::new(code).because(error)
    }
}
