//! Use case: a list, from memory when it can.

use bytes::Bytes;
use db::{DbError, TenantTx};
use kernel::Ctx;
use serde::Serialize;

use crate::{Catalog, cache_counts::CacheKind, list_cache::ListQuery, single_flight::Brought};

/// Counts a list that is read from the database because nobody else is likely to ask for it: a page further on.
pub(crate) fn count_uncached(catalog: &Catalog, kind: CacheKind) {
    catalog.reads().miss(kind);
}

/// The list that `query` asks for, serialised: from memory, or with whoever is reading it already, or as `list` reads
/// it. The epoch is taken before the transaction begins.
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
        catalog.reads().hit(kind);
        return Ok(body);
    }
    let fetch = async {
        catalog.reads().miss(kind);
        let tx = catalog.db().begin_read(ctx).await?;
        let found = list(&tx).await?;
        tx.commit().await?;
        let body = serde_json::to_vec(&found).map_err(|error| DbError::Other(error.to_string()))?;
        let body = Bytes::from(body);
        catalog.lists().put(key.clone(), body.clone(), now);
        Ok::<Bytes, DbError>(body)
    };
    let (body, brought) = catalog.list_flights().join(key.clone(), look, fetch).await?;
    if brought == Brought::Shared {
        catalog.reads().hit(kind);
    }
    Ok(body)
}
