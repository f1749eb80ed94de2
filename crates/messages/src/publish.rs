//! Publishing: one set-based insert into the outbox, in the transaction of the cause.

use std::fmt::Display;

use db::{DbError, Stmt, TenantTx};
use jiff::Timestamp;
use kernel::{Caller, Ctx};
use postgres_types::ToSql;
use serde::Serialize;
use uuid::Uuid;

use crate::{MessageId, MessageType, bell, spans};

/// Characters kept of a correlation id, which is at most 64 plain ones anyway.
const CORRELATION_MAX: usize = 64;
/// The longest trace context that is kept; W3C's has 55 characters.
const TRACE_MAX: usize = 128;

/// A message to be published.
#[derive(Debug, Clone)]
pub struct Draft {
    kind: &'static str,
    subject: String,
    data: String,
    cause: Option<Cause>,
}

/// `messages.new_message`.
#[derive(Debug, ToSql)]
#[postgres(name = "new_message")]
struct NewMessage {
    id: Uuid,
    created_at: Timestamp,
    kind: &'static str,
    subject: String,
    correlation_id: String,
    traceparent: Option<String>,
    data: String,
}

/// The request that caused a message, where it is not the one of the surrounding unit of work.
#[derive(Debug, Clone)]
struct Cause {
    correlation_id: String,
    traceparent: Option<String>,
    at: Timestamp,
}

impl Cause {
    /// What ties messages to their request never fails it: what is too long for the outbox is cut or left out.
    fn of(caller: &Caller) -> Self {
        let trace = caller.trace.as_ref().map(|trace| trace.0.as_ref());
        let trace = trace.filter(|trace| trace.len() <= TRACE_MAX);
        Self {
            correlation_id: caller.correlation_id.chars().take(CORRELATION_MAX).collect(),
            traceparent: trace.map(str::to_owned),
            at: caller.now,
        }
    }
}

impl Draft {
    /// A message of type `kind` about the aggregate `subject` (1 to 200 bytes) with `data` (at most 256 KiB of JSON).
    ///
    /// What the database refuses (data that is no JSON, too long, an empty subject) fails the transaction, and so the
    /// cause: a message is never silently lost.
    #[must_use]
    pub fn new(kind: &'static str, subject: impl Display, data: &impl Serialize) -> Self {
        // Only a defect (a map with keys that are no text) fails here; the empty text is then refused as JSON.
        let data = serde_json::to_string(data).unwrap_or_default();
        Self { kind, subject: subject.to_string(), data, cause: None }
    }

    /// A message of a catalogued type.
    #[must_use]
    pub fn of(message_type: &MessageType, subject: impl Display, data: &impl Serialize) -> Self {
        Self::new(message_type.name, subject, data)
    }

    /// Names the request that caused this message, for batches that gather several requests in one transaction.
    #[must_use]
    pub fn caused_by(mut self, caller: &Caller) -> Self {
        self.cause = Some(Cause::of(caller));
        self
    }
}

/// Publishes `drafts` in their order, in the transaction of their cause: both commit or neither.
///
/// Messages of one subject are delivered in the order of publishing, so publish after the aggregate's row has been
/// written (and is locked). The relay is woken by the commit.
///
/// # Errors
/// Any [`DbError`]; the transaction is then lost.
pub async fn publish(tx: &TenantTx, drafts: &[Draft]) -> Result<(), DbError> {
    if drafts.is_empty() {
        return Ok(());
    }
    tx.run(publish_stmt(tx.ctx(), drafts)).await.map(drop)
}

/// [`publish`] as a statement, to be sent in one pipeline with others of the same tenant; it returns no rows.
#[must_use]
pub fn publish_stmt(ctx: &Ctx, drafts: &[Draft]) -> Stmt {
    let new = |draft: &Draft| {
        let cause = draft.cause.clone().unwrap_or_else(|| Cause::of(&ctx.caller));
        let id = Uuid::now_v7();
        NewMessage {
            id,
            created_at: cause.at,
            kind: draft.kind,
            subject: draft.subject.clone(),
            correlation_id: cause.correlation_id,
            traceparent: spans::created(cause.traceparent, MessageId(id), draft.kind),
            data: draft.data.clone(),
        }
    };
    let kinds: Vec<&'static str> = drafts.iter().map(|draft| draft.kind).collect();
    let hook = bell::hook_for(&ctx.tenant.placement, ctx.tenant_id(), &kinds);
    let stmt = Stmt::new(include_str!("publish.sql"))
        .bind(ctx.tenant_id())
        .bind(drafts.iter().map(new).collect::<Vec<_>>());
    match hook {
        Some(hook) => stmt.after_commit(hook),
        None => stmt,
    }
}
