//! Who handles messages, and how handling fails.

use std::{fmt, sync::Arc};

use db::{DbError, TenantTx};
use futures::future::BoxFuture;
use kernel::Ctx;

use crate::Message;

/// Why a message was not handled. Whatever it is, nothing of the attempt stays in the database.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// It may work later: counted, tried again with growing pauses, a dead letter after the last try.
    #[error("{0}")]
    Failed(String),
    /// It will never work: a dead letter at once.
    #[error("{0}")]
    Poison(String),
    /// The database was away or busy: tried again, not counted.
    #[error("{0}")]
    Unavailable(String),
}

impl ConsumerError {
    /// A failure that may pass, from whatever can be shown.
    pub fn failed(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<DbError> for ConsumerError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) | DbError::Conflict(_) => Self::Unavailable(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

type Handler = dyn for<'a> Fn(&'a Ctx, &'a mut TenantTx, &'a Message) -> BoxFuture<'a, Result<(), ConsumerError>>
    + Send
    + Sync;

/// One consumer: a name, the message types it waits for, and what it does with each message.
///
/// The handler runs in a transaction of the message's tenant that also holds the inbox row: its effect happens
/// exactly once, provided that it has no other effect than through that transaction.
#[derive(Clone)]
pub struct Consumer {
    /// `domain.purpose`; never changed once deployed, deliveries are stored under it.
    pub name: &'static str,
    /// Names of the message types it waits for.
    pub kinds: &'static [&'static str],
    pub(crate) on_request: bool,
    handler: Arc<Handler>,
}

impl Consumer {
    /// A consumer: `Consumer::new("things.totals", &["ThingMade"], |ctx, tx, message| Box::pin(count(ctx, tx, message)))`.
    pub fn new<F>(name: &'static str, kinds: &'static [&'static str], handler: F) -> Self
    where
        F: for<'a> Fn(&'a Ctx, &'a mut TenantTx, &'a Message) -> BoxFuture<'a, Result<(), ConsumerError>>
            + Send
            + Sync
            + 'static,
    {
        Self { name, kinds, on_request: false, handler: Arc::new(handler) }
    }

    /// The same consumer for those tenants only that have asked for it, and those kinds (see [`crate::request`]);
    /// messages of others cost it nothing. Of kinds that it does not name it may hear as well and says `Ok`.
    #[must_use]
    pub fn on_request(mut self) -> Self {
        self.on_request = true;
        self
    }

    pub(crate) async fn call(
        &self,
        ctx: &Ctx,
        tx: &mut TenantTx,
        message: &Message,
    ) -> Result<(), ConsumerError> {
        (self.handler)(ctx, tx, message).await
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("name", &self.name)
            .field("kinds", &self.kinds)
            .field("on_request", &self.on_request)
            .finish_non_exhaustive()
    }
}
