//! Use cases: what the staff writes down about a customer, with author and time. No route changes a note.

use std::fmt;

use db::{DbError, Row, TenantTx};
use garde::Validate;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{CustomerId, model::refuse};

kernel::id!(
    /// A note about a customer.
    NoteId,
    "not"
);

/// A note about a customer.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// Identity.
    pub id: NoteId,
    /// Who wrote it: `usr_...`, `key_...` or `operator`.
    pub author: String,
    /// What was written.
    pub text: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl Note {
    fn decode(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.try_get("id")?,
            author: row.try_get("author")?,
            text: row.try_get("text")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Note").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What is to be written down.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NoteInput {
    /// The text.
    #[garde(custom(text_rule))]
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    text: String,
}

fn text_rule(text: &str, _: &()) -> garde::Result {
    let fine = !text.trim().is_empty() && text.chars().count() <= 2000;
    refuse(fine, "must be 1 to 2000 characters, not all blank")
}

/// Writes a note about a customer, by whoever asks.
pub(crate) async fn create_note(
    tx: &TenantTx,
    customer: CustomerId,
    input: &NoteInput,
) -> Result<Note, DbError> {
    let (id, now, author) = (NoteId::new(), tx.ctx().now(), tx.ctx().caller.actor.to_string());
    let sql = include_str!("create_note.sql");
    let row = tx.query_one(sql, &[&tx.tenant_id(), &id, &customer, &author, &input.text, &now]).await?;
    Note::decode(&row)
}

/// Notes about a customer, latest first, before `before`; at most `take`.
pub(crate) async fn list_notes(
    tx: &TenantTx,
    customer: CustomerId,
    before: Option<NoteId>,
    take: i64,
) -> Result<Vec<Note>, DbError> {
    let before = before.unwrap_or(NoteId(Uuid::max()));
    let sql = include_str!("list_notes.sql");
    let rows = tx.query(sql, &[&tx.tenant_id(), &customer, &before, &take]).await?;
    rows.iter().map(Note::decode).collect()
}

/// Gives the notes about `from` to `into`.
pub(crate) async fn move_notes(tx: &TenantTx, from: CustomerId, into: CustomerId) -> Result<(), DbError> {
    tx.execute(include_str!("move_notes.sql"), &[&tx.tenant_id(), &from, &into]).await.map(drop)
}
