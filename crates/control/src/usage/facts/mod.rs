//! Billable facts: what a platform may ask money for, counted by day in each tenant's own books, to be disputed line by line.

mod count_facts;
mod http;
mod list_facts;

use async_trait::async_trait;
use db::{DbError, TenantTx};
use kernel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use count_facts::count_facts_job;
pub(crate) use count_facts::read_day;
pub use count_facts::{count_facts, count_facts_of};
pub(crate) use http::routes;
pub use list_facts::list_facts;

/// One kind of fact, found in the books of the domain that it belongs to. What it finds is written by the transaction that
/// causes it and never removed, so that counting again gives the same or, shortly after a day's end, more.
#[async_trait]
pub trait BillableFacts: Send + Sync {
    /// Its name in prices and reports: `[a-z_]`, at most 50 characters.
    fn kind(&self) -> &'static str;

    /// How many there are at or after `from` and before `until`, by day (UTC) as `yyyy-mm-dd`; days without any are left out.
    ///
    /// # Errors
    /// [`DbError`].
    async fn count(
        &self,
        tx: &TenantTx,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(String, i64)>, DbError>;

    /// Them themselves, at most `limit`, by time and identifier, those after `after`.
    ///
    /// # Errors
    /// [`DbError`].
    async fn list(
        &self,
        tx: &TenantTx,
        from: Timestamp,
        until: Timestamp,
        after: Option<(Timestamp, Uuid)>,
        limit: i64,
    ) -> Result<Vec<Fact>, DbError>;
}

/// One fact that is billed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// What it is about, as the API names it.
    #[schema(max_length = 64)]
    pub id: String,
    /// The number that people know it by.
    #[schema(max_length = 64)]
    pub reference: String,
    /// When it was written into the books.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The bare identifier, for the place in a list.
    #[serde(skip)]
    pub key: Uuid,
}
