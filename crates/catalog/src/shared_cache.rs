//! What all processes have read of catalogs, in Redis: asked where the memory of this one has no answer.
//!
//! No change removes anything. A transaction that changes a catalog gives it a new token (its generation), and the token
//! is part of every name in Redis. A reader learns the token first, and only then looks in Redis or reads the database:
//! what stands under a token is never older than the state that had it. Late writers write where nobody looks any more,
//! and it does not matter whether Redis could be reached when something changed. See `docs/adr/0035`.

use std::{fmt::Write as _, sync::LazyLock, time::Duration};

use bytes::Bytes;
use cache::{Away, Redis, cmd};
use db::DbError;
use jiff::Timestamp;
use kernel::{Ctx, TenantId};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::{
    Catalog, http::ProductPage, list_cache::ListQuery, list_categories::CategoryTree, model::Product,
    model::ProductId, single_flight::Flights,
};

/// How long an entry stays, unless Redis needs the room. Nothing becomes wrong by staying: this bounds memory.
const LIFETIME: Duration = Duration::from_secs(600);
/// How long a token is believed, in seconds, when no change is heard of: a notification may be lost.
const TOKEN_LIFETIME_S: i64 = 30;
/// Tokens kept.
const TOKENS: usize = 4_096;
/// Larger answers are not shared: one of them would hold up the others on the way to Redis.
const VALUE_BYTES: usize = 512 << 10;

/// What every digest begins with: programs of other versions, running side by side, do not read each other's answers.
static BEGUN: LazyLock<Sha256> = LazyLock::new(|| Sha256::new_with_prefix(shape()));

/// The schemas of all that is kept.
fn shape() -> String {
    let mut schemas = vec![
        ("product".to_owned(), Product::schema()),
        ("page".to_owned(), ProductPage::schema()),
        ("tree".to_owned(), CategoryTree::schema()),
    ];
    Product::schemas(&mut schemas);
    ProductPage::schemas(&mut schemas);
    CategoryTree::schemas(&mut schemas);
    serde_json::to_string(&schemas).unwrap_or_default()
}

/// A state of a tenant's catalog.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Generation {
    token: Uuid,
    /// The changes in the tenant's catalog heard of before the token was read.
    epoch: u64,
    /// When it was read: whatever stands under the token was right then.
    read_at: Timestamp,
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// A product by id.
    Id(ProductId),
    /// A product by SKU.
    Sku(&'a str),
    /// A list.
    List(&'a ListQuery),
}

impl Wanted<'_> {
    /// The same for the same thing and no other: texts that callers choose have a bounded length and no meaning in it.
    fn digest(self) -> String {
        let name = match self {
            Self::Id(id) => format!("id {}", id.0),
            Self::Sku(sku) => format!("sku {sku}"),
            // The derived form names every field and quotes every text.
            Self::List(query) => format!("list {query:?}"),
        };
        BEGUN.clone().chain_update(name).finalize().iter().take(16).fold(
            String::with_capacity(32),
            |mut text, byte| {
                // Writing to a string cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            },
        )
    }
}

/// The second level of the caches.
pub(crate) struct SharedCache {
    redis: Redis,
    tokens: Cache<TenantId, Generation>,
    flights: Flights<(TenantId, u64), Generation>,
}

impl SharedCache {
    /// In `redis`.
    pub(crate) fn new(redis: Redis) -> Self {
        Self { redis, tokens: Cache::new(TOKENS), flights: Flights::new() }
    }

    /// Where `wanted` stands as of now. To be asked for before the database is read.
    ///
    /// # Errors
    /// [`DbError`] when the token has to be read and cannot.
    pub(crate) async fn place(
        &self,
        catalog: &Catalog,
        ctx: &Ctx,
        wanted: Wanted<'_>,
    ) -> Result<Place<'_>, DbError> {
        let generation = self.generation(catalog, ctx).await?;
        let tenant = ctx.tenant_id();
        let name = format!("catalog:{}:{}:{}", tenant.0, generation.token.simple(), wanted.digest());
        Ok(Place { redis: &self.redis, key: self.redis.key(&name), tenant, generation })
    }

    async fn generation(&self, catalog: &Catalog, ctx: &Ctx) -> Result<Generation, DbError> {
        let (tenant, now) = (ctx.tenant_id(), ctx.now());
        let epoch = catalog.lists().epoch(tenant);
        let look = || {
            let kept = self.tokens.get(&tenant)?;
            let is_young = now.as_second() < kept.read_at.as_second() + TOKEN_LIFETIME_S;
            (kept.epoch == epoch && is_young).then_some(kept)
        };
        if let Some(kept) = look() {
            return Ok(kept);
        }
        let fetch = async {
            let tx = catalog.db().begin_read(ctx).await?;
            let row = tx.query_opt(include_str!("find_generation.sql"), &[&tenant]).await?;
            let token = row.map(|row| row.try_get("token")).transpose()?.unwrap_or_default();
            tx.commit().await?;
            let read = Generation { token, epoch, read_at: now };
            self.tokens.insert(tenant, read);
            Ok::<_, DbError>(read)
        };
        self.flights.join((tenant, epoch), look, fetch).await.map(|(generation, _)| generation)
    }
}

/// Where one thing stands in Redis, in one state of the catalog.
pub(crate) struct Place<'a> {
    redis: &'a Redis,
    key: String,
    tenant: TenantId,
    generation: Generation,
}

impl Place<'_> {
    /// What stands there.
    ///
    /// # Errors
    /// [`Away`]: it is not worth asking Redis again for this request.
    pub(crate) async fn find(&self) -> Result<Option<Bytes>, Away> {
        let found: Option<Vec<u8>> = self.redis.query(cmd("GET").arg(&self.key)).await?;
        Ok(found.map(Bytes::from))
    }

    /// Keeps what was read after the place was asked for. Where Redis is away, or `value` is too large, nothing is kept.
    pub(crate) async fn keep(&self, value: &[u8]) {
        if value.len() <= VALUE_BYTES {
            let lifetime_ms = u64::try_from(LIFETIME.as_millis()).unwrap_or(u64::MAX);
            let mut set = cmd("SET");
            set.arg(&self.key).arg(value).arg("PX").arg(lifetime_ms);
            // Whoever wants it next reads the database.
            let _: Result<(), Away> = self.redis.query(&set).await;
        }
    }

    /// When what stands there was right for sure.
    pub(crate) fn known_at(&self) -> Timestamp {
        self.generation.read_at
    }

    /// Whether no change has been heard of since the place was asked for.
    pub(crate) fn is_current(&self, catalog: &Catalog) -> bool {
        catalog.lists().epoch(self.tenant) == self.generation.epoch
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    // CAT-4
    #[test]
    fn each_thing_has_a_name_of_its_own_and_a_bounded_one() {
        let id = ProductId::new();
        let (all, below) = (ListQuery::Categories(None), ListQuery::Categories(Some("id".to_owned())));
        let long = "x".repeat(10_000);
        let names: Vec<String> = [
            Wanted::Id(id),
            Wanted::Sku(&id.0.to_string()),
            Wanted::Sku("list"),
            Wanted::Sku(&long),
            Wanted::List(&all),
            Wanted::List(&below),
        ]
        .map(Wanted::digest)
        .to_vec();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| name.len() == 32));
        assert_eq!(names[0], Wanted::Id(id).digest());
        let shape = shape();
        assert!(["taxCategory", "nextCursor", "width", "complete"].iter().all(|field| shape.contains(field)));
    }
}
