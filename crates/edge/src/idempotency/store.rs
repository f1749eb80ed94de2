//! Stored answers as values: for one request, and for many at once in a combiner.

use bytes::Bytes;
use db::{DbError, Row, Stmt};
use http::{HeaderValue, StatusCode};
use kernel::Ctx;
use uuid::Uuid;

use crate::{Idempotency, Problem, Reply, codes};

/// An answer as it is kept for repeated requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Of which key; see [`Idempotency::key_hash`].
    pub key_hash: Uuid,
    /// Of which payload; see [`Idempotency::fingerprint`].
    pub fingerprint: Uuid,
    /// The success status, 200 to 299.
    pub status: u16,
    /// What was created, when the answer is written again from it.
    pub resource: Option<Uuid>,
    /// The `Location` header.
    pub location: Option<String>,
    /// The entity tag, without quotes.
    pub etag: Option<String>,
    /// The body, when it is kept.
    pub body: Option<Bytes>,
}

impl Stored {
    /// What is kept of `reply`; `None` for a request without a key.
    #[must_use]
    pub fn of(idempotency: &Idempotency, reply: &Reply) -> Option<Self> {
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        Some(Self {
            key_hash: idempotency.key_hash()?,
            fingerprint: idempotency.fingerprint(),
            status: reply.status.as_u16(),
            resource: None,
            location: reply.location.as_ref().and_then(text),
            etag: reply.etag.as_ref().and_then(text).map(|tag| tag.trim_matches('"').to_owned()),
            body: Some(reply.body.clone()).filter(|body| !body.is_empty()),
        })
    }

    /// Whether the repeated request is the same one.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` when the payload differs.
    pub fn check(&self, idempotency: &Idempotency) -> Result<(), Problem> {
        if self.fingerprint == idempotency.fingerprint() {
            Ok(())
        } else {
            Err(Problem::new(codes::IDEMPOTENCY_KEY_REUSED))
        }
    }

    /// The stored answer, marked as replayed.
    #[must_use]
    pub fn into_reply(self) -> Reply {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let reply = Reply::bytes(status, self.body.unwrap_or_default(), self.etag.as_deref()).replayed();
        match self.location {
            Some(location) => reply.location(location),
            None => reply,
        }
    }

    pub(super) fn decode(row: &Row) -> Result<Self, DbError> {
        let status: i16 = get(row, "status")?;
        Ok(Self {
            key_hash: get(row, "key_hash")?,
            fingerprint: get(row, "fingerprint")?,
            status: u16::try_from(status).unwrap_or(200),
            resource: get(row, "resource")?,
            location: get(row, "location")?,
            etag: get(row, "etag")?,
            body: get::<Option<Vec<u8>>>(row, "body")?.map(Bytes::from),
        })
    }
}

pub(super) fn get<'a, T: db::types::FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, DbError> {
    row.try_get(column).map_err(DbError::from)
}

/// Looks for the answers of several keys of one tenant; read the rows with [`decode`].
#[must_use]
pub fn find_stmt(ctx: &Ctx, key_hashes: &[Uuid]) -> Stmt {
    Stmt::new(include_str!("find.sql")).bind(ctx.tenant_id()).bind(key_hashes.to_vec())
}

/// Reads the rows of [`find_stmt`].
///
/// # Errors
/// [`DbError::Other`] when a column is not what it should be.
pub fn decode(rows: &[Row]) -> Result<Vec<Stored>, DbError> {
    rows.iter().map(Stored::decode).collect()
}

/// Stores answers of one tenant in the transaction of their effects. Returns one row with `key_hash` for each key
/// stored: fewer rows than given mean that another transaction was faster, and the caller must roll back.
#[must_use]
pub fn insert_stmt(ctx: &Ctx, answers: &[Stored]) -> Stmt {
    let column = |of: fn(&Stored) -> Uuid| answers.iter().map(of).collect::<Vec<_>>();
    let texts = |of: fn(&Stored) -> Option<&String>| {
        answers.iter().map(|answer| of(answer).cloned()).collect::<Vec<_>>()
    };
    let statuses = answers.iter().map(|answer| i16::try_from(answer.status).unwrap_or(200));
    let bodies = answers.iter().map(|answer| answer.body.as_ref().map(|body| body.to_vec()));
    Stmt::new(include_str!("insert.sql"))
        .bind(ctx.tenant_id())
        .bind(column(|answer| answer.key_hash))
        .bind(column(|answer| answer.fingerprint))
        .bind(statuses.collect::<Vec<_>>())
        .bind(answers.iter().map(|answer| answer.resource).collect::<Vec<_>>())
        .bind(texts(|answer| answer.location.as_ref()))
        .bind(texts(|answer| answer.etag.as_ref()))
        .bind(bodies.collect::<Vec<_>>())
        .bind(ctx.now())
}
