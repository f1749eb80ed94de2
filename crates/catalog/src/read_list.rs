//! Use case: a list, from memory or Redis when it can.

use bytes::Bytes;
use db::{DbError, TenantTx};
use kernel::Ctx;
use serde::Serialize;

use crate::{
    Catalog,
    cache_counts::{CacheKind, Source},
    list_cache::ListQuery,
    shared_cache::Wanted,
    single_flight::Brought,
};

/// Counts a list that is read from the database because nobody else is likely to ask for it: a page further on.
pub(crate) fn count_uncached(catalog: &Catalog, kind: CacheKind) {
    catalog.reads().add(kind, Source::Database);
}

/// The list that `query` asks for, serialised: from memory, or with whoever is reading it already, or from Redis, or as
/// `list` reads it. The epoch and the place in Redis are taken before the transaction begins.
pub(crate) async fn read_list<T: Serialize>(
    catalog: &Catalog,
    ctx: &Ctx,
    query: ListQuery,
    list: impl AsyncFnOnce(&TenantTx) -> Result<T, DbError>,
) -> Result<Bytes, DbError> {
    let kind = match query {
        ListQuery::Products(..) => CacheKind::Products,
        ListQuery::Categories(_) => CacheKind::Categories,
    };
    let (key, now) = (catalog.lists().key(ctx.tenant_id(), query), ctx.now());
    let look = || catalog.lists().find(&key, now);
    if let Some(body) = look() {
        catalog.reads().add(kind, Source::Memory);
        return Ok(body);
    }
    let fetch = async {
        let (shared, place) = catalog.find_shared(ctx, Wanted::List(key.query())).await?;
        if let (Some(body), Some(place)) = (shared, &place) {
            catalog.reads().add(kind, Source::Redis);
            catalog.lists().put(key.clone(), body.clone(), place.known_at());
            return Ok(body);
        }
        catalog.reads().add(kind, Source::Database);
        let tx = catalog.db().begin_read(ctx).await?;
        let found = list(&tx).await?;
        tx.commit().await?;
        let body = serde_json::to_vec(&found).map_err(|error| DbError::Other(error.to_string()))?;
        let body = Bytes::from(body);
        catalog.lists().put(key.clone(), body.clone(), now);
        if let Some(place) = place {
            place.keep(&body).await;
        }
        Ok::<Bytes, DbError>(body)
    };
    let (body, brought) = catalog.list_flights().join(key.clone(), look, fetch).await?;
    if brought == Brought::Shared {
        catalog.reads().add(kind, Source::Memory);
    }
    Ok(body)
}
