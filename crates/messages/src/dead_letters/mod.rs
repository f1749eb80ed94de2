//! Messages that were given up: operators list, inspect, replay and drop them.

use std::sync::Arc;

use db::{Db, DbError, Row, types::Json};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use kernel::{Placement, TenantId};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{LookupError, MessageId, TenantLookup};

kernel::id!(
    /// One message given up for one consumer.
    DeadLetterId,
    "dlt"
);

/// Databases asked at once.
const CONCURRENT: usize = 8;
/// The most that one page holds.
pub const DEAD_LETTERS_PAGE_MAX: usize = 200;

/// A message that a consumer could not handle, with the error of its last try.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Identity; later ones are larger.
    pub id: DeadLetterId,
    /// Whose message it is.
    pub tenant: TenantId,
    /// Who could not handle it.
    pub consumer: String,
    /// The message.
    pub message_id: MessageId,
    /// Its type.
    pub kind: String,
    /// Its aggregate.
    pub subject: String,
    /// When it was published.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Ties it to the request that caused it.
    pub correlation_id: String,
    /// W3C trace context of its cause.
    pub traceparent: Option<String>,
    /// Its data.
    #[schema(value_type = serde_json::Value)]
    pub data: Box<RawValue>,
    /// How often it was tried.
    pub attempts: i32,
    /// Why the last try failed.
    pub error: String,
    /// When it was given up.
    #[schema(value_type = String, format = DateTime)]
    pub failed_at: Timestamp,
}

/// Which dead letters to list.
#[derive(Debug, Clone, Default)]
pub struct DeadLetterFilter {
    /// Only of this tenant.
    pub tenant: Option<TenantId>,
    /// Only of this consumer.
    pub consumer: Option<String>,
    /// Only those given up before this one.
    pub before: Option<DeadLetterId>,
    /// At most so many, 1 to [`DEAD_LETTERS_PAGE_MAX`].
    pub limit: usize,
}

/// Some dead letters, newest first.
#[derive(Debug, Clone)]
pub struct DeadLetterPage {
    /// The letters.
    pub items: Vec<DeadLetter>,
    /// Whether there are more behind the last one.
    pub has_more: bool,
    /// Databases that could not be asked now; their letters are missing.
    pub unreachable: Vec<Arc<str>>,
}

/// Dead letters cannot be got at now.
#[derive(Debug, thiserror::Error)]
pub enum DeadLettersError {
    /// Tenants or databases cannot be looked up.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The database failed, or none of those that could be asked has it.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The dead letters of all databases. Cheap to clone; needs no running relay.
#[derive(Clone)]
pub struct DeadLetters {
    db: Db,
    lookup: Arc<dyn TenantLookup>,
}

impl DeadLetters {
    /// The dead letters in the databases that `lookup` knows.
    #[must_use]
    pub fn new(db: Db, lookup: Arc<dyn TenantLookup>) -> Self {
        Self { db, lookup }
    }

    /// Lists, newest first.
    ///
    /// # Errors
    /// [`DeadLettersError`] when databases cannot be listed, or the one tenant's cannot be asked.
    pub async fn list(&self, filter: &DeadLetterFilter) -> Result<DeadLetterPage, DeadLettersError> {
        let limit = filter.limit.clamp(1, DEAD_LETTERS_PAGE_MAX);
        let databases = self.databases(filter.tenant).await?;
        let asks = databases.into_iter().map(|placement| {
            let (letters, filter) = (self.clone(), filter.clone());
            async move {
                let found = letters.list_in(&placement, &filter, limit + 1).await;
                (placement, found)
            }
        });
        let asked: Vec<_> = stream::iter(asks).buffer_unordered(CONCURRENT).collect().await;
        let (mut items, mut unreachable) = (Vec::new(), Vec::new());
        for (placement, found) in asked {
            match found {
                Ok(found) => items.extend(found),
                Err(error) if filter.tenant.is_some() => return Err(error.into()),
                Err(DbError::Unavailable(_)) => unreachable.push(placement.database.clone()),
                Err(error) => return Err(error.into()),
            }
        }
        items.sort_unstable_by_key(|letter| std::cmp::Reverse(letter.id));
        let has_more = items.len() > limit;
        items.truncate(limit);
        unreachable.sort_unstable();
        Ok(DeadLetterPage { items, has_more, unreachable })
    }

    /// Finds one.
    ///
    /// # Errors
    /// [`DeadLettersError`], also when it is in none of the databases that could be asked but one could not.
    pub async fn find(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, DeadLettersError> {
        let found = self.first(include_str!("find.sql"), &[&id]).await?;
        Ok(found.map(|row| letter(&row)).transpose()?)
    }

    /// Has it delivered again, with all tries before it; false when there is none.
    ///
    /// It takes its old place in the order of its subject, but whatever came later may have been handled meanwhile.
    ///
    /// # Errors
    /// As [`DeadLetters::find`].
    pub async fn replay(&self, id: DeadLetterId, now: Timestamp) -> Result<bool, DeadLettersError> {
        let found = self.first(include_str!("replay.sql"), &[&id, &now]).await?;
        if found.is_some() {
            tracing::info!(dead_letter.id = %id, "dead letter replayed");
        }
        Ok(found.is_some())
    }

    /// Deletes it for good; false when there is none.
    ///
    /// # Errors
    /// As [`DeadLetters::find`].
    pub async fn discard(&self, id: DeadLetterId) -> Result<bool, DeadLettersError> {
        let found = self.first(include_str!("drop.sql"), &[&id]).await?;
        if found.is_some() {
            tracing::info!(dead_letter.id = %id, "dead letter dropped");
        }
        Ok(found.is_some())
    }

    async fn databases(&self, tenant: Option<TenantId>) -> Result<Vec<Placement>, LookupError> {
        match tenant {
            Some(tenant) => {
                let found = self.lookup.find_tenant(tenant).await?;
                Ok(found.map(|tenant| tenant.placement.clone()).into_iter().collect())
            }
            None => self.lookup.list_databases().await,
        }
    }

    async fn list_in(
        &self,
        placement: &Placement,
        filter: &DeadLetterFilter,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, DbError> {
        let conn = self.db.relay(placement).await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = conn
            .query(include_str!("list.sql"), &[&filter.tenant, &filter.consumer, &filter.before, &limit])
            .await?;
        rows.iter().map(letter).collect()
    }

    /// Runs a statement that concerns at most one row, database after database until one answers with it.
    async fn first(
        &self,
        sql: &'static str,
        params: &[&(dyn db::types::ToSql + Sync)],
    ) -> Result<Option<Row>, DeadLettersError> {
        let mut unreachable = None;
        for placement in self.lookup.list_databases().await? {
            let asked = async { self.db.relay(&placement).await?.query(sql, params).await };
            match asked.await {
                Ok(mut rows) => {
                    if let Some(row) = rows.pop() {
                        return Ok(Some(row));
                    }
                }
                Err(error @ DbError::Unavailable(_)) => unreachable = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        unreachable.map_or(Ok(None), |error| Err(error.into()))
    }
}

impl std::fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetters").finish_non_exhaustive()
    }
}

fn letter(row: &Row) -> Result<DeadLetter, DbError> {
    let Json(data): Json<Box<RawValue>> = row.try_get("data")?;
    Ok(DeadLetter {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant_id")?,
        consumer: row.try_get("consumer")?,
        message_id: row.try_get("message_id")?,
        kind: row.try_get("kind")?,
        subject: row.try_get("subject")?,
        time: row.try_get("created_at")?,
        correlation_id: row.try_get("correlation_id")?,
        traceparent: row.try_get("traceparent")?,
        data,
        attempts: row.try_get("attempts")?,
        error: row.try_get("error")?,
        failed_at: row.try_get("failed_at")?,
    })
}
